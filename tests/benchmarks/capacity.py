"""What one domain costs when everything in it alarms at once, by its size: `python tests/benchmarks/capacity.py [--small]`.

The fold alone, in this process, without a broker: CPU time. A domain is one river with so many gauges and cities. Quiet rounds first, then every
gauge goes above its second limit in one round, then rounds of which each changes nothing. A round is one measurement of every gauge, in messages
of a hundred. Then a grid instant, and a checkpoint. The knee is where a round takes as long as the time until the next.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.decide.fold import Fold
from stream.records.instants import MINUTE
from stream.records.journal import Columns, Command, Entry, Tick, encode, measurements
from stream.records.warning import Lane
from stream.region.load import load_folder
from tests.benchmarks.generated import FLARE_M, QUIET_M, STEP_MS, Size, write_region

if TYPE_CHECKING:
    from stream.records.journal import Message
    from stream.region.model import Region

AT = 1_767_225_600_000
MESSAGE = 100
QUIET_ROUNDS = 4


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds, but `checkpoint_kb`; `first_us`: of each measurement of the first round above the limits."""

    size: Size
    quiet_us: float
    first_ms: float
    warned: int
    standing_us: float
    grid_ms: float
    checkpoint_ms: float
    checkpoint_kb: float

    def text(self) -> str:
        return (
            f"{self.size.series:>7,} {len(self.size.cities()):>7,} {self.quiet_us:>9.2f} {self.first_ms:>11,.0f} {self.warned:>8,} "
            f"{self.standing_us:>12.2f} {self.grid_ms:>9,.1f} {self.checkpoint_ms:>11,.1f} {self.checkpoint_kb:>9,.0f}"
        )


HEADING = " gauges  cities  quiet us  first ms/all  records  standing us   grid ms  checkpoint ms        kB"


class World:
    """One domain, its fold and its clock."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._fold = Fold(lambda _: region, lane=Lane.LIVE, clock="broker", partitions=1)
        self.state = self._fold.initial(0)
        self._at, self._offset = AT, 0
        self.take(Command("activate", region.name, region.region_hash))

    def take(self, message: Message) -> tuple[int, float]:
        """How many records it makes, and CPU seconds."""
        value = encode(message)
        began = time.process_time()
        outputs = self._fold.apply(self.state, [Entry(self._offset, self._at, value)])
        self._offset += 1
        return len(outputs), time.process_time() - began

    def round(self, value: float) -> tuple[int, float]:
        """One measurement of every gauge, some seconds later."""
        self._at += STEP_MS
        domain = self._region.domains[0].domain_id
        count, took_s = 0, 0.0
        for begin in range(0, len(self._region.series.ids), MESSAGE):
            rows = np.arange(begin, min(begin + MESSAGE, len(self._region.series.ids)), dtype="<i4")
            noise = 0.001 * ((rows * 7 + self._at // STEP_MS) % 10)
            columns = Columns(rows, np.full(len(rows), self._at - 500), value + noise, np.zeros(len(rows), np.uint8))
            made, took = self.take(measurements(domain, self._region.region_hash, columns))
            count, took_s = count + made, took_s + took
        return count, took_s

    def tick(self, later_ms: int) -> float:
        """Let time pass."""
        self._at += later_ms
        return self.take(Tick(self._at, later_ms / 1000, self._at, False, self._at))[1]

    def checkpoint(self) -> tuple[float, int]:
        """CPU seconds and bytes."""
        began = time.process_time()
        data = self._fold.snapshot(self.state)
        return time.process_time() - began, len(data)


def measure(size: Size) -> Cost:
    """One domain of this size."""
    with tempfile.TemporaryDirectory(prefix="tocsin-capacity-") as name:
        write_region(Path(name) / "region", size)
        world = World(load_folder(Path(name) / "region"))
    for _ in range(QUIET_ROUNDS):
        _, quiet_s = world.round(QUIET_M)
        world.tick(2_000)
    warned, first_s = 0, 0.0
    for _ in range(2):  # a jump is believed when the next sample shows it, too
        made, took_s = world.round(FLARE_M)
        warned, first_s = warned + made, first_s + took_s
    _, standing_s = world.round(FLARE_M)
    grid_s = world.tick(2 * MINUTE)
    checkpoint_s, checkpoint_bytes = world.checkpoint()
    each = 1e6 / size.series
    return Cost(
        size, quiet_s * each, first_s * 1000, warned, standing_s * each, grid_s * 1000, checkpoint_s * 1000, checkpoint_bytes / 1000
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a short run that only shows that everything works")
    small = parser.parse_args().small
    print(HEADING)
    for gauges, cities in ((30, 3),) if small else ((100, 10), (300, 30), (1_000, 100), (1_000, 300)):
        print(measure(Size(gauges, 1, cities)).text(), flush=True)


if __name__ == "__main__":
    main()
