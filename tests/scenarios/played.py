"""A history played through the whole service: a lane of its own on a real broker, a real worker process, the product's own commands."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from typer.testing import CliRunner

from stream.cli.main import app
from stream.cluster import Cluster
from stream.records.journal import Measurements, decode
from stream.records.output import Kind
from stream.region.administrations import recipients
from stream.region.load import load_folder
from stream.review import journal_file
from stream.runtime import feeding
from stream.runtime.ending import ExitCode
from stream.runtime.follow import consumer
from stream.runtime.follow import partitions as partitions_of
from stream.runtime.topics import Topics
from stream.settings import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stream.region.model import Region
    from stream.settings import Settings

ROOT = Path(__file__).parents[2]
STARTS_MOST = 3
STOP_S = 30.0


class Place(NamedTuple):
    """Where an output stands: its kind, and the city for what stands on a city's own topic."""

    kind: str
    city_id: str


class Stands(NamedTuple):
    """One record as it stands on a topic."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Played:
    """What a history came to: the recorded journal, and everything that stood on the topics when the worker had stopped."""

    settings: Settings
    folder: Path
    region: Region
    journal: Path
    topics: dict[Place, list[Stands]]
    seconds: float

    def told(self, kind: str) -> list[dict]:
        """The bodies of one kind of record, in topic order, repetitions dropped; of city topics the warnings only."""
        found = (body for place, records in self.topics.items() if place.kind == kind for body in _bodies(records))
        return [body for body in found if body.get("type", "warning") == "warning"]

    def warned(self) -> dict[str, list[dict]]:
        """Every city's warnings in the order in which they stand on its topic."""
        return {
            place.city_id: [body for body in _bodies(records) if body["type"] == "warning"]
            for place, records in self.topics.items()
            if place.kind == Kind.CITY
        }

    def journal_messages(self) -> int:
        """How many messages with measurements the journal holds: what the doors were cut into."""
        return sum(isinstance(decode(record.value), Measurements) for record in journal_file.read(self.journal))


def _bodies(records: Iterable[Stands]) -> list[dict]:
    return [json.loads(value) for value in dict.fromkeys(record.value for record in records) if value is not None]


def tocsin(*arguments: str) -> str:
    """Run a command of the product; its standard output."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, (arguments, done.output, done.exception)
    return done.stdout


@contextmanager
def worker_on(options: tuple[str, ...], log: Path) -> Iterator[None]:
    """A worker process, started again when it asks for it (exit code 75), as its supervisor would; it must stop cleanly at the end."""
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def supervise() -> None:
        with log.open("wb") as out:
            while len(running) <= STARTS_MOST and not stopping.is_set():
                command = [sys.executable, "-m", "stream.cli.main", "worker", *options]
                running.append(subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT))
                if running[-1].wait() != ExitCode.RESTART:
                    return

    supervisor = threading.Thread(target=supervise)
    supervisor.start()
    try:
        yield
    finally:
        stopping.set()
        while supervisor.is_alive():
            if running:
                running[-1].terminate()
            supervisor.join(STOP_S)
            if supervisor.is_alive() and running:
                running[-1].kill()
    assert running[-1].returncode == ExitCode.CLEAN, log.read_text("utf-8")


def play(place: tuple[str, str, Path], folder: Path, feed: Path, *, partitions: int, batch: int = 500) -> Played:
    """Activate the region, feed the file at full speed, wait until all is decided, stop the worker. `place`: bootstrap, prefix, work folder."""
    bootstrap, prefix, work = place
    lane = work / "lane.toml"
    lane.write_text(
        f'bootstrap = "{bootstrap}"\nprefix = "{prefix}"\nlane = "test"\nclock = "observed"\npartitions = {partitions}\n', "utf-8"
    )
    options, settings = ("--settings", str(lane)), load(lane)
    began = time.monotonic()
    tocsin("region", "activate", str(folder), *options)
    with worker_on(options, work / "worker.log"):
        tocsin("feed", str(folder), str(feed), "--batch", str(batch), *options)
        asyncio.run(feeding.await_read(settings, [Topics(prefix).journal]))
    seconds = time.monotonic() - began
    tocsin("journal", "save", "--out", str(work / "journal.bin"), *options)
    region = load_folder(folder)
    return Played(settings, folder, region, work / "journal.bin", on_topics(settings, region), seconds)


def on_topics(settings: Settings, region: Region) -> dict[Place, list[Stands]]:
    """Everything on the topics of the lane that people read, by place, in topic order. Nothing was refused, nothing was late."""
    topics = Topics(settings.prefix)
    places = {
        topics.warnings: Place(Kind.WARNINGS, ""),
        topics.city_status: Place(Kind.CITY_STATUS, ""),
        topics.incidents: Place(Kind.INCIDENTS, ""),
        topics.evidence: Place(Kind.EVIDENCE, ""),
        topics.station_health: Place(Kind.STATION_HEALTH, ""),
        topics.postures: Place(Kind.POSTURES, ""),
        topics.discrepancies: Place(Kind.DISCREPANCIES, ""),
        topics.rejected: Place("rejected", ""),
        topics.audit: Place(Kind.AUDIT, ""),
        topics.warnings_late: Place("late", ""),
        **{topics.city(one): Place(Kind.CITY, one) for one in recipients(region)},
    }
    found: dict[Place, list[Stands]] = {place: [] for place in places.values()}

    asyncio.run(_read(settings.bootstrap, places, found))
    for records in found.values():
        records.sort(key=lambda one: (one.partition, one.offset))
    assert found.pop(Place("rejected", "")) == []
    assert found.pop(Place(Kind.AUDIT, "")) == []
    assert found.pop(Place("late", "")) == []
    return found


async def _read(bootstrap: str, places: dict[str, Place], found: dict[Place, list[Stands]]) -> None:
    """Read every topic up to its end; a plain consumer, because what the product reads with does not keep headers."""
    async with consumer(Cluster(bootstrap)) as reader:
        assigned = await partitions_of(Cluster(bootstrap), reader, list(places))
        reader.assign(assigned)
        begins, ends = await asyncio.gather(reader.beginning_offsets(assigned), reader.end_offsets(assigned))
        for partition, offset in begins.items():
            reader.seek(partition, offset)
        while any([await reader.position(partition) < end for partition, end in ends.items()]):
            for partition, records in (await reader.getmany(timeout_ms=200)).items():
                found[places[partition.topic]] += [
                    Stands(one.partition, one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in records
                ]
