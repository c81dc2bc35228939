"""The same job on a bare aiokafka loop: msgspec decoding, the product's own history, quality and detectors on arrays; no journal, no
checkpoints, no refusals, no incidents, nothing awaited but the sends of level changes at the end.

Arguments: bootstrap, source topic, topic of level changes, region folder. Prints `ready`, and `count n` when n measurements are done,
for each n in the variable COUNTS.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiokafka
import msgspec
import numpy as np

from detectors import history, quality, rate_of_rise, stage
from detectors.base import Quality, Samples
from stream.region.load import load_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Measurement(msgspec.Struct, gc=False):
    series: str
    observed_at: datetime
    value: float
    unit: str


class Change(msgspec.Struct):
    series: str
    observed_at: int
    previous: int
    level: int


class Arrays:
    """All series of the region: parameters, histories, states and levels."""

    def __init__(self, region_folder: Path) -> None:
        region = load_folder(region_folder)
        hazard = region.hazards[0]
        assert hazard.rows.tolist() == list(range(len(region.series.ids)))
        self.ids, self.row_of = region.series.ids, region.series.row_of
        self.history = history.initial(len(self.ids))
        self.quality = hazard.quality
        self.parameters = [use.parameters for use in hazard.detectors]
        self.states = [stage.initial(self.parameters[0]), rate_of_rise.initial(self.parameters[1])]
        self.levels = np.zeros((2, len(self.ids)), np.uint8)

    def step(self, batch: Sequence[Measurement]) -> list[Change]:
        """Score a batch; the changes of level."""
        rows = np.fromiter((self.row_of[one.series] for one in batch), np.intp, len(batch))
        at = np.rint(np.fromiter((one.observed_at.timestamp() for one in batch), np.float64, len(batch)) * 1000).astype(np.int64)
        value = np.fromiter((one.value for one in batch), np.float64, len(batch))
        changes: list[Change] = []
        for chosen in _rounds(rows):
            changes += self._round(rows[chosen], at[chosen], value[chosen])
        return changes

    def _round(self, rows: Any, at: Any, value: Any) -> Iterator[Change]:
        kind = history.classify(self.history, rows, at, value)
        usable = (kind != history.Arrival.DUPLICATE) & (kind != history.Arrival.TOO_OLD)
        samples = Samples(rows, at, value, np.full(len(rows), Quality.GOOD, np.uint8), kind == history.Arrival.NEW)
        samples = samples if usable.all() else samples.pick(usable)
        flag = quality.flag(self.quality, self.history, samples)
        samples = Samples(samples.rows, samples.observed_at, samples.value, flag, samples.in_order)
        samples = samples.pick(flag != Quality.FAIL) if (flag == Quality.FAIL).any() else samples
        history.push(self.history, samples)
        before = self.levels[:, samples.rows].max(axis=0)
        for number, module in enumerate((stage, rate_of_rise)):
            self.levels[number, samples.rows] = module.step(self.parameters[number], self.states[number], samples).level
        after = self.levels[:, samples.rows].max(axis=0)
        for i in np.flatnonzero(before != after):
            yield Change(self.ids[samples.rows[i]], int(samples.observed_at[i]), int(before[i]), int(after[i]))


def _rounds(rows: Any) -> Iterator[Any]:
    """Each series at most once a round, in order."""
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.r_[True, rows[order][1:] != rows[order][:-1]])
    if len(starts) == len(rows):
        yield slice(None)
        return
    rank = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
    for turn in range(int(rank.max()) + 1):
        yield np.sort(order[rank == turn])


async def run(bootstrap: str, source: str, changes: str, region_folder: Path) -> None:
    arrays = Arrays(region_folder)
    targets = [int(number) for number in os.environ["COUNTS"].split(",")]
    decoder, encoder = msgspec.json.Decoder(Measurement), msgspec.json.Encoder()
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_partition_fetch_bytes=4 << 20)
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await consumer.start()
    await producer.start()
    partitions = [aiokafka.TopicPartition(source, number) for number in range(12)]
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    print("ready", flush=True)
    done, sends = 0, []
    while True:
        # Batches end at the counts that are asked for, so that a figure is for exactly that many.
        left = min((target - done for target in targets if target > done), default=20_000)
        found = await consumer.getmany(timeout_ms=200, max_records=min(20_000, left))
        batch = [decoder.decode(record.value) for records in found.values() for record in records]
        if not batch:
            continue
        sends += [await producer.send(changes, encoder.encode(change), partition=0) for change in arrays.step(batch)]
        done += len(batch)
        if done in targets:
            await asyncio.gather(*sends)
            sends.clear()
            print(f"count {done}", flush=True)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:4], Path(sys.argv[4])))
