"""From four journal partitions to six, on processes, in the middle of floods: nobody hears an all clear, nothing is lost, numbering goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from stream.cli.main import app
from stream.records.journal import Acknowledgement, Measurements, columns
from stream.region.load import load
from stream.review import archive_replay
from stream.review.archive import opened
from stream.runtime import generations
from stream.runtime.generations import Generation
from stream.runtime.topic_admin import create
from stream.runtime.topics import REJECTED_PARTITIONS, Topics, plan
from tests.chaos.rivers import CITIES, PRODUCT, gauges, rivers, set_up_rivers
from tests.chaos.traffic import Traffic
from tests.runtime.lane import ROOT, Worker, door_producer, messages, read_all, toy_settings
from tests.runtime.lane import journal_entries as entries_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
NEW = 6


def options(settings: Settings, folder: Path) -> list[str]:
    file = folder / f"lane-{settings.generation}.toml"
    names = ("bootstrap", "prefix", "partitions", "journal_partitions", "generation", "tick_s", "session_timeout_s", "request_timeout_s")
    told = {name: getattr(settings, name) for name in names}
    file.write_text('lane = "test"\n' + "".join(f"{name} = {json.dumps(value)}\n" for name, value in told.items()), "utf-8")
    return ["--settings", str(file)]


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done.output


class Intake:
    def __init__(self, given: list[str], log: Path) -> None:
        self._log, self._file = log.open("ab"), log
        self._from = log.stat().st_size
        command = [sys.executable, "-m", "stream.cli.main", "intake", *given]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log)

    def wait_ready(self) -> None:
        until = time.monotonic() + 60
        while b"ready topics=" not in self._file.read_bytes()[self._from :]:
            assert self.process.poll() is None, self._file.read_text("utf-8")[-2000:]
            assert time.monotonic() < until
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self._log.close()


def told(settings: Settings, city: str) -> list[dict[str, Any]]:
    (records,) = read_all(settings.bootstrap, Topics(settings.prefix).city(city))
    return [json.loads(one.value()) for one in records if b"warning_id" in one.value()]


def open_warnings(settings: Settings) -> dict[str, dict[str, Any]]:
    """The newest revision of every warning that has not ended, by its id."""
    newest = {one["warning_id"]: one for city in CITIES for one in told(settings, city)}
    return {name: one for name, one in newest.items() if one["msg_type"] in {"alert", "update"}}


@pytest.fixture
def processes() -> Iterator[list[Any]]:
    """What a test started; nothing of it stays behind."""
    made: list[Any] = []
    yield made
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait(10)


def test_four_journal_partitions_become_six_while_warnings_stand(
    broker: Broker, fresh_prefix: str, tmp_path: Path, processes: list[Any]
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=20.0, request_timeout_s=20.0)
    wider = replace(settings, generation=2, journal_partitions=NEW)
    old, new, archive = options(settings, tmp_path), options(wider, tmp_path), str(tmp_path / "archive")
    set_up_rivers(settings, rivers())
    worker = Worker(settings, tmp_path / "w1.log", module=PRODUCT)
    intake = Intake(old, tmp_path / "intake.log")
    processes += [worker, intake]
    worker.wait_ready()
    intake.wait_ready()
    with Traffic(settings, gauges(Topics(fresh_prefix), settings.partitions), 0.2) as traffic:
        time.sleep(6)
        assert run("rebuild", "--check", *old).count(" equal; running ") == 4
        assert "w1 still run: stop all workers" in run("rebuild", "--partitions", str(NEW), *old, code=1)
        run("archive", "--out", archive, *old)
        assert (worker.stop(), intake.stop()) == (0, 0), worker.tail()
        stood = open_warnings(settings)
        answered = answer(settings, stood)
        began = time.monotonic()
        assert "generation 2: 8 domains went over to 6 journal partitions" in run("rebuild", "--partitions", str(NEW), *old)
        print(f"\n{len(stood)} warnings stood; a new generation took {time.monotonic() - began:.1f} s")
        run("archive", "--out", str(tmp_path / "first"), *old)
        first = said(settings)
        assert first == replayed(tmp_path / "first"), "the old journal is decided to its very end, and all that follows is said"
        assert all(first.values())
        refused = Worker(settings, tmp_path / "old.log", module=PRODUCT)
        processes.append(refused)
        assert refused.process.wait(30) == 70
        assert "set generation = 2 and journal_partitions = 6" in refused.tail()
        refused.kill()
        worker = Worker(wider, tmp_path / "w1.log", module=PRODUCT)
        intake = Intake(new, tmp_path / "intake.log")
        processes += [worker, intake]
        worker.wait_ready()
        intake.wait_ready()
        time.sleep(5)
        assert run("rebuild", "--check", *new).count(" equal; running ") == NEW
    time.sleep(4)
    assert (worker.stop(), intake.stop()) == (0, 0), worker.tail()
    run("archive", "--out", archive, *old)
    run("archive", "--out", archive, *new)
    assert "nothing is missing or altered" in run("archive", "--out", archive, "--verify")
    numbering(settings, stood)
    nothing_lost(settings, wider, traffic, answered)
    says_the_same(settings, first, tmp_path)


def test_what_was_broken_off_is_given_up_and_can_be_made_again(
    broker: Broker, fresh_prefix: str, tmp_path: Path, processes: list[Any]
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=12.0, request_timeout_s=12.0)
    old = options(settings, tmp_path)
    set_up_rivers(settings, rivers())

    def worker() -> Worker:
        processes.append(Worker(settings, tmp_path / "w1.log", module=PRODUCT))
        processes[-1].wait_ready()
        return processes[-1]

    first = worker()
    with Traffic(settings, gauges(Topics(fresh_prefix), settings.partitions), 0.2):
        time.sleep(4)
    assert first.stop() == 0
    command = [sys.executable, "-m", "stream.cli.main", "rebuild", "--partitions", str(NEW), *old]
    env = {**os.environ, "TOCSIN_FAILPOINT": "rebuild_written=kill"}
    assert subprocess.run(command, cwd=ROOT, env=env, check=False, timeout=120).returncode == -signal.SIGKILL
    refused = Worker(settings, tmp_path / "refused.log", module=PRODUCT)
    processes.append(refused)
    assert refused.process.wait(60) == 70
    assert "generation 2 of the journal is being made, or that was broken off" in refused.tail()
    refused.kill()
    assert "generation 1 counts again" in run("rebuild", "--abandon", *old)
    assert "nothing to give up" in run("rebuild", "--abandon", *old, code=1)
    again = worker()
    assert run("rebuild", "--check", *old).count(" equal; running ") == settings.partitions
    assert again.stop() == 0
    assert "generation 2: 8 domains went over to 6 journal partitions" in run("rebuild", "--partitions", str(NEW), *old)


def test_only_the_settings_from_before_give_up_what_was_begun(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    create(settings.cluster, plan(settings, ()))
    asyncio.run(generations.publish(settings, Generation(2, NEW, ready=False)))
    later = options(replace(settings, generation=2, journal_partitions=NEW), tmp_path)
    assert "set generation = 1" in run("rebuild", "--abandon", *later, code=1)
    (tmp_path / "wide").mkdir()
    wide = options(replace(settings, journal_partitions=NEW), tmp_path / "wide")
    assert "journal has 4 partitions, these settings say 6: set journal_partitions = 4" in run("rebuild", "--abandon", *wide, code=1)
    run("rebuild", "--abandon", *options(settings, tmp_path))
    assert asyncio.run(generations.read(settings)) == Generation(1, settings.partitions)


def answer(settings: Settings, stood: dict[str, dict[str, Any]]) -> tuple[str, int]:
    """A city answers while nobody reads it."""
    one = next(iter(stood.values()))
    said = {
        "warning_id": one["warning_id"],
        "revision": one["revision"],
        "by": "duty officer",
        "action": "accepted",
    }
    producer = door_producer(settings)
    producer.produce(Topics(settings.prefix).acknowledgements(one["city_id"]), json.dumps(said).encode(), partition=0)
    assert producer.flush(10) == 0
    return one["warning_id"], one["revision"]


def numbering(settings: Settings, stood: dict[str, dict[str, Any]]) -> None:
    """Revisions rise without a gap in every city, and what stood was gone on with."""
    seen: Counter[str] = Counter()
    for city in CITIES:
        values: dict[str, list[int]] = {}
        for one in told(settings, city):
            values.setdefault(one["warning_id"], []).append(one["revision"])
        for name, revisions in values.items():
            assert list(dict.fromkeys(revisions)) == list(range(1, max(revisions) + 1)), (city, name, revisions)
            seen[name] = max(revisions)
    assert stood
    assert all(seen[name] >= one["revision"] for name, one in stood.items())
    assert any(seen[name] > one["revision"] for name, one in stood.items())


def nothing_lost(settings: Settings, wider: Settings, traffic: Traffic, answered: tuple[str, int]) -> None:
    ids = load(rivers()).series.ids
    before = [one for some in entries_of(settings.bootstrap, settings.prefix, 4) for one in messages(some)]
    records = read_all(settings.bootstrap, Topics.of(wider).journal, NEW)
    after = [one for some in records for one in messages([decoded(record) for record in some])]
    found = {item for one in (*before, *after) if isinstance(one, Measurements) for item in items(one, ids)}
    refused = {one.value() for some in read_all(settings.bootstrap, Topics(settings.prefix).rejected, REJECTED_PARTITIONS) for one in some}
    assert traffic.failed == 0
    assert traffic.acknowledged <= found | refused
    assert answered in {(one.warning_id, one.revision) for one in after if isinstance(one, Acknowledgement)}


def decoded(record: Any) -> Any:
    from stream.records.journal import Entry

    return Entry(record.offset(), record.timestamp()[1], record.value())


def items(one: Measurements, ids: Any) -> list[tuple[str, int]]:
    arrays = columns(one)
    return [(ids[row], int(at)) for row, at in zip(arrays.rows.tolist(), arrays.observed_at.tolist(), strict=True)]


def said(settings: Settings) -> dict[str, list[bytes]]:
    """What stands on each city's topic, repetitions left out."""
    topics = Topics(settings.prefix)
    return {city: list(dict.fromkeys(one.value() for one in read_all(settings.bootstrap, topics.city(city))[0])) for city in CITIES}


def replayed(folder: Path) -> dict[str, list[bytes]]:
    """What an archive says to each city."""
    found: dict[str, dict[bytes, None]] = {city: {} for city in CITIES}
    for output in archive_replay.decide(opened(folder)):
        if output.kind == "city":
            found[output.city_id][output.value or b""] = None
    return {city: list(values) for city, values in found.items()}


def says_the_same(settings: Settings, first: dict[str, list[bytes]], folder: Path) -> None:
    """The archive of both generations, replayed, says what stands on the cities' topics, byte for byte: in the old one, then in the new one."""
    found, again = said(settings), replayed(folder / "archive")
    for city in CITIES:
        # Ticks that were written while the last worker stopped may say something more.
        assert found[city] == again[city][: len(found[city])], city
        assert len(again[city]) - len(found[city]) <= 2
        assert found[city][: len(first[city])] == first[city]
    assert sum(map(len, found.values())) > sum(map(len, first.values()))
