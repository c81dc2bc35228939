"""Replays an archive: every journal in it, each partition from its beginning or from a snapshot, with the regions that were archived.

Of a journal that several versions of the fold have decided in turn, what this one said in its turns.
"""

from __future__ import annotations

from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.fold import Fold
from stream.errors import TocsinError, UnknownRegion
from stream.records.journal import Entry
from stream.region.bundle import unpack
from stream.region.load import load
from stream.review.archive import What
from stream.review.turns import Stretch, stretches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.region.model import Region
    from stream.review.archive import Archive, Line

AT_ONCE = 1_000
"""Records applied at a time."""


class Way(NamedTuple):
    """One partition of one journal: where to begin, and the files that follow."""

    topic_id: str
    partition: int
    partitions: int
    snapshot: Line | None
    files: list[Line]


def regions(archive: Archive) -> Callable[[str], Region]:
    """The archived regions by their hashes, each made when it is first asked for; UnknownRegion for another."""
    lines = {one.region_hash: one for one in archive.of(What.REGION)}
    made: dict[str, Region] = {}

    def source(region_hash: str) -> Region:
        if region_hash not in made:
            if region_hash not in lines:
                raise UnknownRegion(region_hash)
            made[region_hash] = load(unpack(archive.content(lines[region_hash])))
        return made[region_hash]

    return source


def ways(archive: Archive, start_at: int | None = None) -> list[Way]:
    """What to replay, the older journal first. `start_at`: each partition begins with its newest snapshot of before this instant (ms), if it has one.

    TocsinError where a journal's beginning had expired before it was archived and no snapshot stands for it.
    """
    journals: dict[str, dict[int, list[Line]]] = {}
    for one in archive.of(What.JOURNAL):
        journals.setdefault(one.topic_id, {}).setdefault(one.partition, []).append(one)
    begun = [name for name, files in journals.items() if start_at is not None and min(run[0].first_at for run in files.values()) < start_at]
    for name in begun[:-1]:  # another journal had followed it by then
        del journals[name]
    return [
        Way(name, partition, files[0].partitions, *_begin(files, _states(archive, name, partition), start_at))
        for name, partitions in journals.items()
        for partition, files in sorted(partitions.items())
    ]


def _states(archive: Archive, topic_id: str, partition: int) -> list[Line]:
    """The snapshots of a partition that this fold can go on from."""
    ours = [one for one in archive.of(What.SNAPSHOT) if (one.topic_id, one.partition) == (topic_id, partition)]
    return [one for one in ours if one.name in {Fold.VERSION, *Fold.MIGRATES}]


def _begin(files: list[Line], states: list[Line], start_at: int | None) -> tuple[Line | None, list[Line]]:
    """The snapshot to begin with, None for the journal's own beginning, and the files that follow it."""
    whole_from = files[-1].first_offset
    for one, following in zip(files[-2::-1], files[:0:-1], strict=True):
        if one.next_offset != following.first_offset:
            break
        whole_from = one.first_offset
    usable = [one for one in states if whole_from <= one.next_offset <= files[-1].next_offset]
    before = [one for one in usable if start_at is not None and one.last_at < start_at]
    snapshot = max(before, key=lambda one: one.next_offset, default=None)
    if snapshot is None and (whole_from > 0 or any(one.next_offset == 0 for one in usable)):
        snapshot = min(usable, key=lambda one: one.next_offset, default=None)
        if snapshot is None:
            first = files[0]
            msg = f"{first.topic} partition {first.partition} is archived from offset {whole_from} on, and no snapshot stands for what was before"
            raise TocsinError(msg)
    return snapshot, [one for one in files if one.next_offset > (0 if snapshot is None else snapshot.next_offset)]


def decide(archive: Archive, start_at: int | None = None) -> Iterator[Output]:
    """What this version of the fold has published of an archive, journal by journal and partition by partition, in the order of each.

    Where the journal was switched to another version, that one spoke (`said_by_others`). TocsinError where this one went on from a state of another
    version's that is not archived.
    """
    source = regions(archive)
    try:
        for way in ways(archive, start_at):
            fold = Fold(source, lane=archive.about.lane, clock=archive.about.clock, partitions=way.partitions)
            turns = _turns(archive, fold, way)
            if not turns:
                yield from _apply(fold, _state(archive, fold, way, way.snapshot), records(archive, way))
            for one in turns:
                if one.version == Fold.VERSION:
                    yield from _said(archive, fold, way, one)
    except UnknownRegion as error:
        msg = f"the journal names region {error.region_hash}, which is not in the archive {archive.folder}"
        raise TocsinError(msg) from error


def said_by_others(archive: Archive, start_at: int | None = None) -> Iterator[tuple[Way, Stretch]]:
    """The parts of journals that `decide` leaves out: other versions of the fold spoke there, and their code says what."""
    source = regions(archive)
    for way in ways(archive, start_at):
        fold = Fold(source, lane=archive.about.lane, clock=archive.about.clock, partitions=way.partitions)
        yield from ((way, one) for one in _turns(archive, fold, way) if one.version != Fold.VERSION)


def _turns(archive: Archive, fold: Fold, way: Way) -> list[Stretch]:
    """Who spoke when on this way; nothing where no switch is known."""
    phase, first = None, 0
    if way.snapshot is not None:
        first, phase = way.snapshot.next_offset, fold.phase(_state(archive, fold, way, way.snapshot))
        phase = phase._replace(decided_by=phase.decided_by or way.snapshot.name)
    found = stretches(records(archive, way), phase, first)
    return found if [one.version for one in found] != [Fold.VERSION] or found[0].base[0] else []


def _said(archive: Archive, fold: Fold, way: Way, turn: Stretch) -> Iterator[Output]:
    """What was said in one turn, by a state that has come the same way as the one that said it."""
    begin = way.snapshot if way.snapshot is not None and way.snapshot.next_offset == turn.first else _before(archive, fold, way, turn)
    state = _state(archive, fold, way, begin)
    some = records(archive, way._replace(snapshot=begin))
    for _ in _apply(fold, state, takewhile(lambda one: one.offset < turn.first, some)):
        pass  # in silence
    rest = (one for one in records(archive, way._replace(snapshot=begin)) if one.offset >= turn.first)
    yield from _apply(fold, state, takewhile(lambda one: turn.end is None or one.offset < turn.end, rest))


def _before(archive: Archive, fold: Fold, way: Way, turn: Stretch) -> Line | None:
    """The archived state that leads to a turn: one of its own way, or the one that it went on from; None for the journal's beginning."""
    version, end = turn.base
    lines = [one for one in archive.of(What.SNAPSHOT) if (one.topic_id, one.partition) == (way.topic_id, way.partition)]
    own = [one for one in lines if one.name == Fold.VERSION and way.files[0].first_offset <= one.next_offset <= turn.first]
    for one in sorted(own, key=lambda one: -one.next_offset):
        if fold.phase(_state(archive, fold, way, one)).base == turn.base:
            return one
    if not version and way.files[0].first_offset == 0:
        return None
    origin = next((one for one in lines if (one.name, one.next_offset) == (version, end)), None)
    if origin is None or origin.next_offset < way.files[0].first_offset:
        msg = (
            f"journal partition {way.partition}: fold version {Fold.VERSION} spoke from offset {turn.first} on with a state that version "
            f"{version or 'its own'} had decided up to offset {end}, and that state is not in the archive: replay from a later instant (--start)"
        )
        raise TocsinError(msg)
    return origin


def _state(archive: Archive, fold: Fold, way: Way, line: Line | None) -> Partition:
    """The state of an archived snapshot, of the beginning without one."""
    if line is None:
        return fold.initial(way.partition)
    state = fold.restore(archive.state(line).data)
    if line.name != Fold.VERSION:
        fold.go_on(state, line.name, line.next_offset)
    return state


def _apply(fold: Fold, state: Partition, entries: Iterable[Entry]) -> Iterator[Output]:
    some = iter(entries)
    while run := list(islice(some, AT_ONCE)):
        yield from fold.apply(state, run)


def records(archive: Archive, way: Way) -> Iterator[Entry]:
    """The records of a way, from where it begins."""
    first = 0 if way.snapshot is None else way.snapshot.next_offset
    for line in way.files:
        for one in archive.records(line):
            if one.offset >= first:
                yield Entry(one.offset, one.timestamp, one.value)
