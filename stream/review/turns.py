"""Which version of the fold has published which part of a journal, by the journal itself; and what one of them said in its turns.

A turn begins with a switch, but its version speaks only from where it is complete what stood published, and by the state that wrote that down: each
set names where that state came from (`stream.records.switching`). Between the two nobody spoke.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.records.journal import decode
from stream.records.switching import FoldVersion, Phase, Standing, switches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stream.decide.fold import Fold
    from stream.decide.partition import Partition
    from stream.records.journal import Entry
    from stream.records.output import Output

NONE: Mapping[str, Fold] = MappingProxyType({})


class Stretch(NamedTuple):
    """Offsets (`first` included, `end` not, None = to the journal's end) of which one version spoke, with a state that came from `base`."""

    version: str
    first: int
    end: int | None
    turn: int = 0
    base: tuple[str, int] = ("", 0)


def stretches(entries: Iterable[Entry], begun: Phase | None = None, first: int = 0) -> list[Stretch]:
    """Who spoke when, in the order of a journal (or of the rest of one, from offset `first` on, where a state of `begun` stood).

    Nothing where there is no switch at all and nothing is known of what was before: then one version decided everything.
    """
    found: list[Stretch] = []
    now, turn, parts = None, 0, list[Standing]()
    if begun is not None:
        turn = begun.turn
        now = None if begun.taking_over else Stretch(begun.decided_by, first, None, turn, begun.base)
    for entry in entries:
        message = decode(entry.value) if switches(entry.value) else None
        if isinstance(message, FoldVersion):
            if begun is None and not turn and not found and now is None:
                now = Stretch(message.before, first, None)
            version = now.version if now is not None else ""
            if message.turn > turn or (message.turn == turn and message.version != version and not parts):
                found += [now._replace(end=entry.offset)] if now is not None and now.first < entry.offset else []
                now, turn, parts = None, message.turn, []
        elif isinstance(message, Standing) and message.turn == turn:
            parts = _together(parts, message)
            other = now is None or (message.version, message.base) != (now.version, now.base)
            if other and len(parts) == message.parts:
                found += [now._replace(end=entry.offset)] if now is not None else []
                now, parts = Stretch(message.version, entry.offset, None, turn, message.base), []
    return [*found, now] if now is not None else found


def _together(parts: list[Standing], part: Standing) -> list[Standing]:
    """The parts of a set that came so far, with this one."""
    if part.part == 0:
        return [part]
    fits = len(parts) == part.part and all((one.taken_at, one.base) == (part.taken_at, part.base) for one in parts)
    return [*parts, part] if fits else parts


def decided(fold: Fold, state: Partition, entries: Sequence[Entry], older: Mapping[str, Fold] = NONE, partition: int = 0) -> list[Output]:
    """What this version of the fold has published of a partition's whole journal: everything, unless others have decided parts of it.

        `state`: of the beginning.
    Where it went on from the state of a version before it, that one's code is needed, too (`older`, by version). TocsinError where it is not
        at hand, and where others have decided all of the journal: what they said cannot be said again by this code.
    """
    every = stretches(entries)
    if not every:
        return fold.apply(state, entries)
    own = [one for one in every if one.version == fold.VERSION]
    if not own:
        others = ", ".join(dict.fromkeys(one.version for one in every))
        msg = f"the journal was decided by fold version {others}, this is {fold.VERSION}: replay it with the code of that version"
        raise TocsinError(msg)
    said: dict[Stretch, list[Output]] = {}
    for base in dict.fromkeys(one.base for one in own):
        ours = [one for one in own if one.base == base]
        came = _origin(fold, partition, entries, (base, older)) if base[0] else state
        said |= spoken(fold, came, [one for one in entries if one.offset >= base[1]], ours)
    return [output for one in own for output in said[one]]


def spoken(fold: Fold, state: Partition, entries: Sequence[Entry], ours: Sequence[Stretch]) -> dict[Stretch, list[Output]]:
    """What follows from these records in the stretches of this state; in between it goes on in silence."""
    said: dict[Stretch, list[Output]] = {}
    done = 0
    for one in ours:
        begin = next((number for number, entry in enumerate(entries) if entry.offset >= one.first), len(entries))
        end = next((number for number, entry in enumerate(entries) if one.end is not None and entry.offset >= one.end), len(entries))
        fold.apply(state, entries[done:begin])
        said[one] = fold.apply(state, entries[begin:end])
        done = end
    return said


def _origin(fold: Fold, partition: int, entries: Sequence[Entry], come: tuple[tuple[str, int], Mapping[str, Fold]]) -> Partition:
    """The state that this version began with: of the beginning, or what the version before it had decided up to there, and so on back."""
    (version, end), older = come
    if not version:
        return fold.initial(partition)
    before = older.get(version)
    if before is None:
        msg = (
            f"fold version {fold.VERSION} went on from the state of version {version} at offset {end}, which this code cannot make, so this journal "
            "cannot be replayed exactly from its beginning: replay an archive, which has that state (`tocsin replay --journal FOLDER`)"
        )
        raise TocsinError(msg)
    some = [one for one in entries if one.offset < end]
    base = next((one.base for one in reversed(stretches(some)) if one.version == version), ("", 0))
    state = _origin(before, partition, some, (base, older))
    before.apply(state, [one for one in some if one.offset >= base[1]])
    made = fold.restore(before.snapshot(state))
    fold.go_on(made, version, end)
    return made
