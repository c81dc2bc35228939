"""How much later live warnings come while a bulk of history is handed in: `python tests/benchmarks/backfill.py [--small] [--out FOLDER]`.

The same live traffic three times, as in `latency.py` (door to city, warnings that are due): alone; beside a bulk of history at its own doors,
read by `tocsin intake`; and, to see what those doors are for, with the same bulk through the live doors. The bulk is handed in as fast as the
broker takes it, from the moment the live traffic begins: records of an array each, of the same stations, ending two days ago. Everything runs on
this machine's cores, the broker and the senders too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.records.instants import HOUR, MINUTE
from stream.runtime.broker import Broker
from stream.runtime.ports import free_ports
from stream.runtime.topics import Topics
from tests.benchmarks import latency
from tests.benchmarks.generated import QUIET_M, Size, message, write_region
from tests.benchmarks.lane import fill, lane, set_up
from tests.benchmarks.processes import Process, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.settings import Settings

ARRAY = 500
"""Measurements in a record, as a gateway hands them on."""
WAYS = ("alone", "beside a bulk", "the bulk through the live doors")
WAIT_S = 600.0


@dataclass(frozen=True)
class Load:
    """The world, the live traffic, and how many measurements of history."""

    size: Size
    pace: latency.Pace
    bulk: int
    settle_s: float
    """Warnings that come later than this after the last measurement count as missing."""


FULL = Load(Size(10_000, 300), latency.Pace(1_000, 60), 1_000_000, 60.0)
SMALL = Load(Size(400, 40), latency.Pace(200, 8, 4), 50_000, 5.0)


@dataclass(frozen=True)
class Row:
    """One way; `read` of the bulk were in the journal when the live traffic ended, all of them after `all_s` (None: not asked)."""

    way: str
    figures: latency.Figures
    read: int | None = None
    all_s: float | None = None


def history(load: Load, until: int) -> Iterator[tuple[int, bytes]]:
    """Arrays of one round of all stations after the other, a minute apart, the last at `until` (ms)."""
    rounds = -(-load.bulk // load.size.series)
    made = ((number % load.size.series, until - (rounds - number // load.size.series) * MINUTE) for number in range(load.bulk))
    items = [message(series, at, QUIET_M + series % 7 / 100) for series, at in made]
    for start in range(0, len(items), ARRAY):
        yield start // ARRAY, b"[" + b",".join(items[start : start + ARRAY]) + b"]"


def measure(bootstrap: str, folder: Path, load: Load) -> Iterator[Row]:
    """All ways, one after the other, each on a lane of its own."""
    for number, way in enumerate(WAYS):
        yield _measure(bootstrap, folder / f"way{number}", load, way)


def _measure(bootstrap: str, folder: Path, load: Load, way: str) -> Row:
    folder.mkdir(parents=True)
    write_region(folder / "region", load.size)
    settings = lane(bootstrap, f"{folder.name}.")
    set_up(settings, folder / "region", load.size)
    plan = latency.write_plan(folder, settings, load.size, load.pace)
    port = free_ports("127.0.0.1")[0]
    topics = Topics(settings.prefix)
    with ExitStack() as stack:
        process = stack.enter_context(worker(settings, folder / "worker.log"))
        process.expect("ready generation=")
        reading = stack.enter_context(_intake(settings, folder, port))
        reading.expect("ready topics=")
        latency.warm_up(settings, load.size)
        until = int(time.time() * 1000) - 48 * HOUR
        bulk = [] if way == WAYS[0] else list(history(load, until))
        topic = topics.backfill[0] if way == WAYS[1] else topics.doors[0]
        handing_in = threading.Thread(target=fill, args=(bootstrap, topic, bulk, settings.partitions))
        began = time.monotonic()
        handing_in.start()
        figures = latency.run(folder, plan, process.pid, load.pace, load.settle_s)
        handing_in.join()
        if way != WAYS[1]:
            return Row(way, figures)
        return Row(way, figures, _read(port), _all_read(port, load.bulk) - began)


def _intake(settings: Settings, folder: Path, port: int) -> Process:
    command = [
        "-m",
        "stream.cli.main",
        "intake",
        "--bootstrap",
        settings.bootstrap,
        "--prefix",
        settings.prefix,
        "--metrics-port",
        str(port),
    ]
    return Process(command, folder / "intake.log")


def _read(port: int) -> int:
    """Measurements of history that this intake has written to the journal."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    counts = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith("tocsin_backfill_accepted_total{")]
    return int(sum(map(float, counts)))


def _all_read(port: int, count: int) -> float:
    until = time.monotonic() + WAIT_S
    while _read(port) < count:
        assert time.monotonic() < until, f"{_read(port)} of {count} read within {WAIT_S:.0f} s"
        time.sleep(0.5)
    return time.monotonic()


def world(load: Load) -> str:
    """What was measured, as a line."""
    return f"{load.size.series:,} stations in {load.size.domains} domains, live {load.pace.rate:,}/s for {load.pace.seconds} s, bulk {load.bulk:,}"


def line(row: Row) -> str:
    """The figures of one way."""
    text = f"{row.way:<32} {row.figures.text()}"
    if row.read is None or row.all_s is None:
        return text
    return f"{text}\n{'':<32} {row.read:,} of the bulk in the journal meanwhile, all of it {row.all_s:.0f} s after its beginning"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    load = SMALL if asked.small else FULL
    with tempfile.TemporaryDirectory(prefix="tocsin-backfill-") as name, Broker.start(Path(name) / "broker") as broker:
        lines = [world(load)]
        print(lines[0], flush=True)
        for row in measure(broker.bootstrap, Path(name), load):
            lines.append(line(row))
            print(lines[-1], flush=True)
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "backfill.txt").write_text("\n".join([*lines, ""]), "utf-8")


if __name__ == "__main__":
    main()
