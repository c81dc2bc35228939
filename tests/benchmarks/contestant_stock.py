"""The same job on a stock Faust agent: msgspec decoding, state in dictionaries, the scalar twins of quality and detectors, one event a record.

Arguments: bootstrap, source topic, topic of level changes, region folder. Prints `count n` when n measurements are
done, for each n in the variable COUNTS.
"""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import faust
import msgspec

sys.path.insert(0, str(Path(__file__).parents[1] / "detectors" / "twins"))
from quality_twin import QualityTwin
from rate_of_rise_twin import RateOfRiseTwin
from stage_twin import StageTwin

from stream.region.load import load_folder

FAIL, GOOD = 4, 1


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


class Series:
    """One gauge: its history and tests, its two detectors, its level."""

    def __init__(self, quality: Any, stage: Any, rise: Any) -> None:
        self.quality = QualityTwin(quality)
        self.stage = StageTwin(stage)
        self.rise = RateOfRiseTwin(rise)
        self.level = 0

    def step(self, observed_at: int, value: float) -> tuple[int, int]:
        """The level before and after a measurement."""
        before = self.level
        arrival = self.quality.history.classify(observed_at, value)
        if arrival in {"DUPLICATE", "TOO_OLD"}:
            return before, before
        in_order = arrival == "NEW"
        flag = self.quality.flag(observed_at, value, GOOD, in_order)
        if flag == FAIL:
            return before, before
        self.quality.history.push(observed_at, value, flag)
        self.level = max(self.stage.step(observed_at, value, flag, in_order)[0], self.rise.step(observed_at, value, flag, in_order)[0])
        return before, self.level


def twins(region_folder: Path) -> dict[str, Series]:
    """A twin of every series of the region."""
    region = load_folder(region_folder)
    hazard = region.hazards[0]
    parameters = [hazard.quality, *(use.parameters for use in hazard.detectors)]
    named = [[dict(zip(array.dtype.names, row.tolist(), strict=True)) for row in array] for array in parameters]
    return {region.series.ids[row]: Series(*three) for row, *three in zip(hazard.rows.tolist(), *named, strict=True)}


def create(bootstrap: str, source: str, changes: str, region_folder: Path) -> faust.App:
    app = faust.App(
        f"stock-{source}", broker=f"kafka://{bootstrap}", store="memory://", web_enabled=False, topic_partitions=12, topic_disable_leader=True,
        consumer_auto_offset_reset="earliest", datadir=tempfile.gettempdir(), broker_session_timeout=300, broker_heartbeat_interval=20,
        broker_request_timeout=320,
    )  # fmt: skip
    measurements = app.topic(source, value_serializer="raw", key_serializer="raw")
    changed = app.topic(changes, value_serializer="raw", key_serializer="raw")
    series = twins(region_folder)
    decoder, encoder = msgspec.json.Decoder(Measurement), msgspec.json.Encoder()
    targets = [int(number) for number in os.environ["COUNTS"].split(",")]
    done = 0

    @app.agent(measurements)
    async def detect(stream: Any) -> None:
        nonlocal done
        async for value in stream:
            one = decoder.decode(value)
            at = int(one.observed_at.timestamp() * 1000)
            before, level = series[one.series].step(at, one.value)
            if level != before:
                await changed.send(value=encoder.encode(Change(one.series, at, before, level)))
            done += 1
            if done in targets:
                print(f"count {done}", flush=True)

    return app


if __name__ == "__main__":
    worker = faust.Worker(create(*sys.argv[1:4], Path(sys.argv[4])), loglevel="WARNING", redirect_stdouts=False)
    worker.execute_from_commandline()
