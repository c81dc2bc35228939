"""A lane with a worker and intake, a flood at its upper gauge, and three cities that may answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner

from stream.cli.main import app
from stream.records.journal import Acknowledgement as Journalled
from stream.records.journal import decode
from stream.runtime.topics import Topics
from tests.decide.conftest import FILES
from tests.gateways.http_lane import lane_settings, set_up
from tests.gateways.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stream.runtime.broker import Broker
    from stream.settings import Settings

ROOT = Path(__file__).parents[2]
WAIT_S = 60
runner = CliRunner()


def run(*arguments: str) -> str:
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


class LaneOfAnswers:
    """A live-timed lane with a worker; intake is started and killed by the test."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.bootstrap, self.topics, self.folder = bootstrap, Topics(prefix), folder
        file = folder / "lane.toml"
        # A machine that runs many tests at once lets a process stand still for seconds.
        own = "partitions = 2\ntick_s = 0.5\nsession_timeout_s = 20.0\n"
        file.write_text(f'bootstrap = "{bootstrap}"\nprefix = "{prefix}"\nlane = "test"\n{own}', "utf-8")
        self.options = ["--settings", str(file)]
        self.running: list[subprocess.Popen[bytes]] = []
        self.shared = (self.topics.journal, self.topics.discrepancies, self.topics.station_health)

    def start(self, command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{command}.log").open("ab") as log:
            one = subprocess.Popen([sys.executable, "-m", "stream.cli.main", command, *self.options], stdout=log, stderr=log, cwd=ROOT)
        self.running.append(one)
        return one

    def stop(self) -> None:
        """End what was started."""
        for one in self.running:
            one.terminate()
        for one in self.running:
            one.wait(30)

    def log(self, command: str) -> str:
        return (self.folder / f"{command}.log").read_text("utf-8")

    def on(self, *names: str) -> list[Any]:
        """Everything on these topics, with headers."""

        async def everything() -> list[Any]:
            reader = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
            await reader.start()
            try:
                known = [
                    TopicPartition(name, number)
                    for name in names
                    for number in range(4 if name == self.topics.rejected else 2 if name in self.shared else 1)
                ]
                reader.assign(known)
                ends = await reader.end_offsets(known)
                for one in known:
                    reader.seek(one, 0)
                found = []
                while any([await reader.position(one) < ends[one] for one in known]):
                    for batch in (await reader.getmany(timeout_ms=200)).values():
                        found += batch
                return found
            finally:
                await reader.stop()

        return asyncio.run(everything())

    def until(self, look: Callable[[], Any]) -> Any:
        """What `look` gives once it is something."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            if found := look():
                return found
            time.sleep(0.2)
        raise AssertionError(self.log("worker") + (self.log("intake") if (self.folder / "intake.log").exists() else ""))

    def journalled(self) -> list[Journalled]:
        return [made for one in self.on(self.topics.journal) if isinstance(made := decode(one.value), Journalled)]

    def warning(self, city: str) -> dict[str, Any] | None:
        found = [json.loads(one.value) for one in self.on(self.topics.city(city))]
        return next((one for one in found if one["type"] == "warning"), None)

    def write(self, city: str, *values: bytes) -> None:
        async def send() -> None:
            sender = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
            await sender.start()
            for value in values:
                await sender.send_and_wait(self.topics.acknowledgements(city), value)
            await sender.stop()

        asyncio.run(send())


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of its own, as it is shipped."""
    one = Mosquitto(tmp_path / "mosquitto")
    yield one
    one.stop()


@pytest.fixture
async def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Settings:
    """A lane with the small river active, which lies in the folder `region`."""
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "region")
    return settings


@pytest.fixture
def answers(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[LaneOfAnswers]:
    """A flood at the upper gauge of the small river, on a lane with a worker; an orange warning has to be answered within 20 seconds."""
    folder = tmp_path / "rill"
    files = FILES | {"hazards/flood.toml": FILES["hazards/flood.toml"].replace("[rules]\n", "[rules]\nacknowledge_orange_s = 20\n")}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    lane = LaneOfAnswers(broker.bootstrap, fresh_prefix, tmp_path)
    run("region", "activate", str(folder), *lane.options)
    lane.start("worker")
    try:
        lane.until(lambda: "ready generation" in lane.log("worker"))
        observed_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        (tmp_path / "now.csv").write_text(f"series,observed_at,value\nupper/stage,{observed_at},4.5\n", "utf-8")
        run("feed", str(folder), str(tmp_path / "now.csv"), *lane.options)
        yield lane
    finally:
        lane.stop()
