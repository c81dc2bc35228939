"""One version of the fold takes over from another, at one place of a partition's journal (`stream.records.switching`).

The new one has decided the journal up to there without saying anything. From there on it speaks; but first it must know what the old one has said,
because revisions never go back and no revision may have two contents. So what follows the switch waits until that stands in the journal, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide.timekeeping import Held
from stream.records.journal import Entry, decode
from stream.records.lanes import belongs
from stream.records.switching import FoldVersion, Standing, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.decide.partition import Partition
    from stream.records.output import Output


class Takeover(msgspec.Struct, array_like=True):
    """A takeover under way: since which timestamp (ms), what waits, and the parts of `Standing` that came."""

    began_at: int
    waiting: list[Held] = msgspec.field(default_factory=list)
    parts: list[Standing] = msgspec.field(default_factory=list)


def concerned(partition: Partition, entries: Sequence[Entry]) -> bool:
    """Whether these records have to be taken by `decide`: a takeover is under way, or one of them is a part of one."""
    return partition.core.takeover is not None or any(switches(one.value) for one in entries)


def taken(partition: Partition, version: str) -> bool:
    """Whether the fold of this version speaks for the partition from here on, by what its journal says."""
    return partition.core.takeover is not None or partition.core.decided_by == version


def released(partition: Partition, entries: Sequence[Entry]) -> list[bytes]:
    """The records that wait for the takeover's end, if that may come with these."""
    takeover = partition.core.takeover
    ends = takeover is not None and any(switches(one.value) for one in entries)
    return [one.value for one in takeover.waiting] if takeover is not None and ends else []


def decide(
    partition: Partition,
    entries: Sequence[Entry],
    version: str,
    plainly: Callable[[Sequence[Entry]], list[Output]],
    adopt: Callable[[Sequence[Standing], int], list[Output]],
) -> list[Output]:
    """The outputs of records of which some may be parts of a takeover, for the fold of `version`.

    `plainly` decides records that are none; `adopt` takes over what stands published, at an instant.
    """
    core = partition.core
    outputs: list[Output] = []
    for entry in entries:
        message = decode(entry.value) if switches(entry.value) else None
        ours = isinstance(message, FoldVersion | Standing) and belongs(message.lane, partition.lane)
        if ours and isinstance(message, FoldVersion):
            _switch(partition, message, entry.timestamp, version)
        elif ours and isinstance(message, Standing):
            if core.takeover is not None and message.version == version and _complete(core.takeover, message):
                takeover, core.takeover, core.decided_by = core.takeover, None, version
                outputs += adopt(takeover.parts, takeover.began_at)
                outputs += plainly([Entry(entry.offset, one.timestamp, one.value) for one in takeover.waiting])
        elif core.takeover is not None:
            core.takeover.waiting.append(Held(entry.timestamp, entry.value))
        else:
            outputs += plainly([entry])
    return outputs


def _switch(partition: Partition, message: FoldVersion, timestamp: int, version: str) -> None:
    """Our own turn begins, unless it has begun already (the order may be repeated); or another version's."""
    core = partition.core
    if message.version != version:
        core.decided_by, core.takeover = message.version, None
    elif core.decided_by != version and core.takeover is None:
        core.takeover = Takeover(timestamp)


def _complete(takeover: Takeover, part: Standing) -> bool:
    """Take a part; whether all of its set are there. A set that begins replaces one that was broken off."""
    if part.part == 0:
        takeover.parts = []
    if len(takeover.parts) == part.part and all(one.taken_at == part.taken_at for one in takeover.parts):
        takeover.parts.append(part)
    return len(takeover.parts) == part.parts and takeover.parts[0].taken_at == part.taken_at
