"""Which part of a journal a version of the fold has published itself: where another one took over, the journal says so."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.records.journal import decode
from stream.records.switching import FoldVersion, switches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.decide.fold import Fold
    from stream.decide.partition import Partition
    from stream.records.journal import Entry
    from stream.records.output import Output

NONE: Mapping[str, Older] = MappingProxyType({})


class Older(NamedTuple):
    """A version before this one, and up to which offset the state that was gone on from had been decided by it."""

    fold: Fold
    next_offset: int


def decided(fold: Fold, state: Partition, entries: Sequence[Entry], older: Mapping[str, Older] = NONE) -> list[Output]:
    """What this version of the fold has published of a partition's whole journal: everything, unless others have decided parts of it.

    Where it went on from the state of a version before it, that one's code is needed, too (`older`, by version). TocsinError where it is not
    at hand, and where others have decided all of the journal: what they said cannot be said again by this code.
    """
    switched = [(number, message) for number, one in enumerate(entries) if (message := _switch(one.value)) is not None]
    if not switched:
        return fold.apply(state, entries)
    turns = [(0, switched[0][1].before), *((number, message.version) for number, message in switched)]
    own = next((number for number, (_, version) in enumerate(turns) if version == fold.VERSION), None)
    if own is None:
        others = ", ".join(dict.fromkeys(version for _, version in turns))
        msg = f"the journal was decided by fold version {others}, this is {fold.VERSION}: replay it with the code of that version"
        raise TocsinError(msg)
    if own and turns[own - 1][1] in fold.MIGRATES:
        state, done = _migrated(fold, state, entries, older.get(turns[0][1]) if own == 1 else None)
    else:
        done = 0
    outputs: list[Output] = []
    for (start, version), (end, _) in zip(turns, [*turns[1:], (len(entries), "")], strict=True):
        made = fold.apply(state, entries[max(start, done) : end])
        outputs += made if version == fold.VERSION else []
    return outputs


def _migrated(fold: Fold, state: Partition, entries: Sequence[Entry], older: Older | None) -> tuple[Partition, int]:
    """The state that this version went on from, and how many records stand behind it. `state`: of the beginning."""
    if older is None:
        msg = (
            f"fold version {fold.VERSION} went on from the state of a version before it, which this code cannot make, so this journal cannot be "
            "replayed exactly from its beginning: replay an archive from a snapshot after the takeover (`tocsin replay --journal FOLDER --start T`)"
        )
        raise TocsinError(msg)
    some = [one for one in entries if one.offset < older.next_offset]
    older.fold.apply(state, some)
    return fold.restore(older.fold.snapshot(state)), len(some)


def _switch(value: bytes) -> FoldVersion | None:
    message = decode(value) if switches(value) else None
    return message if isinstance(message, FoldVersion) else None
