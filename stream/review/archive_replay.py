"""Replays an archive: every journal in it, each partition from its beginning or from a snapshot, with the regions that were archived."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.fold import Fold
from stream.errors import TocsinError, UnknownRegion
from stream.records.journal import Entry
from stream.region.bundle import unpack
from stream.region.load import load
from stream.review.archive import What

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
    """The fold's outputs for an archive, journal by journal and partition by partition, in the order of each."""
    source = regions(archive)
    try:
        for way in ways(archive, start_at):
            fold = Fold(source, lane=archive.about.lane, clock=archive.about.clock, partitions=way.partitions)
            state = fold.initial(way.partition) if way.snapshot is None else fold.restore(archive.state(way.snapshot).data)
            entries = records(archive, way)
            while some := list(islice(entries, AT_ONCE)):
                yield from fold.apply(state, some)
    except UnknownRegion as error:
        msg = f"the journal names region {error.region_hash}, which is not in the archive {archive.folder}"
        raise TocsinError(msg) from error


def records(archive: Archive, way: Way) -> Iterator[Entry]:
    """The records of a way, from where it begins."""
    first = 0 if way.snapshot is None else way.snapshot.next_offset
    for line in way.files:
        for one in archive.records(line):
            if one.offset >= first:
                yield Entry(one.offset, one.timestamp, one.value)
