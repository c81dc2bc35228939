"""A region changes under load: a station and a city are added while one of three workers stands still for longer than its session; then a
station of every river, the first of them in flood, moves to another domain in another partition, while one worker goes on late and two are killed.

`python -m tests.chaos.region_change --rate 5000` prints what became of the load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.fold import Fold
from stream.records.journal import ForwardedMeasurements, Measurements, columns, decode, partition_of
from stream.region.bundle import Bundle, region_hash
from stream.region.load import load as load_region
from stream.runtime.broker import Broker
from stream.runtime.region_publish import publish
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from tests.chaos.compare import Verdict, compare
from tests.chaos.processes import Supervisor
from tests.chaos.rivers import CITIES, PRODUCT, RIVERS, rivers, set_up_rivers
from tests.chaos.under_load import ALLOWED_S, Found, Load, await_journal, check, item_of, waves
from tests.runtime.lane import journal_entries, toy_settings

if TYPE_CHECKING:
    from stream.settings import Settings

WORKERS = ("w1", "w2", "w3")
STEADY, NEW = "r0g0", "extra"
HOLD_S, PAUSE_S = 4.0, 1.2
"""The pause is shorter than half a session: whoever stood still for so long goes on with what it knew."""


class Size(NamedTuple):
    """How much: measurements a second, seconds before, between and after the changes, and of a river's wave."""

    rate: float = 500.0
    settle_s: float = 6.0
    period_s: float = 24.0
    flood_s: float = 10.0


class Outcome(NamedTuple):
    """What became of the load; of all records, against the replay of the journal; measurements sent on; exit codes of workers that ended by themselves."""

    found: Found
    verdict: Verdict
    forwarded: int
    ended: dict[int, int]

    def __str__(self) -> str:
        return f"{self.found}; {self.forwarded} sent on to another domain; replay: {self.verdict}; workers that ended by themselves: {self.ended}"


def _again(bundle: Bundle, stations: str, cities: str | None = None) -> Bundle:
    content = {**bundle.files, "stations.csv": stations.encode()}
    if cities is not None:
        content["cities.geojson"] = cities.encode()
    return Bundle(bundle.name, region_hash(content), content)


def grown(bundle: Bundle) -> Bundle:
    """The region with one more city and its station, before all others, so that every row is another one."""
    head, *lines = bundle.files["stations.csv"].decode().splitlines()
    cities = json.loads(bundle.files["cities.geojson"])
    place = {"id": NEW, "name_zh": NEW, "name_en": NEW, "level": "city", "radius_km": 5}
    cities["features"].append({"type": "Feature", "geometry": {"type": "Point", "coordinates": [120, 30]}, "properties": place})
    return _again(bundle, "\n".join([head, f"{NEW},stage,river0,m,{NEW},30,120,,,2,UTC,2,3,4,5", *lines]) + "\n", json.dumps(cities))


def moved(bundle: Bundle, partitions: int) -> Bundle:
    """The region with the first station of every river in the next domain that is in another partition."""
    stations, of = bundle.files["stations.csv"].decode(), [partition_of(f"river{number}", partitions) for number in range(RIVERS)]
    for river in range(RIVERS):
        there = next(one % RIVERS for one in range(river + 1, river + RIVERS) if of[one % RIVERS] != of[river])
        stations = stations.replace(f"r{river}g0,stage,river{river},", f"r{river}g0,stage,river{there},")
    return _again(bundle, stations)


def activate(settings: Settings, bundle: Bundle) -> None:
    create(settings.cluster, plan(settings, [*CITIES, NEW]))
    asyncio.run(publish(settings, bundle))


def grow_with_one_stopped(settings: Settings, workers: Supervisor, bundle: Bundle) -> None:
    stopped = workers.process("w2")
    stopped.send_signal(signal.SIGSTOP)
    activate(settings, bundle)
    time.sleep(settings.session_timeout_s + 2)
    stopped.send_signal(signal.SIGCONT)
    for name in WORKERS:
        workers.wait_ready(name)


def move_with_owners_killed(settings: Settings, workers: Supervisor, bundle: Bundle) -> None:
    late = workers.process("w2")
    late.send_signal(signal.SIGSTOP)
    activate(settings, bundle)
    time.sleep(PAUSE_S)
    late.send_signal(signal.SIGCONT)
    for name in ("w1", "w3"):
        workers.kill(name)
        time.sleep(0.3)
    for name in WORKERS:
        workers.wait_ready(name)


def run(settings: Settings, folder: Path, size: Size) -> Outcome:
    """Both changes under load, and what became of it."""
    first = rivers(spreading=False)
    second = grown(first)
    bundles = [first, second, moved(second, settings.partitions)]
    set_up_rivers(settings, first)
    workers = Supervisor(settings, folder, PRODUCT)
    try:
        for name in WORKERS:
            workers.start(name)
        for name in WORKERS:
            workers.wait_ready(name)
        with Load(settings, size.rate, waves(size.period_s, size.flood_s, steady=frozenset({CITIES.index(STEADY)}))) as load:
            time.sleep(size.settle_s)
            grow_with_one_stopped(settings, workers, bundles[1])
            time.sleep(size.settle_s)
            move_with_owners_killed(settings, workers, bundles[2])
            time.sleep(size.settle_s + HOLD_S)
        await_journal(settings, load, bundles)
        time.sleep(HOLD_S + 2)
        ended = dict(workers.ended)
    finally:
        codes = workers.stop()
    assert set(codes.values()) == {0}, workers.tails()
    return Outcome(check(settings, load, bundles), _replayed(settings, load, bundles), _forwarded(settings), ended)


def _replayed(settings: Settings, load: Load, bundles: list[Bundle]) -> Verdict:
    """Everything that was said, and the states, against the journal decided again in one process."""
    regions = {one.region_hash: load_region(one) for one in bundles}

    def item(message: Measurements, index: int) -> int:
        arrays = columns(message)
        station = regions[message.region_hash].series.ids[arrays.rows[index]].partition("/")[0]
        return item_of(CITIES.index(station), int(arrays.observed_at[index]))

    fold = Fold(regions.__getitem__, lane=settings.lane, clock=settings.clock, partitions=settings.partitions)
    return compare(settings, fold, set(load.acknowledged), [*CITIES, NEW], item)


def _forwarded(settings: Settings) -> int:
    journal = journal_entries(settings.bootstrap, settings.prefix, settings.partitions)
    sent = (message for entries in journal for one in entries if isinstance(message := decode(one.value), ForwardedMeasurements))
    return sum(len(message.flags) for message in sent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5000.0)
    parser.add_argument("--settle", type=float, default=15.0, help="Seconds before, between and after the changes.")
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--session", type=float, default=6.0, help="Session timeout in seconds.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Broker.start(Path(name) / "broker") as broker:
        settings = toy_settings(broker.bootstrap, "test.region.", partitions=given.partitions, session_timeout_s=given.session)
        outcome = run(settings, Path(name), Size(given.rate, given.settle, 36.0, 14.0))
        print(f"region change: {outcome}")
    in_time = outcome.found.slowest_s < given.session + ALLOWED_S
    return 0 if in_time and outcome.found.clean and outcome.verdict.clean else 1


if __name__ == "__main__":
    sys.exit(main())
