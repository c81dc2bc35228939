"""CPU time per measurement of three ways to do the job: the product, a stock Faust agent, a bare aiokafka loop.

Every contestant is one process that stays alive. Before a run it is held (SIGSTOP) while the run's backlog is written, so no figure holds the
making of the messages or waiting for them. A figure is the difference of the process's user and system time between letting it go and the end
of the run, divided by the measurements of the run. Start, group rebalance and the first two rounds (every series heard for the first time) are
outside. The runs of the three alternate; medians are reported.

The end of a run: the stock agent and the bare loop say when the last measurement is done. For the product it is when the group's committed
offsets have passed what was in the doors and then in the journal: everything journalled, decided, published, acknowledged and in a checkpoint.
Its figure includes up to a checkpoint's and a commit's waiting (about a second of ticks, marks and heartbeats of an idle worker).

A series always goes to the same door partition, chosen by its key's checksum: every partition carries all domains, which is the hard case.
The two plain programs run with Python's own settings; the product tells the garbage collector what lives long (stream/runtime/collector.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING

from stream.errors import TocsinError
from stream.records.instants import from_text
from stream.runtime.topics import Topics
from tests.benchmarks.generated import Size, Traffic, write_region
from tests.benchmarks.lane import HELD_S, await_decided, fill, lane, plain_topic, set_up, values
from tests.benchmarks.processes import HERE, Process, worker

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stream.settings import Settings

PARTITIONS = 12
WARM_ROUNDS = 2
LEVELS = {"none": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}
Changes = set[tuple[str, int, int, int]]
"""(series, observed_at, level before, level after)."""


@dataclass(frozen=True)
class Runs:
    """How much is measured: rounds (one measurement of each series) a run."""

    size: Size
    repeats: int
    rounds: int
    rounds_stock: int


@dataclass(frozen=True)
class Run:
    measurements: int
    cpu_s: float
    elapsed_s: float

    @property
    def us(self) -> float:
        return self.cpu_s / self.measurements * 1e6


class Contestant:
    """One way to do the job: its process, the topic it reads, and how far it has come in the traffic."""

    def __init__(self, name: str, bootstrap: str, topic: str, traffic: Traffic) -> None:
        self.name = name
        self.runs: list[Run] = []
        self.rounds_done = 0
        self._bootstrap = bootstrap
        self._topic = topic
        self._traffic = traffic
        self.process: Process

    def await_done(self, count: int) -> None:
        """Wait until so many measurements have been done since the start."""
        self.process.expect(f"count {count}", 600)

    def changes(self) -> Changes:
        found = values(self._bootstrap, f"{self.name}.changes", 1)
        return {(one["series"], one["observed_at"], one["previous"], one["level"]) for one in found}

    def feed(self, rounds: int) -> Run:
        """Hold the process, write the rounds, let it go, wait for it."""
        self.process.hold()
        before = self.count
        numbers = range(self.rounds_done, self.rounds_done + rounds)
        self.count += fill(self._bootstrap, self._topic, chain.from_iterable(map(self._traffic.messages, numbers)), PARTITIONS)
        self.rounds_done += rounds
        used, began = self.process.cpu_s(), time.monotonic()
        self.process.go_on()
        self.await_done(self.count)
        return Run(self.count - before, self.process.cpu_s() - used, time.monotonic() - began)

    count = 0


class Tocsin(Contestant):
    """The product's own worker, with its defaults."""

    def __init__(self, settings: Settings, traffic: Traffic, log: Path, profile: Path | None) -> None:
        super().__init__("tocsin", settings.bootstrap, Topics(settings.prefix).doors[0], traffic)
        self._settings = settings
        self.process = worker(settings, log, profile)

    def await_done(self, count: int) -> None:
        try:
            await_decided(self._settings)
        except TocsinError as error:
            error.add_note(f"{count} measurements were sent in all; the worker's log ends with:\n{self.process.tail()}")
            raise

    def changes(self) -> Changes:
        found = values(self._bootstrap, Topics(self._settings.prefix).evidence, self._settings.partitions)
        return {(one["series"], from_text(one["observed_at"]), LEVELS[one["previous_level"]], LEVELS[one["level"]]) for one in found}


def program(name: str, bootstrap: str, region: Path, traffic: Traffic, counts: Iterable[int]) -> Contestant:
    """One of the two plain programs."""
    contestant = Contestant(name, bootstrap, f"{name}.in", traffic)
    for topic, partitions in ((f"{name}.in", PARTITIONS), (f"{name}.changes", 1)):
        plain_topic(bootstrap, topic, partitions)
    arguments = [str(HERE / f"contestant_{name}.py"), bootstrap, f"{name}.in", f"{name}.changes", str(region)]
    contestant.process = Process(arguments, region.parent / f"{name}.log", {"COUNTS": ",".join(map(str, counts))})
    return contestant


def measure(bootstrap: str, folder: Path, runs: Runs, profile: Path | None = None) -> dict[str, Contestant]:
    """Run the three in turn; AssertionError unless they found the same changes of level."""
    region = folder / "region"
    write_region(region, runs.size)
    settings = lane(bootstrap, "speed.", session_timeout_s=HELD_S, partitions=PARTITIONS)
    set_up(settings, region, runs.size)
    rounds = WARM_ROUNDS + runs.repeats * runs.rounds
    traffic = Traffic(runs.size, (int(time.time()) - 10 * rounds - 60) * 1000)
    every = {"stock": runs.rounds_stock, "bare": runs.rounds, "tocsin": runs.rounds}
    contestants = {
        name: program(
            name, bootstrap, region, traffic, [runs.size.series * (WARM_ROUNDS + n * every[name]) for n in range(runs.repeats + 1)]
        )
        for name in ("stock", "bare")
    }
    contestants["tocsin"] = Tocsin(settings, traffic, folder / "worker.log", profile)
    try:
        contestants["tocsin"].process.expect("ready generation=")
        contestants["bare"].process.expect("ready")
        for one in contestants.values():
            one.process.go_on()
            one.feed(WARM_ROUNDS)
        for _ in range(runs.repeats):
            for one in contestants.values():
                one.runs.append(one.feed(every[one.name]))
        check(contestants, traffic)
    finally:
        codes = {name: one.process.stop() for name, one in contestants.items()}
    assert codes["tocsin"] == 0, contestants["tocsin"].process.tail()
    return contestants


def check(contestants: dict[str, Contestant], traffic: Traffic) -> None:
    """The three found the same changes of level in what each of them was given."""
    found = {name: one.changes() for name, one in contestants.items()}
    for name in ("bare", "stock"):
        until = min(traffic.observed_at(contestants[one].rounds_done) for one in (name, "tocsin"))
        ours, theirs = ({change for change in found[one] if change[1] < until} for one in ("tocsin", name))
        assert ours, "no level ever changed: nothing was compared"
        assert ours == theirs, (
            f"{len(ours - theirs)} changes only in tocsin, {len(theirs - ours)} only in {name}: {sorted(ours ^ theirs)[:5]}"
        )
        print(f"level changes found by tocsin and {name}: the same {len(ours)}")


def table(contestants: dict[str, Contestant]) -> str:
    """The figures as text."""
    us = {name: median(run.us for run in one.runs) for name, one in contestants.items()}
    lines = [f"{'':8}{'us/measurement':>16}{'k/s/core':>10}{'x stock':>10}{'x bare':>10}  runs (us)"]
    for name, one in contestants.items():
        runs = " ".join(f"{run.us:.2f}" for run in one.runs)
        lines.append(f"{name:8}{us[name]:16.2f}{1e3 / us[name]:10.1f}{us['stock'] / us[name]:10.1f}{us['bare'] / us[name]:10.2f}  {runs}")
    return "\n".join(lines)
