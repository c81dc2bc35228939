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
            if _begins(partition, message, version):
                broken_off, core.takeover = core.takeover, None
                if broken_off is not None:  # that turn is over before it was known what stands; what follows from it is nobody's to say
                    plainly([Entry(entry.offset, one.timestamp, one.value) for one in broken_off.waiting])
                ours_now = message.version == version
                core.turn, core.decided_by = message.turn, message.before if ours_now else message.version
                core.takeover = Takeover(entry.timestamp) if ours_now else None
        elif ours and isinstance(message, Standing):
            if _meant(partition, message, version) and core.takeover is not None and _complete(core.takeover, message):
                takeover, core.takeover, core.decided_by = core.takeover, None, version
                outputs += adopt(takeover.parts, takeover.began_at)
                outputs += plainly([Entry(entry.offset, one.timestamp, one.value) for one in takeover.waiting])
        elif core.takeover is not None:
            core.takeover.waiting.append(Held(entry.timestamp, entry.value))
        else:
            outputs += plainly([entry])
    return outputs


def _begins(partition: Partition, message: FoldVersion, version: str) -> bool:
    """Whether another turn begins here: not if the order was repeated, nor if it is of a turn that is over."""
    core = partition.core
    now = version if core.takeover is not None else core.decided_by
    return message.turn > core.turn or (message.turn == core.turn and message.version != now)


def _meant(partition: Partition, part: Standing, version: str) -> bool:
    """Whether a part is for this state: of its version, its turn, and from where it came."""
    core = partition.core
    return part.version == version and part.turn == core.turn and part.base == core.base


def _complete(takeover: Takeover, part: Standing) -> bool:
    """Take a part; whether all of its set are there. A set that begins replaces one that was broken off."""
    if part.part == 0:
        takeover.parts = []
    if len(takeover.parts) == part.part and all(one.taken_at == part.taken_at for one in takeover.parts):
        takeover.parts.append(part)
    return len(takeover.parts) == part.parts and takeover.parts[0].taken_at == part.taken_at
