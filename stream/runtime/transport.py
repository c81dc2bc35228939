"""Faust's Kafka transport with batches: an agent gets a list of records at a time, which is forty times faster than one by one.

Only our own input topics are batched, and of those only what `Positions` says is finished is ever committed. This subclasses private parts of
faust-streaming 0.15.3 (the version is pinned, tests/runtime/test_transport.py holds the contract).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from stream.runtime.positions import Partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord
    from faust.types import Message

    from stream.runtime.positions import Positions

SCHEME = "tocsin"


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Yields one message for a run of records of a partition of a batched topic; its value is the list of records."""

    batched: Mapping[str, int]
    """Batched topics and the longest run of each. Set by the app factory on the app, read here."""
    positions: Positions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batched = self.app.tocsin_batched
        self.positions = self.app.tocsin_positions

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109  (Faust's signature)
        """Records as messages; a list of them for batched topics."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for tp, run in records.items():
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            for message in self._messages(tp, run):
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    return
                yield tp, message

    def _messages(self, tp: TP, records: Sequence[ConsumerRecord]) -> Iterable[ConsumerMessage]:
        longest = self.batched.get(tp.topic)
        if longest is None:
            return (self._to_message(tp, record) for record in records)
        return (self._batch(tp, records[start : start + longest]) for start in range(0, len(records), longest))

    def _batch(self, tp: TP, run: Sequence[ConsumerRecord]) -> ConsumerMessage:
        last = run[-1]
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type, (), None, run, None, -1, -1, tp,
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
