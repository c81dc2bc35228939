"""A replay of domains that pass something on to each other: all of them together, in the order of time.

One journal partition by itself is decided by its own records. What one domain passes on to another arrives there a little later, and on a live
lane nobody can say by how much. Here it arrives at once: this is the reference to which a live run comes in the end.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from stream.records.journal import Entry, Linked, Tick, decode, encode
from stream.records.output import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.decide.fold import Fold
    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.region.model import Region
    from stream.review.journal_file import Header, Recorded

DELIVERED = -1
"""The offset of a record that no journal holds."""


def links(regions: Sequence[Region]) -> bool:
    """Whether domains of these regions pass anything on to each other."""
    return any(region.cascades or any(region.series.also_in) for region in regions)


def decide_together(fold: Fold, header: Header, records: Iterable[Recorded]) -> Iterator[Output]:
    """The fold's outputs for a journal, in the order of time; links that were recorded are decided anew.

    The outputs hold the links, too (kind `journal`).
    """
    lanes = _Lanes(fold, header)
    given = [one for one in records if not isinstance(decode(one.value), Linked)]
    given.sort(key=lambda one: (one.timestamp, one.partition, one.offset))
    if header.clock == "observed":
        for at, run in groupby(given, key=lambda one: one.timestamp):
            yield from lanes.instant(at, list(run))
    else:
        for one in given:
            yield from lanes.deliver(lanes.apply(one.partition, Entry(one.offset, one.timestamp, one.value)), one.timestamp)


class _Lanes:
    """The states of all partitions while they are decided together."""

    def __init__(self, fold: Fold, header: Header) -> None:
        self._fold = fold
        self._lane = header.lane.value
        self._states: dict[int, Partition] = {number: fold.initial(number) for number in range(header.partitions)}
        self._reached = dict.fromkeys(self._states, 0)

    def apply(self, partition: int, entry: Entry) -> list[Output]:
        """One record of one partition."""
        self._reached[partition] = max(self._reached[partition], entry.timestamp)
        return self._fold.apply(self._states[partition], [entry])

    def instant(self, at: int, run: Sequence[Recorded]) -> Iterator[Output]:
        """All records of an instant, which every partition then decides before anything that follows."""
        made: list[Output] = []
        for one in run:
            made += self.apply(one.partition, Entry(one.offset, one.timestamp, one.value))
        if at > 0:  # what stands before the first measurement is no instant of observation
            tick = encode(Tick(at, 0.0, at, closing=True, lane=self._lane))
            for partition in self._states:
                made += self.apply(partition, Entry(DELIVERED, at, tick))
        yield from self.deliver(made, at)

    def deliver(self, made: Iterable[Output], at: int) -> Iterator[Output]:
        """The outputs, and what follows where they are links: each is taken, in the order of its effect, until nothing follows any more."""
        waiting: list[_Way] = []
        yield from _noted(made, waiting)
        heapify(waiting)
        while waiting:
            way = heappop(waiting)
            stamp = max(self._reached[way.partition], min(at, way.sent_at))
            following: list[_Way] = []
            yield from _noted(self.apply(way.partition, Entry(DELIVERED, stamp, way.value)), following)
            for one in following:
                heappush(waiting, one)


class _Way(NamedTuple):
    """A link on its way; they arrive in this order."""

    effective_at: int
    link_id: str
    revision: int
    sent_at: int
    partition: int
    value: bytes


def _noted(made: Iterable[Output], waiting: list[_Way]) -> Iterator[Output]:
    """The outputs as they are; links among them wait to be delivered."""
    for output in made:
        if output.kind is Kind.JOURNAL and output.value is not None and output.partition is not None:
            link = decode(output.value)
            if isinstance(link, Linked):
                waiting.append(_Way(link.effective_at, link.link_id, link.revision, link.sent_at, output.partition, output.value))
        yield output
