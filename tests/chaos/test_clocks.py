"""Real processes whose clocks are wrong (libfaketime): the broker's or the worker's by a day, while they run; and all of them three hours later, after a pause.

The small river; the worker answers /metrics. What is measured is always dated rightly: sensors' clocks are not those that are wrong here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from stream.records.instants import DAY, HOUR, MINUTE, SECOND
from stream.records.journal import Tick, decode
from stream.runtime.broker import Broker
from stream.runtime.ports import free_ports
from tests.chaos.faked_time import FakedTime
from tests.decide.conftest import FILES, make_bundle
from tests.gateways.conftest import ROOT, LaneOfAnswers, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

DAY_S, HOUR_S = DAY // SECOND, HOUR // SECOND
CITIES = ("ava", "bor", "cam")
RULES = "[rules]\nacknowledge_yellow_s = 600\nacknowledge_orange_s = 600\nacknowledge_red_s = 600\n"


class River(LaneOfAnswers):
    """The lane with the small river, whose processes may go by a clock of their own."""

    def __init__(self, broker: Broker, prefix: str, folder: Path) -> None:
        super().__init__(broker.bootstrap, prefix, folder)
        (self.port,) = free_ports("127.0.0.1", 1)
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 0})
        files = FILES | {"hazards/flood.toml": FILES["hazards/flood.toml"].replace("[rules]\n", RULES)}
        make_bundle(files, folder / "rill")
        run("region", "activate", str(folder / "rill"), *self.options)

    def launch(self, command: str, env: Mapping[str, str] | None = None, *, module: str = "stream.cli.main") -> subprocess.Popen[bytes]:
        more = ["--metrics-port", str(self.port)] if command == "worker" else []
        with (self.folder / f"{command}.log").open("ab") as log:
            made = subprocess.Popen(
                [sys.executable, "-m", module, command, *more, *self.options],
                stdout=log, stderr=log, cwd=ROOT, env=os.environ | (env or {}),
            )  # fmt: skip
        self.running.append(made)
        return made

    def measure(self, at: float, **values: float) -> None:
        """Measurements of now by the right clock (seconds since 1970)."""
        observed_at = datetime.fromtimestamp(at, UTC).isoformat()
        for station, value in values.items():
            body = {"series": f"{station}/stage", "observed_at": observed_at, "value": value}
            self.producer.produce(f"{self.topics.prefix}measurements.water", json.dumps(body).encode())
        assert self.producer.flush(20) == 0

    def warnings(self, city: str) -> list[dict[str, Any]]:
        found = [json.loads(one.value) for one in self.on(self.topics.city(city))]
        return [one for one in found if one["type"] == "warning"]

    def levels(self, city: str = "ava") -> list[str]:
        return [one["level"] for one in self.warnings(city)]

    def repeated(self) -> set[str]:
        """The cities that were reminded."""
        topics = {self.topics.city(city): city for city in CITIES}
        return {topics[one.topic] for one in self.on(*topics) if dict(one.headers).get("ce_escalation") == b"reminded"}

    def suspect(self) -> int:
        """Partitions that say that they are time suspect."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(float(next(line.split()[-1] for line in lines if line.startswith("tocsin_time_suspect_partitions "))))

    def unharmed(self) -> None:
        """Nothing was refused, diverted, silent, over or gone up."""
        assert [one.value for one in self.on(self.topics.rejected)] == []
        assert self.on(self.topics.warnings_late) == []
        assert self.on(self.topics.station_health) == []
        assert {one["reason"] for city in CITIES for one in self.warnings(city)} <= {"first", "worse", "earlier", "later", "surer"}
        assert {one["msg_type"] for city in CITIES for one in self.warnings(city)} <= {"alert", "update"}
        assert self.repeated() == set()


@pytest.fixture
def clock(tmp_path: Path) -> FakedTime:
    return FakedTime(tmp_path / "clock")


@pytest.fixture
def faked_broker(clock: FakedTime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with monkeypatch.context() as patched:
        for name, value in clock.env.items():
            patched.setenv(name, value)
        made = Broker.start(tmp_path / "broker")
    with made:
        yield made


def raises_through(lane: River, clock: FakedTime) -> None:
    """Step by step the water rises, each time under another clock; every rise is told at once, with the right time."""
    lane.measure(time.time(), upper=1.0, middle=1.0, lower=1.0)
    lane.until(lambda: lane.on(lane.topics.city("cam")))
    for offset_s, value, level in ((0, 2.5, "blue"), (DAY_S, 3.5, "yellow"), (0, 4.5, "orange"), (-DAY_S, 5.5, "red")):
        clock.set(offset_s)
        began = time.time()
        lane.measure(began, upper=value)
        lane.until(lambda level=level: level in lane.levels())
        told = lane.warnings("ava")[-1]
        assert abs(datetime.fromisoformat(told["sent_at"]).timestamp() - began) < 20, (offset_s, told["sent_at"])
        lane.until(lambda offset_s=offset_s: (lane.suspect() > 0) == (offset_s != 0))
        time.sleep(2.0)  # a few ticks and marks under this clock
        lane.unharmed()
    clock.set(0)
    lane.until(lambda: lane.suspect() == 0)
    time.sleep(2.0)
    lane.unharmed()
    assert lane.levels() == ["blue", "yellow", "orange", "red"]
    ticks = [tick for one in lane.on(lane.topics.journal) if isinstance(tick := decode(one.value), Tick)]
    assert 0 <= time.time() * 1000 - ticks[-1].doors_written_at < MINUTE, "marks are of this time again, not of tomorrow"
    assert 0 <= time.time() * 1000 - ticks[-1].acknowledgements_written_at < MINUTE
    log = lane.log("worker")
    assert "time suspect" in log
    assert "clocks agree again" in log


def test_a_brokers_clock_a_day_ahead_back_and_a_day_behind_harms_nothing(
    clock: FakedTime, faked_broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    lane = River(faked_broker, fresh_prefix, tmp_path)
    try:
        lane.launch("worker")
        lane.launch("intake")
        raises_through(lane, clock)
    finally:
        lane.stop()


def test_a_workers_clock_a_day_ahead_back_and_a_day_behind_harms_nothing(
    clock: FakedTime, broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    lane = River(broker, fresh_prefix, tmp_path)
    try:
        lane.launch("worker", clock.env)
        lane.launch("intake")
        raises_through(lane, clock)
    finally:
        lane.stop()


def test_after_three_hours_without_a_worker_only_what_the_data_say_is_silent_and_only_who_did_not_answer_is_reminded(
    clock: FakedTime, faked_broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    lane = River(faked_broker, fresh_prefix, tmp_path)
    try:
        worker = lane.launch("worker", clock.env)
        lane.launch("intake", clock.env)
        lane.measure(clock.now(), upper=1.0, middle=1.0, lower=1.0)
        lane.measure(clock.now() + 0.5, upper=4.5)
        warned = {city: lane.until(lambda city=city: lane.warning(city)) for city in CITIES}
        time.sleep(2.0)
        worker.terminate()
        assert worker.wait(30) == 0

        before = {city: len(lane.warnings(city)) for city in CITIES}
        for minutes in range(8, 181, 8):
            clock.set(minutes * 60)
            lane.measure(clock.now(), upper=4.5, middle=1.0, **({"lower": 1.0} if minutes < 60 else {}))
            if minutes == 8:
                for city in ("ava", "bor"):
                    lane.write(
                        city, json.dumps({"warning_id": warned[city]["warning_id"], "revision": 1, "action": "seen", "by": "li"}).encode()
                    )
                lane.until(lambda: len(lane.journalled()) == 2)
        clock.set(3 * HOUR_S)
        lane.launch("worker", {"TOCSIN_TESTS_AHEAD_S": str(3 * HOUR_S)}, module="tests.chaos.shifted")
        lane.until(lane.repeated)
        lane.until(lambda: lane.on(lane.topics.station_health))
        lane.measure(clock.now(), upper=5.5)
        lane.until(lambda: "red" in lane.levels())
        time.sleep(3.0)

        assert lane.repeated() == {"cam"}, "who answered while nobody listened is not reminded"
        silent = [json.loads(one.value) for one in lane.on(lane.topics.station_health)]
        assert [(one["series"], one["state"]) for one in silent] == [("lower/stage", "silent")]
        since = {city: [one for one in lane.warnings(city)[before[city] :] if one["revision"] > 1] for city in CITIES}
        assert {one["msg_type"] for city in CITIES for one in since[city]} == {"update"}
        assert {one["reason"] for city in CITIES for one in since[city]} <= {"extended", "worse", "earlier", "later", "surer"}
        red = [one for one in since["ava"] if one["level"] == "red"]
        assert abs(datetime.fromisoformat(red[0]["sent_at"]).timestamp() - clock.now()) < 30
        assert all(b"red" not in one.value for one in lane.on(lane.topics.warnings_late))
        assert lane.suspect() == 0
        assert "time suspect" not in lane.log("worker")
        assert [one.value for one in lane.on(lane.topics.rejected)] == []
    finally:
        lane.stop()
