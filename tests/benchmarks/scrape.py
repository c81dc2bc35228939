"""What watching costs: series, bytes and time of a scrape, and how long a census keeps a partition, with many cities and stations.

    python -m tests.benchmarks.scrape [--small] [--out FOLDER]

All cities of a generated region are warned by red, which is the most there can be to count; every counter has every label that the code can
give it. The scrape goes through the server, as a Prometheus does it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import numpy as np
from prometheus_client import Counter, Gauge, Histogram

from stream.accept.refusal import Refused
from stream.decide.census import CensusTaker, together
from stream.decide.fold import Fold
from stream.health.exposing import Exposed
from stream.health.metrics import Metrics
from stream.records.journal import Columns, Command, Entry, encode, measurements, partition_of
from stream.records.output import Kind
from stream.records.warning import Lane, Reason
from stream.region.bundle import bundle
from stream.region.load import load
from stream.runtime.edge_rules import Verdict
from stream.runtime.ports import free_ports
from stream.runtime.topics import Topics
from tests.benchmarks.generated import FLARE_M, Size, write_region

PARTITIONS = 12
FULL, SMALL = Size(30_000, 3_000), Size(600, 60)
NOW = 1_790_000_000_000
SCRAPES = 15


class Cost(NamedTuple):
    """Of one scrape (median), and of a census of the largest partition."""

    per_city: bool
    series: int
    bytes: int
    scrape_ms: float
    census_ms: float
    all_ms: float


def states(size: Size, folder: Path):
    """The fold and its partitions, in which every city is warned by red."""
    write_region(folder, size)
    region = load(bundle(folder))
    fold = Fold(lambda _: region, lane=Lane.TEST, clock="broker", partitions=PARTITIONS)
    made = [fold.initial(number) for number in range(PARTITIONS)]
    for state in made:
        fold.apply(state, [Entry(0, NOW, encode(Command("activate", region.name, region.region_hash)))])
    for number, domain in enumerate(region.domains):
        rows = np.flatnonzero(region.series.domain == number).astype("<i4")
        state = made[partition_of(domain.domain_id, PARTITIONS)]
        for step, value in enumerate((3.3, FLARE_M, FLARE_M + 0.1)):
            at = NOW + 10_000 * (step + 1)
            arrays = Columns(rows, np.full(len(rows), at), np.full(len(rows), value), np.zeros(len(rows), "u1"))
            fold.apply(state, [Entry(step + 1, at, encode(measurements(domain.domain_id, region.region_hash, arrays)))])
    return made


def labelled(metrics: Metrics) -> None:
    """Give every counter, gauge and histogram a series for everything that it can be labelled with; there are three hazards and regions."""
    topics = Topics("")
    names = [str(number) for number in range(PARTITIONS)]
    three = ["one", "two", "three"]
    known = {
        "door": topics.doors, "topic": (*topics.doors, topics.journal), "partition": names, "hazard": three, "region": three,
        "region_hash": ["h"], "kind": list(Kind), "verdict": list(Verdict), "alarm": list(Verdict), "stage": ["accept", "decide", "publish"],
        "principal": [f"p{number}" for number in range(100)],
    }  # fmt: skip
    for metric in [one for one in metrics.registry._collector_to_names if isinstance(one, Counter | Gauge | Histogram)]:
        if metric._labelnames and not metric._metrics:
            reasons = [one.value for one in (Refused if "door" in metric._labelnames else Reason)]
            combined: list[list[str]] = [[]]
            for label in metric._labelnames:
                combined = [[*one, value] for one in combined for value in known.get(label, reasons)]
            for labels in combined:
                metric.labels(*labels)
    for door in topics.doors:
        metrics.delay_s.observe(door, np.array([1.0]))


def measure(made: list, *, per_city: bool) -> Cost:
    taker = CensusTaker(per_city=per_city)
    first = [taker.take(state) for state in made]
    took = []
    for state in made:
        began = time.perf_counter()
        taker.take(state)
        took.append(1000 * (time.perf_counter() - began))
    metrics = Metrics(per_city=per_city)
    labelled(metrics)
    metrics.census.now = together(first)
    port = free_ports("127.0.0.1")[0]
    exposed = Exposed(metrics.registry, "127.0.0.1", port, {})
    try:
        scrapes = []
        for _ in range(SCRAPES):
            began = time.perf_counter()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                text = answer.read()
            scrapes.append(1000 * (time.perf_counter() - began))
    finally:
        exposed.stop()
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    return Cost(per_city, series, len(text), statistics.median(scrapes), max(took), sum(took))


def main(*arguments: str) -> list[Cost]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--out", type=Path, help="unused: there is no plot")
    size = SMALL if parser.parse_args(arguments).small else FULL
    with tempfile.TemporaryDirectory(prefix="scrape-") as folder:
        made = states(size, Path(folder) / "region")
    costs = [measure(made, per_city=per_city) for per_city in (False, True)]
    warned = sum(together(map(CensusTaker().take, made)).warnings.values())
    print(f"{size.series} stations, {size.domains} cities, {warned} warnings in force, {PARTITIONS} partitions")
    print("metrics_per_city  series   KiB  scrape ms  census of the largest partition ms  of all ms")
    for one in costs:
        print(f"{one.per_city!s:16} {one.series:7} {one.bytes / 1024:5.0f} {one.scrape_ms:10.1f} {one.census_ms:35.2f} {one.all_ms:10.1f}")
    return costs


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
