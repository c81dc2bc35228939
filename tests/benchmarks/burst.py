"""A storm in one domain beside quiet ones in the same journal partition: `python tests/benchmarks/burst.py [--small]`.

300 domains share one partition, each with its usual measurements (5 a second) and its warnings, as in the latency benchmark. One more domain
then sends a thousand times as much, and in its first instant one of its gauges crosses its limits. Shown: the latency of the others' warnings
without and with the storm, each on a lane of its own, and how long the storm's own first raise takes.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.runtime.broker import Broker
from stream.runtime.topics import Topics
from tests.benchmarks import latency
from tests.benchmarks.generated import LEVELS_M, NOISE_M, QUIET_M, Size, message, series_name, write_region
from tests.benchmarks.lane import lane, set_up
from tests.benchmarks.processes import Process, worker

SLICE_S = 0.002


@dataclass(frozen=True)
class Storm:
    """`times` as much as a domain's usual rate."""

    domains: int
    series_each: int
    seconds: int
    per_domain_s: int = 5
    times: int = 1_000

    @property
    def size(self) -> Size:
        """The last domain is the one that storms."""
        return Size((self.domains + 1) * self.series_each, self.domains + 1)

    @property
    def pace(self) -> latency.Pace:
        return latency.Pace(self.per_domain_s * (self.domains + 1), self.seconds, 20)


@dataclass(frozen=True)
class Found:
    """`own_ms`: the first warning of the domain that stormed; None where it did not."""

    others: latency.Figures
    own_ms: float | None
    burst_per_s: float


def measure(bootstrap: str, folder: Path, storm: Storm, *, burst: bool) -> Found:
    """One lane with one worker and one partition."""
    folder.mkdir(parents=True)
    write_region(folder / "region", storm.size)
    settings = lane(bootstrap, f"{folder.name}.", partitions=1)
    set_up(settings, folder / "region", storm.size)
    plan = latency.write_plan(folder, settings, storm.size, storm.pace)
    with worker(settings, folder / "worker.log") as process:
        process.expect("ready generation=")
        latency.warm_up(settings, storm.size)
        if not burst:
            return Found(latency.run(folder, plan, process.pid, storm.pace, 10.0), None, 0.0)
        times = [str(storm.domains), str(storm.series_each), str(storm.per_domain_s * storm.times), str(storm.seconds)]
        with Process([__file__, "storm", str(plan), str(folder / "storm.json"), *times], folder / "storm.log") as raging:
            raging.expect("ready")
            others = latency.run(folder, plan, process.pid, storm.pace, 10.0)
            rate = float(raging.expect("sent").split()[1])
    series, at = json.loads((folder / "storm.json").read_text())
    own = [ns for name, _, ns in json.loads((folder / "received.json").read_text()) if name == series]
    assert own, "the domain that stormed was never warned"
    return Found(others, (min(own) - at) / 1e6, rate)


def rage(plan: Path, out: Path, domain: int, series_each: int, rate: int, seconds: int) -> None:
    """The storm's own sender: its first measurements cross a gauge's limits, then the rate is held."""
    bootstrap, prefix, partitions, _, domains, *_ = json.loads(plan.read_text())
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000})
    topic, chance = Topics(prefix).doors[0], random.Random(2)
    own = [domain + number * domains for number in range(series_each)]
    print("ready", flush=True)
    time.sleep(1.0)  # the others are under way
    began, count = time.monotonic(), 0
    raised_at = 0
    while (elapsed_s := time.monotonic() - began) < seconds - 2:
        for number in range(count, int(elapsed_s * rate) + 1):
            one, at = own[number % len(own)], time.time_ns()
            # In the middle of its storm, not before it: the first raise has to come through what already waits.
            raised = elapsed_s > 2.0 and one == own[0]
            if raised and not raised_at:
                raised_at = at
            value = LEVELS_M[0] if raised else QUIET_M + chance.gauss(0, NOISE_M)
            producer.produce(topic, message(one, at // 1_000_000, value), partition=number % partitions)
            count = number + 1
        producer.poll(0)
        time.sleep(SLICE_S)
    took = time.monotonic() - began
    assert producer.flush(60) == 0
    out.write_text(json.dumps([series_name(own[0]), raised_at]))
    print("sent", count / took, flush=True)


def run(storm: Storm) -> None:
    """Both lanes; the figures."""
    with tempfile.TemporaryDirectory(prefix="tocsin-burst-") as name, Broker.start(Path(name) / "broker") as broker:
        quiet = measure(broker.bootstrap, Path(name) / "quiet", storm, burst=False)
        print(f"without: {quiet.others.text()}", flush=True)
        stormy = measure(broker.bootstrap, Path(name) / "storm", storm, burst=True)
        print(f"with {stormy.burst_per_s:,.0f}/s in one more domain of the same partition: {stormy.others.text()}")
        ratio = stormy.others.quantile(0.99) / quiet.others.quantile(0.99)
        print(f"p99 of the others: {ratio:.2f} times; the storm's own first raise: {stormy.own_ms:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a short run that only shows that everything works")
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    run(Storm(20, 10, 8, times=100) if given.small else Storm(300, 10, given.seconds))


if __name__ == "__main__":
    if sys.argv[1:2] == ["storm"]:
        rage(Path(sys.argv[2]), Path(sys.argv[3]), *map(int, sys.argv[4:]))
    else:
        main()
