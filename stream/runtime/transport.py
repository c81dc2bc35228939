"""Faust's Kafka transport with batches: an agent gets thousands of records at a time, which is forty times faster than one by one.

Only our own input topics are batched, and of those only what `Positions` says is finished is ever committed. This subclasses private parts of
faust-streaming 0.15.3 (the version is pinned, tests/runtime/test_transport.py holds the contract).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream.runtime.positions import Partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord
    from faust.types import Message

    from stream.runtime.positions import Positions

SCHEME = "tocsin"
FETCH_WAIT_MS, FETCH_BYTES_LEAST = 10, 65_536
"""The broker gathers records until there are so many bytes, for so long at most: a batch costs hundreds of microseconds however small it is, and
without gathering batches of two or three records wait for each other."""


BATCHES_AHEAD = 4
"""Messages of a batched topic that wait for their agent before no more of it is read."""
LOOK_AGAIN_S = 0.02
"""How soon what was left out of a fetch may be in the next one."""


class Run(NamedTuple):
    """Consecutive records of one partition."""

    partition: int
    records: Sequence[ConsumerRecord]


class PromptConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The consumer's thread, with short fetches.

    aiokafka has one fetch in flight per broker and leaves out of it the partitions whose records are still being worked on: their next records
    wait until that fetch returns, which takes Faust's fixed 1.5 s when the others are quiet.
    """

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no settings for these.
        consumer._fetch_max_wait_ms, consumer._fetch_min_bytes = FETCH_WAIT_MS, FETCH_BYTES_LEAST  # noqa: SLF001
        return consumer


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Yields one message for all that was fetched of a batched topic (up to a limit); its value is a tuple of `Run`s, one or more."""

    batched: Mapping[str, int]
    """Batched topics and how many records of each go into a message. Set by the app factory on the app, read here."""
    positions: Positions
    sated: Callable[[], Collection[Partition]]

    def _new_consumer_thread(self) -> PromptConsumerThread:
        return PromptConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batched = self.app.tocsin_batched
        self.positions = self.app.tocsin_positions
        self.sated = self.app.tocsin_sated

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: Faust would leave this partition out of the fetches until the queue of all is nearly empty, for ever under a steady load."""

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> Mapping[TP, Sequence[ConsumerRecord]]:  # noqa: ASYNC109  (Faust's signature)
        """What is fetched of all partitions but those of which enough waits already."""
        piled = Counter(message.topic for message in self._unacked_messages)
        sated = {tp for tp in active_partitions if piled[tp.topic] >= BATCHES_AHEAD}.union(self.sated())
        hungry = active_partitions - sated
        if not hungry:  # for aiokafka none would mean all
            await asyncio.sleep(LOOK_AGAIN_S)
            return {}
        return await super()._getmany(hungry, timeout if hungry == active_partitions else LOOK_AGAIN_S)  # type: ignore[no-any-return]

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109  (Faust's signature)
        """Records as messages; many of them in one for batched topics."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        readable = {
            tp: found for tp, found in records.items() if found and (active is None or tp in active or tp in self._buffered_partitions)
        }
        for message in self._messages(readable):
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            # Faust drops a message whose offset is below what it last read of that partition; a batch spans several partitions and is never
            # dropped: what is read again after a seek is recognised by who works on it.
            self._read_offset[message.tp] = None
            yield message.tp, message

    def _messages(self, records: Mapping[TP, Sequence[ConsumerRecord]]) -> Iterable[ConsumerMessage]:
        runs: dict[str, list[Run]] = {}
        for tp, found in records.items():
            longest = self.batched.get(tp.topic)
            if longest is None:
                yield from (self._to_message(tp, record) for record in found)
                continue
            for start in range(0, len(found), longest):
                collected = runs.setdefault(tp.topic, [])
                collected.append(Run(tp.partition, found[start : start + longest]))
                if sum(len(run.records) for run in collected) >= longest:
                    yield self._batch(tp.topic, runs.pop(tp.topic))
        yield from (self._batch(topic, collected) for topic, collected in runs.items())

    def _batch(self, topic: str, runs: Sequence[Run]) -> ConsumerMessage:
        partition, records = runs[-1]
        last, tp = records[-1], TP(topic, partition)
        return ConsumerMessage(
            topic, partition, last.offset, last.timestamp / 1000.0, last.timestamp_type, (), None, tuple(runs), None, -1, -1, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def ack(self, message: Message) -> bool:
        """Forget a batch; what is committed comes from `positions`."""
        if message.topic not in self.batched:
            return bool(super().ack(message))
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic not in self.batched:
            await super()._add_gap(tp, offset_from, offset_to)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        others = super()._filter_committable_offsets([tp for tp in tps if tp.topic not in self.batched])
        ours = [Partition(tp.topic, tp.partition) for tp in self.assignment() if tp.topic in self.batched]
        committed = {p: self._committed_offset.get(TP(p.topic, p.partition)) for p in ours}
        return {**others, **{TP(p.topic, p.partition): offset for p, offset in self.positions.beyond(committed, ours).items()}}

    def start_offset(self, partition: Partition) -> int | None:
        """The committed offset from which reading began in this generation; None without one."""
        offset = self._committed_offset.get(TP(partition.topic, partition.partition))
        return None if offset is None else int(offset)


class BatchTransport(driver.Transport):  # type: ignore[misc]
    """Faust's Kafka transport with the batching consumer; `tocsin://host:port`."""

    Consumer = BatchConsumer
    driver_version = driver.Transport.driver_version
