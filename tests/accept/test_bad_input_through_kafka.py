"""Broken messages of every kind, in the middle of good traffic, through a real broker and a real worker."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from confluent_kafka import Producer

from stream.records.instants import to_text
from stream.records.journal import Measurements, columns
from stream.records.warning import Lane
from stream.region.bundle import bundle
from stream.region.load import load
from stream.runtime.region_publish import publish
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from stream.settings import Settings
from tests.accept.corpus import Broken, Known, corpus
from tests.runtime.lane import Worker, journal_entries, messages, read_all

if TYPE_CHECKING:
    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
REGION = Path(__file__).parents[2] / "deploy" / "regions" / "example"
PER_S, LENGTH_S = 200, 12
DELAY_MORE_MS = 100
"""How much later good measurements may get into the journal because of bad ones between them (median and 95th percentile)."""


class Sent(NamedTuple):
    """What was sent: the broken ones with the place they got, and when each good value was appended to its door."""

    broken: dict[tuple[str, int, int], Broken]
    good_at: dict[float, int]


class Came(NamedTuple):
    """What came of it."""

    journal_at: dict[float, int]
    repeated: int
    rejected: list[Any]


def test_bad_messages_are_kept_with_their_reason_and_good_traffic_goes_on(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    folder = bundle(with_an_hour_that_came_twice(tmp_path / "example"))
    region = load(folder)
    settings = Settings(bootstrap=broker.bootstrap, prefix=fresh_prefix, lane=Lane.TEST, partitions=4)
    create(settings.cluster, plan(settings, [city.city_id for city in region.cities]))
    asyncio.run(publish(settings, folder))
    worker = Worker(settings, tmp_path / "worker.log", module="tests.accept.product_worker")
    try:
        worker.wait_ready()
        known = known_series(region, settings)
        send(settings, known, [], first=-1000.0, seconds=2)  # warm up: connections, caches
        clean = send(settings, known, [], first=0.0, seconds=LENGTH_S)
        mixed = send(settings, known, corpus(known), first=100_000.0, seconds=LENGTH_S)
        wanted = set(clean.good_at) | set(mixed.good_at) | {-2.0, -3.0}  # the last two stand beside a bad one in an array
        came = read_until(settings, wanted, len(mixed.broken))
        assert worker.process.poll() is None, worker.tail()
        assert worker.stop() == 0, worker.tail()
        assert worker.log.read_bytes().count(b"ready generation=") == 1
        assert b"Traceback" not in worker.log.read_bytes()
    finally:
        if worker.process.poll() is None:
            worker.kill()
    assert wanted - set(came.journal_at) == set()
    assert came.repeated == 0
    assert_all_kept(mixed.broken, came.rejected)
    before, after = delays(clean, came), delays(mixed, came)
    print(
        f"{len(mixed.broken)} kinds refused; door to journal ms (median, p99, max): alone {figures(before)}, with bad input {figures(after)}"
    )
    assert np.median(after) <= np.median(before) + DELAY_MORE_MS
    assert np.quantile(after, 0.95) <= np.quantile(before, 0.95) + DELAY_MORE_MS


def with_an_hour_that_came_twice(folder: Path) -> Path:
    """The shipped region in a zone that had summer time; its own is UTC, where no time is ambiguous."""
    shutil.copytree(REGION, folder)
    text = (folder / "region.toml").read_text("utf-8")
    assert 'timezone = "UTC"' in text
    (folder / "region.toml").write_text(text.replace('timezone = "UTC"', 'timezone = "Asia/Shanghai"'), "utf-8")
    return folder


def known_series(region: Any, settings: Settings) -> Known:
    """Series of the region that the corpus is about."""
    series = region.series
    families = [region.domains[number].families for number in series.domain]
    water = next(row for row, unit in enumerate(series.unit) if unit == "m" and "water" in families[row])
    air = next(row for row, unit in enumerate(series.unit) if unit == "ug/m3" and "air" in families[row])
    area = next(row for row, quantity in enumerate(series.quantity) if quantity == "cases")
    return Known(series.ids[water], "m", series.ids[air], series.station[area], int(time.time() * 1000), settings.door_bytes_max)


def send(settings: Settings, known: Known, broken: list[Broken], *, first: float, seconds: int) -> Sent:
    """Good measurements with the values first, first + 1, ... at an even rate, the broken ones spread among them; no key, no partition."""
    producer = Producer({"bootstrap.servers": settings.bootstrap, "linger.ms": 2})
    sent = Sent({}, {})
    door = Topics(settings.prefix).doors[0].removesuffix("water")
    count = PER_S * seconds
    chance = random.Random(7)
    # Several at a place, so that they meet in one batch of the worker.
    spots = [chance.randrange(count // 10, count) for _ in range(1 + len(broken) // 5)]
    places: dict[int, list[Broken]] = {}
    for one in broken:
        places.setdefault(chance.choice(spots), []).append(one)
    started = time.monotonic()
    for number in range(count):
        for one in places.get(number, []):
            producer.produce(f"{door}{one.door}", one.value, on_delivery=note_broken(sent, one))
        value = first + number
        message = {"series": known.water, "observed_at": to_text(int(time.time() * 1000)), "value": value, "unit": "m"}
        odd = {"key": b"\xff" * 5000, "headers": [("\u202e", b"\0" * 1000), ("x", None)]} if broken and number % 500 == 250 else {}
        producer.produce(f"{door}water", json.dumps(message).encode(), on_delivery=note_good(sent, value), **odd)
        producer.poll(0)
        time.sleep(max(0.0, started + number / PER_S - time.monotonic()))
    assert producer.flush(30) == 0
    assert len(sent.good_at) == count
    assert len(sent.broken) == len(broken)
    return sent


def note_good(sent: Sent, value: float) -> Any:
    def delivered(error: Any, message: Any) -> None:
        assert error is None, error
        sent.good_at[value] = message.timestamp()[1]

    return delivered


def note_broken(sent: Sent, broken: Broken) -> Any:
    def delivered(error: Any, message: Any) -> None:
        assert error is None, (broken.kind, error)
        sent.broken[(message.topic(), message.partition(), message.offset())] = broken

    return delivered


def read_until(settings: Settings, wanted: set[float], rejected: int) -> Came:
    """The journal and `rejected` once everything wanted is there (or after a minute)."""
    until = time.monotonic() + 60
    while True:
        journal: dict[float, int] = {}
        repeated = 0
        for entries in journal_entries(settings.bootstrap, settings.prefix, settings.partitions):
            for entry, message in zip(entries, messages(entries), strict=True):
                if isinstance(message, Measurements):
                    for value in columns(message).value.tolist():
                        repeated += value in wanted and value in journal
                        journal[value] = entry.timestamp
        refused = [record for records in read_all(settings.bootstrap, Topics(settings.prefix).rejected, 4) for record in records]
        if (wanted <= set(journal) and len(refused) >= rejected) or time.monotonic() > until:
            return Came(journal, repeated, refused)
        time.sleep(0.5)


def assert_all_kept(broken: dict[tuple[str, int, int], Broken], records: list[Any]) -> None:
    """One `rejected` record each, with reason, position and bytes; of case counts only reason and hash."""
    found = {}
    for record in records:
        headers = {name: value.decode() for name, value in record.headers()}
        place = (headers["topic"], int(headers["partition"]), int(headers["offset"]))
        assert place not in found, f"{broken.get(place)} was refused twice"
        found[place] = (record, headers)
    assert {broken[place].kind for place in broken if place not in found} == set()
    assert set(found) == set(broken)
    for place, one in broken.items():
        record, headers = found[place]
        assert headers["reason"] == one.reason, (one.kind, headers)
        assert headers["index"] == ("" if one.index is None else str(one.index)), one.kind
        assert record.key().decode() == "/".join([*map(str, place), headers["index"]])
        if one.index is None:
            assert headers["sha256"] == hashlib.sha256(one.value or b"").hexdigest(), one.kind
            assert record.value() == (None if one.door == "health" else one.value), one.kind
        else:
            assert record.value() in (one.value or b""), one.kind
            assert headers["sha256"] == hashlib.sha256(record.value()).hexdigest(), one.kind


def delays(sent: Sent, came: Came) -> np.ndarray:
    return np.array([came.journal_at[value] - appended_at for value, appended_at in sent.good_at.items()])


def figures(delays_ms: np.ndarray) -> str:
    return f"{np.median(delays_ms):.0f}, {np.quantile(delays_ms, 0.99):.0f}, {delays_ms.max():.0f}"
