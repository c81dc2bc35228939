"""What the journal says a partition's state is: decided again from records alone, beside the running service and without touching it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream.errors import BrokerError, TocsinError
from stream.records.journal import Entry
from stream.review.archive import What
from stream.runtime.checkpoint import digest
from stream.runtime.checkpoint_store import CheckpointReader, topic_id
from stream.runtime.excerpt import Stretch, excerpt
from stream.runtime.follow import consumer
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.snapshots import assembled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from stream.cluster import Cluster
    from stream.review.archive import Archive, Line
    from stream.runtime.checkpoint import Checkpoint
    from stream.runtime.fold_like import FoldLike
    from stream.runtime.topics import Topics

AT_ONCE = 1_000
POLL_MS = 500


class Begun(NamedTuple):
    """A state to begin with: before `offset`; `data` None is the journal's own beginning."""

    offset: int
    data: bytes | None


class _State(NamedTuple):
    """A snapshot: of which fold version, before which offset, when, and its bytes."""

    version: str
    offset: int
    at: int
    data: Callable[[], bytes]

    def before(self, since_at: int | None) -> bool:
        return since_at is not None and self.at < since_at

    def rank(self, since_at: int | None) -> tuple[bool, int]:
        """The newest before `since_at` is the best, else the oldest."""
        before = self.before(since_at)
        return before, self.offset if before else -self.offset


class Compared(NamedTuple):
    """A partition: its newest checkpoint's offset and digest, from where the state was decided again, and the digest that came out."""

    partition: int
    offset: int
    checkpoint: str
    from_offset: int
    recomputed: str

    @property
    def equal(self) -> bool:
        """Whether the running state is what the journal says."""
        return self.checkpoint == self.recomputed


class Recomputing:
    """States of one journal. `archive`: where records and snapshots are taken from that Kafka has no more."""

    def __init__(self, cluster: Cluster, topics: Topics, fold: FoldLike, archive: Archive | None = None) -> None:
        self._cluster = cluster
        self._topics = topics
        self._fold = fold
        self._archive = archive
        self._identity = ""

    async def newest(self, partitions: int) -> dict[int, Checkpoint]:
        """The newest checkpoint of each partition; TocsinError where there is none of this fold's version."""
        self._identity = await topic_id(self._cluster, self._topics.journal)
        reader = CheckpointReader(self._cluster, self._topics, instance="rebuild", fold_version=self._fold.VERSION)
        found = {number: one.best for number, one in (await reader.find(range(partitions))).items()}
        if missing := [number for number, best in found.items() if best is None]:
            msg = (
                f"{self._topics.checkpoints} holds no checkpoint of fold version {self._fold.VERSION} for partitions {missing}: "
                "do the workers run, and are they of this version?"
            )
            raise TocsinError(msg)
        return {number: best for number, best in found.items() if best is not None}

    async def compare(self, partition: int, newest: Checkpoint, since_at: int | None = None) -> Compared:
        """Decide a partition again up to its newest checkpoint; from its oldest known state, or the newest one before `since_at` (ms)."""
        end = newest.manifest.next_offset
        begun = await self._begin(partition, end, since_at)
        state = self._fold.initial(partition) if begun.data is None else self._fold.restore(begun.data)
        await self.advance(state, partition, (begun.offset, end))
        return Compared(partition, end, newest.manifest.sha256, begun.offset, digest(self._fold.snapshot(state)))

    async def advance(self, state: Any, partition: int, offsets: tuple[int, int]) -> list[Any]:
        """Apply the records of these offsets (the second excluded) to a state; what the fold says to them."""
        outputs: list[Any] = []
        async for some in self._records(partition, *offsets):
            for start in range(0, len(some), AT_ONCE):
                outputs += self._fold.apply(state, some[start : start + AT_ONCE])
        return outputs

    async def _begin(self, partition: int, end: int, since_at: int | None) -> Begun:
        """A state whose later records are all at hand. The journal's own beginning only where no other fold version ever decided it."""
        first = await self._first(partition)
        best, others = None, False
        async for one in self._states(partition):
            others |= one.version != self._fold.VERSION
            if one.version == self._fold.VERSION and first <= one.offset <= end:
                best = one if best is None else max(best, one, key=lambda each: each.rank(since_at))
        if first == 0 and not others and (best is None or (best.offset > 0 and not best.before(since_at))):
            return Begun(0, None)
        if best is None:
            msg = f"{self._topics.journal} partition {partition} begins at offset {first}, and no snapshot of it is at hand; give --archive"
            raise TocsinError(msg)
        return Begun(best.offset, best.data())

    async def _states(self, partition: int) -> AsyncIterator[_State]:
        """The snapshots of this journal that are at hand. One from Kafka is forgotten unless it is kept; the archive's are not read before they are used."""
        async for one in assembled(excerpt(self._cluster, Stretch(self._topics.snapshots, 0, None, partition))):
            manifest, data = one.snapshot.manifest, one.snapshot.data
            if manifest.topic_id == self._identity:
                yield _State(manifest.fold_version, manifest.next_offset, manifest.at, partial(bytes, data))
        if self._archive is not None:
            for line in self._archived(What.SNAPSHOT, partition):
                yield _State(line.name, line.next_offset, line.last_at, partial(_stored, self._archive, line))

    async def _first(self, partition: int) -> int:
        """The first offset from which on every record is at hand."""
        place = TopicPartition(self._topics.journal, partition)
        async with consumer(self._cluster) as reader:
            first = int((await reader.beginning_offsets([place]))[place])
        for line in reversed(self._archived(What.JOURNAL, partition)):
            if line.first_offset < first <= line.next_offset:
                first = line.first_offset
        return first

    def _archived(self, what: What, partition: int) -> Sequence[Line]:
        lines = [] if self._archive is None else self._archive.of(what)
        return [one for one in lines if (one.topic_id, one.partition) == (self._identity, partition)]

    async def _records(self, partition: int, start: int, end: int) -> AsyncIterator[list[Entry]]:
        place = TopicPartition(self._topics.journal, partition)
        async with consumer(self._cluster) as reader:
            reader.assign([place])
            begins = (await reader.beginning_offsets([place]))[place]
            for line in self._archived(What.JOURNAL, partition):
                if self._archive is not None and start < min(begins, end) and line.first_offset <= start < line.next_offset:
                    some = [Entry(*one[1:]) for one in self._archive.records(line) if start <= one.offset < end]
                    start = some[-1].offset + 1
                    yield some
            reader.seek(place, start)
            try:
                while start < end:
                    found = (await reader.getmany(place, timeout_ms=POLL_MS)).get(place, [])
                    some = [Entry(one.offset, one.timestamp, one.value) for one in found if one.offset < end]
                    if some:
                        start = some[-1].offset + 1
                        yield some
            except NOT_ALLOWED:
                raise
            except KafkaError as error:
                msg = f"{place.topic} partition {partition} cannot be read from offset {start}: {error!r}"
                raise BrokerError(msg) from error


def _stored(archive: Archive, line: Line) -> bytes:
    return archive.state(line).data
