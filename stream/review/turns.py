"""Which part of a journal a version of the fold has published itself: where another one took over, the journal says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.errors import TocsinError
from stream.records.journal import decode
from stream.records.switching import FoldVersion, switches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.fold import Fold
    from stream.decide.partition import Partition
    from stream.records.journal import Entry
    from stream.records.output import Output


def decided(fold: Fold, state: Partition, entries: Sequence[Entry]) -> list[Output]:
    """What this version of the fold has published of a partition's whole journal: everything, unless others have decided parts of it.

    TocsinError where others have decided all of it: what they said cannot be said again by this code.
    """
    switched = [(number, message) for number, one in enumerate(entries) if (message := _switch(one.value)) is not None]
    if not switched:
        return fold.apply(state, entries)
    turns = [(0, switched[0][1].before), *((number, message.version) for number, message in switched)]
    if all(version != fold.VERSION for _, version in turns):
        others = ", ".join(dict.fromkeys(version for _, version in turns))
        msg = f"the journal was decided by fold version {others}, this is {fold.VERSION}: replay it with the code of that version"
        raise TocsinError(msg)
    outputs: list[Output] = []
    for (start, version), (end, _) in zip(turns, [*turns[1:], (len(entries), "")], strict=True):
        made = fold.apply(state, entries[start:end])
        outputs += made if version == fold.VERSION else []
    return outputs


def _switch(value: bytes) -> FoldVersion | None:
    message = decode(value) if switches(value) else None
    return message if isinstance(message, FoldVersion) else None
