"""Door-to-city latency: from the producer's `produce` call in one process to a consumer of the city's topic in another.

Traffic flows at a fixed rate, each measurement its own message with the time of sending as `observed_at`. At about even distances one of them
crosses a limit of its gauge, so that a warning of that level is due to its domain's city: domains in turn, all once to blue, then yellow. A warning belongs to the crossing of the series and level that its evidence names. Inside a figure: the producer's linger (5 ms, the
library's default), both hops through the broker, accept, journal, decide, the edge, and the consumer's fetch. All clocks are this machine's.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, Producer, TopicPartition

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.runtime.topics import Topics
from tests.benchmarks.generated import LEVELS_M, NOISE_M, QUIET_M, Size, message, partition_of, series_name, write_region
from tests.benchmarks.lane import await_decided, fill, lane, set_up
from tests.benchmarks.processes import Process, cpu_s, worker

if TYPE_CHECKING:
    from stream.settings import Settings

SLICE_S = 0.002
"""The producer sends what is due this often."""
CROSSINGS_PER_S = 30
SETTLE_S = 3.0
LEVEL_NAMES = ("blue", "yellow")


@dataclass(frozen=True)
class Pace:
    rate: int
    seconds: int
    crossings_per_s: int = CROSSINGS_PER_S

    @property
    def crossings(self) -> int:
        return self.seconds * self.crossings_per_s


@dataclass(frozen=True)
class Figures:
    """Milliseconds from produce to receipt of each warning that was due, `missing` those that never came, and the worker's CPU share."""

    ms: list[float]
    due: int
    sent_per_s: float
    worker_cpu: float

    def quantile(self, share: float) -> float:
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def text(self) -> str:
        p50, p90, p99 = (self.quantile(share) for share in (0.5, 0.9, 0.99))
        return (
            f"p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms, max {max(self.ms):.1f} ms of {len(self.ms)} warnings "
            f"({self.due - len(self.ms)} missing); sent {self.sent_per_s:,.0f}/s, worker {self.worker_cpu:.0%} of a core"
        )


def measure(bootstrap: str, folder: Path, size: Size, pace: Pace) -> str:
    """One lane, one worker, one rate; the line to print."""
    return f"{pace.rate:,}/s: {figures(bootstrap, folder / f'at-{pace.rate}', size, pace).text()}"


def figures(bootstrap: str, folder: Path, size: Size, pace: Pace) -> Figures:
    folder.mkdir(parents=True)
    write_region(folder / "region", size)
    settings = lane(bootstrap, f"{folder.name}.")
    set_up(settings, folder / "region", size)
    plan = write_plan(folder, settings, size, pace)
    with worker(settings, folder / "worker.log") as process:
        process.expect("ready generation=")
        warm_up(settings, size)
        return run(folder, plan, process.pid, pace)


def write_plan(folder: Path, settings: Settings, size: Size, pace: Pace) -> Path:
    """What the producer's and the consumer's process have to know."""
    plan = folder / "plan.json"
    plan.write_text(
        json.dumps(
            [settings.bootstrap, settings.prefix, settings.partitions, size.series, size.domains, pace.rate, pace.seconds, pace.crossings]
        )
    )
    return plan


def warm_up(settings: Settings, size: Size) -> None:
    """Every series is heard once, a little earlier, so that every city's status is out before anything is measured."""
    at = int(time.time() * 1000) - 60_000
    messages = ((number, message(number, at, QUIET_M)) for number in range(size.series))
    fill(settings.bootstrap, Topics(settings.prefix).doors[0], messages, settings.partitions)
    await_decided(settings)
    time.sleep(1.0)


def run(folder: Path, plan: Path, worker_pid: int, pace: Pace, settle_s: float = SETTLE_S) -> Figures:
    """Send and receive; what comes later than `settle_s` after the last measurement counts as missing."""
    with Process([__file__, "receive", str(plan), str(folder / "received.json")], folder / "receive.log") as receiver:
        receiver.expect("ready")
        used, began = cpu_s(worker_pid), time.monotonic()
        with Process([__file__, "send", str(plan), str(folder / "sent.json")], folder / "send.log") as sender:
            rate = float(sender.expect("sent", pace.seconds * 4 + 30).split()[1])
        worker_cpu = (cpu_s(worker_pid) - used) / (time.monotonic() - began)
        time.sleep(settle_s)
        receiver.say("end")
        receiver.expect("written")
    sent = {(series, level): (at, ns) for series, level, at, ns in json.loads((folder / "sent.json").read_text())}
    ms = []
    for series, level, received_ns in json.loads((folder / "received.json").read_text()):
        if (found := sent.pop((series, level), None)) is not None:
            ms.append((received_ns - found[1]) / 1e6)
    assert ms, "no warning came"
    return Figures(ms, len(ms) + len(sent), rate, worker_cpu)


def crossings_of(*, total: int, crossings: int, series: int, domains: int) -> dict[int, int]:
    """At which measurements a limit is crossed, and which: domains in turn, at the next turn of one of the domain's series.

    A series is never sent out of its turn: two of its samples within a millisecond would make the rise implausible, and rightly suspect.
    """
    found = {}
    for number in range(min(crossings, len(LEVELS_M) * domains)):
        at = int((number + 0.5) * (total - 2 * domains) / crossings)
        while at % series % domains != number % domains or at in found:
            at += 1
        found[at] = number // domains
    return found


def send(plan: Path, out: Path) -> None:
    """The producer's process: holds the rate as well as it can, notes when each crossing was produced."""
    bootstrap, prefix, partitions, series, domains, rate, seconds, crossings = json.loads(plan.read_text())
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "queue.buffering.max.messages": 1_000_000})
    topic = Topics(prefix).doors[0]
    chance = random.Random(1)
    base = [QUIET_M] * series
    total = rate * seconds
    due = crossings_of(total=total, crossings=crossings, series=series, domains=domains)
    noted: list[tuple[str, str, int, int]] = []
    # The connection and the idempotent producer's id are there before the clock starts: a gateway is connected for weeks.
    producer.produce(topic, message(0, time.time_ns() // 1_000_000, QUIET_M), partition=partition_of(0, partitions))
    assert producer.flush(30) == 0
    began = time.monotonic()
    count = 0
    while count < total:
        for number in range(count, min(total, int((time.monotonic() - began) * rate) + 1)):
            one, level = number % series, due.get(number, -1)
            if level >= 0:
                base[one] = LEVELS_M[level]
            at = time.time_ns()
            value = base[one] + (0.0 if level >= 0 else chance.gauss(0, NOISE_M))
            producer.produce(topic, message(one, at // 1_000_000, value), partition=partition_of(one, partitions))
            if level >= 0:
                noted.append((series_name(one), LEVEL_NAMES[level], at // 1_000_000, at))
            count = number + 1
        producer.poll(0)
        time.sleep(SLICE_S)
    took = time.monotonic() - began
    assert producer.flush(30) == 0
    out.write_text(json.dumps(noted))
    print("sent", total / took, flush=True)


def receive(plan: Path, out: Path) -> None:
    """The consumer's process: reads all city topics from now on, notes when each warning came."""
    bootstrap, prefix, _, _, domains, *_ = json.loads(plan.read_text())
    topics = Topics(prefix)
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", "enable.auto.commit": False})
    places = [TopicPartition(topics.city(city), 0) for city in Size(0, domains).cities()]
    # The ends are fixed before `ready`: a consumer that starts "at the end" would miss what comes while it looks for it.
    consumer.assign([TopicPartition(place.topic, 0, consumer.get_watermark_offsets(place, timeout=30)[1]) for place in places])
    consumer.poll(2.0)
    print("ready", flush=True)
    import select

    noted: list[tuple[str, str, int]] = []
    while True:
        record = consumer.poll(0.2)
        if record is None:
            if select.select([sys.stdin], [], [], 0)[0]:
                break
            continue
        now = time.time_ns()
        body = json.loads(record.value())
        if body["type"] == "warning":
            noted += [(one["series"], body["level"], now) for one in body["evidence"]]
    consumer.close()
    out.write_text(json.dumps(noted))
    print("written", flush=True)


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
