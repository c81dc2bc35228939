"""Through a real broker: history handed in by bulk is in the journal, late, and told to nobody; killed in the middle it loses nothing."""

from __future__ import annotations

import asyncio
import csv
import signal
import time
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from stream.records.instants import HOUR, to_text
from stream.records.journal import Flag, Measurements, columns, decode
from stream.runtime.ports import free_ports
from tests.decide.conftest import FILES
from tests.gateways.conftest import LaneOfAnswers, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

CITIES = ("ava", "bor", "cam")


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[LaneOfAnswers]:
    """The small river with a worker that has decided nothing yet."""
    folder = tmp_path / "rill"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    one = LaneOfAnswers(broker.bootstrap, fresh_prefix, tmp_path)
    one.shared = (*one.shared, *one.topics.backfill)  # type: ignore[assignment]
    run("region", "activate", str(folder), *one.options)
    one.start("worker")
    try:
        one.until(lambda: "ready generation" in one.log("worker"))
        yield one
    finally:
        one.stop()


def history(lane: LaneOfAnswers, hours: int, until_h: int = 30) -> set[tuple[str, int]]:
    """A year-old flood and what came after it at three gauges, handed in by `tocsin feed --history`; what is of no gauge, too."""
    now = int(time.time()) * 1000 // HOUR * HOUR
    stations = ("upper", "middle", "lower")
    asked = {(station, now - ago * HOUR) for ago in range(until_h + hours, until_h, -1) for station in stations}
    with (lane.folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["series", "observed_at", "value"])
        for station, at in sorted(asked, key=lambda one: one[1]):
            rows.writerow([f"{station}/stage", to_text(at), 5.5 if (now - at) // HOUR > until_h + hours // 2 else 1.0])
        rows.writerow(["upper/stage", to_text(now + 30 * 24 * HOUR), 1.0])
    run("feed", str(lane.folder / "rill"), str(lane.folder / "history.csv"), "--history", *lane.options)
    return asked


def journalled(lane: LaneOfAnswers) -> Counter[tuple[str, int]]:
    names = ("upper", "middle", "lower")  # as they stand in stations.csv
    found: Counter[tuple[str, int]] = Counter()
    for record in lane.on(lane.topics.journal):
        message = decode(record.value)
        if isinstance(message, Measurements):
            read = columns(message)
            assert all(read.flags & Flag.LATE)
            found.update((names[row], at) for row, at in zip(read.rows.tolist(), read.observed_at.tolist(), strict=True))
    return found


def write(lane: LaneOfAnswers, topic: str, value: bytes) -> None:
    async def send() -> None:
        sender = AIOKafkaProducer(bootstrap_servers=lane.bootstrap)
        await sender.start()
        await sender.send_and_wait(topic, value)
        await sender.stop()

    asyncio.run(send())


def warned(lane: LaneOfAnswers) -> list[str]:
    return [city for city in CITIES if lane.warning(city) is not None]


def shown(port: int) -> dict[str, float]:
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("tocsin_backfill")}


@pytest.mark.kafka
@pytest.mark.slow
def test_history_is_in_the_journal_once_and_late_and_nobody_is_told(lane: LaneOfAnswers) -> None:
    (port,) = free_ports("127.0.0.1")[:1]
    lane.options += ["--metrics-port", str(port)]
    lane.start("intake")
    lane.options = lane.options[:-2]
    asked = history(lane, 200)
    lane.until(lambda: journalled(lane).keys() >= asked)
    assert journalled(lane) == Counter(dict.fromkeys(asked, 1))
    (refused,) = lane.until(lambda: lane.on(lane.topics.rejected))
    assert dict(refused.headers)["reason"] == b"time_future"
    assert dict(refused.headers)["topic"] == lane.topics.backfill[0].encode()
    found = lane.until(lambda: shown(port) if shown(port)["tocsin_backfill_waiting_records"] == 0 else None)
    assert found['tocsin_backfill_accepted_total{door="water"}'] == len(asked)
    assert found['tocsin_backfill_rejected_total{door="water",reason="time_future"}'] == 1
    assert found["tocsin_backfill_oldest_timestamp_seconds"] == 0
    assert warned(lane) == []


@pytest.mark.kafka
@pytest.mark.slow
def test_a_killed_intake_loses_none_and_while_no_worker_runs_history_waits(lane: LaneOfAnswers, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = lane.running[0]
    monkeypatch.setenv("TOCSIN_FAILPOINT", "before_backfill_commit=kill:2")
    asked = history(lane, 400)
    for _ in range(2):
        assert lane.start("intake").wait(60) == -signal.SIGKILL
        assert 0 < len(journalled(lane)) < len(asked)
    monkeypatch.delenv("TOCSIN_FAILPOINT")
    lane.start("intake")
    lane.until(lambda: journalled(lane).keys() >= asked)
    assert journalled(lane).keys() == asked
    assert max(journalled(lane).values()) > 1, "what was not committed is written again"
    worker.terminate()
    worker.wait(30)
    write(lane, lane.topics.doors[0], b"{}")
    time.sleep(2)  # what is left of a window may be written; one begins only when the workers keep up
    before = sum(journalled(lane).values())
    more = history(lane, 20, until_h=1000)
    time.sleep(5)
    assert sum(journalled(lane).values()) == before
    lane.start("worker")
    lane.until(lambda: journalled(lane).keys() >= more)
    assert warned(lane) == []
