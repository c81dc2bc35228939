"""Collects the measurements of consecutive messages until a deadline, a command or a silent series makes it necessary to score them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.decide.advance import advance, next_due
from stream.decide.detect import Found, Run, detect
from stream.decide.found import take

if TYPE_CHECKING:
    from stream.decide.bound import Bound
    from stream.decide.partition import Partition
    from stream.records.journal import Columns
    from stream.records.output import Output


class Unit(NamedTuple):
    """One message (on replay lanes: one instant) of a domain; `at` is its timestamp, `local` its rows in the partition."""

    domain_id: str
    at: int
    columns: Columns


class Pending:
    """The units of the current run. `add` may settle the run first; `settle` scores it and returns the outputs."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._units: list[Unit] = []

    def add(self, unit: Unit) -> list[Output]:
        """Take a unit into the run; outputs of what had to happen before it, or at once because of it."""
        outputs: list[Output] = []
        partition = self._partition
        if self._units and next_due(partition, unit.domain_id, unit.at) is not None:
            outputs += self.settle()
        outputs += advance(partition, unit.domain_id, unit.at) if not self._units else []
        self._units.append(unit)
        bound = partition.bound(unit.domain_id)
        if any(hazard.silent[unit.columns.rows].any() for hazard in bound.hazards):
            # A returning series may fall silent again before the next message: nothing may be scored beyond this point yet.
            outputs += self.settle()
        return outputs

    def settle(self) -> list[Output]:
        """Score the run, then judge its messages one by one."""
        units, self._units = self._units, []
        partition = self._partition
        found: dict[int, list[Found]] = {}
        by_region: dict[str, list[int]] = {}
        for number, unit in enumerate(units):
            by_region.setdefault(partition.core.domains[unit.domain_id].region, []).append(number)
        for name, numbers in by_region.items():
            found.update(_detect(partition, partition.bounds[name], units, numbers))
        outputs: list[Output] = []
        for number, unit in enumerate(units):
            outputs += advance(partition, unit.domain_id, unit.at)
            domain = partition.core.domains[unit.domain_id]
            domain.now = max(domain.now, unit.at)
            if number in found or (partition.observed and any(one.incident is not None for one in domain.hazards.values())):
                outputs += take(partition, unit.domain_id, domain.now, found.get(number, []))
        return outputs


def _detect(partition: Partition, bound: Bound, units: list[Unit], numbers: list[int]) -> dict[int, list[Found]]:
    sizes = [len(units[number].columns.rows) for number in numbers]
    run = Run(
        np.repeat(np.array(numbers, np.int64), sizes),
        np.concatenate([units[number].columns.rows for number in numbers]).astype(np.intp),
        np.concatenate([units[number].columns.observed_at for number in numbers]),
        np.concatenate([units[number].columns.value for number in numbers]),
        np.concatenate([units[number].columns.flags for number in numbers]),
    )
    return detect(bound, partition.core.counts, run)
