"""One, two and four workers on 12 partitions: `python tests/benchmarks/scale.py [--small]`.

A world of 30,000 stations and 3,000 cities in 300 domains. A backlog of single messages is written while the workers are held, then all are let
go; shown are measurements a second, processor seconds for a million measurements (all workers together), and the most memory each worker ever
took, after every city has a status and every series was heard. The broker shares the cores: on two of them two workers and a broker are already
more than there is, so this shows what sharing the partitions costs, not how far more machines would go.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec

from stream.runtime.broker import Broker
from stream.runtime.topics import Topics
from tests.benchmarks.generated import Size, Traffic, write_region
from tests.benchmarks.lane import await_decided, fill, lane, set_up
from tests.benchmarks.processes import Process, worker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.settings import Settings

PARTITIONS = 12
SESSION_S = 60.0
"""Half of it is as long as a worker may be held; a sixth of it is how long it takes to hear that another has joined."""
WARM_ROUNDS = 2


@dataclass(frozen=True)
class World:
    """How large it is, and how many measurements of each series are the backlog."""

    size: Size
    rounds: int


@dataclass(frozen=True)
class Figures:
    workers: int
    measurements: int
    elapsed_s: float
    cpu_s: float
    peak_mb: tuple[int, ...]
    partitions: tuple[int, ...]

    def text(self) -> str:
        each = ", ".join(f"{mb} MB ({held} partitions)" for mb, held in zip(self.peak_mb, self.partitions, strict=True))
        return (
            f"{self.workers} worker{'s' if self.workers > 1 else ''}: {self.measurements / self.elapsed_s:,.0f} measurements/s, "
            f"{self.cpu_s / self.measurements * 1e6:.1f} CPU s a million, {each}"
        )


def peak_mb(pid: int) -> int:
    """The most memory the process ever held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("ascii"))
    assert found is not None
    return round(int(found[1]) / 1000)


def measure(bootstrap: str, folder: Path, world: World, workers: int) -> Figures:
    """One lane with so many workers."""
    folder.mkdir(parents=True)
    write_region(folder / "region", world.size)
    settings = lane(bootstrap, f"{folder.name}.", partitions=PARTITIONS, session_timeout_s=SESSION_S)
    set_up(settings, folder / "region", world.size)
    topic, traffic = Topics(settings.prefix).doors[0], Traffic(world.size, (int(time.time()) - 10 * world.rounds - 60) * 1000)

    def send(rounds: range) -> int:
        return fill(bootstrap, topic, chain.from_iterable(map(traffic.messages, rounds)), PARTITIONS)

    with ExitStack() as stack:
        running = [stack.enter_context(started(settings, folder, number)) for number in range(workers)]
        held = settled(running, workers)
        send(range(WARM_ROUNDS))
        await_decided(settings)
        for one in running:
            one.hold()
        count = send(range(WARM_ROUNDS, WARM_ROUNDS + world.rounds))
        used, began = sum(one.cpu_s() for one in running), time.monotonic()
        for one in running:
            one.go_on()
        await_decided(settings)
        elapsed_s, cpu_s = time.monotonic() - began, sum(one.cpu_s() for one in running) - used
        return Figures(workers, count, elapsed_s, cpu_s, tuple(peak_mb(one.pid) for one in running), held)


def started(settings: Settings, folder: Path, number: int) -> Process:
    """A worker under a name of its own."""
    return worker(msgspec.structs.replace(settings, instance=f"w{number}"), folder / f"worker-{number}.log")


def settled(running: list[Process], workers: int) -> tuple[int, ...]:
    """How many journal partitions each holds, once all of them share them."""
    held: list[int] = []
    for one in running:
        while True:
            count = one.expect("ready generation=", 300).count(",") + 1
            if count <= PARTITIONS // workers:
                held.append(count)
                break
    return tuple(held)


def run(world: World, workers: Sequence[int]) -> None:
    print(f"{world.size.series:,} stations, {len(world.size.cities()):,} cities, {world.size.domains} domains")
    for number in workers:  # a broker each: the topics of several such worlds are too many for one small broker
        with tempfile.TemporaryDirectory(prefix="tocsin-scale-") as name, Broker.start(Path(name) / "broker") as broker:
            print(measure(broker.bootstrap, Path(name) / f"scale-{number}", world, number).text(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a short run that only shows that everything works")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    given = parser.parse_args()
    if given.small:
        run(World(Size(240, 24, 2), 3), (1, 2))
    else:
        run(World(Size(30_000, 300, 10), 15), given.workers)


if __name__ == "__main__":
    main()
