"""Collects the measurements of consecutive messages until a deadline, a command or a silent series makes it necessary to score them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.decide.advance import advance, next_due
from stream.decide.detect import detect
from stream.decide.findings import Found, Run
from stream.decide.found import take
from stream.decide.stations import check, concluded, schedule
from stream.records.journal import Flag

if TYPE_CHECKING:
    from stream.decide.bound import Bound
    from stream.decide.partition import Partition
    from stream.records.journal import Measurements
    from stream.records.output import Output


class Unit(NamedTuple):
    """One message (on replay lanes: one instant) of a domain; `at` is its timestamp, its rows are those of the active region (-1 = gone)."""

    at: int
    message: Measurements


class Pending:
    """The units of the current run. `add` may settle the run first; `settle` scores it and returns the outputs."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition
        self._units: list[Unit] = []

    def add(self, unit: Unit) -> list[Output]:
        """Take a unit into the run; outputs of what had to happen before it, or at once because of it."""
        outputs: list[Output] = []
        partition = self._partition
        domain_id = unit.message.domain
        if next_due(partition, domain_id, unit.at) is not None:
            outputs += self.settle() if self._units else []
            outputs += advance(partition, domain_id, unit.at)
        self._units.append(unit)
        if partition.core.domains[domain_id].began_at < 0:
            partition.begin(domain_id, unit.at)
        looks = schedule(partition, domain_id, unit.at)
        if looks or _returns(partition, unit.message):
            # A returning series may fall silent again before the next message, and stations looked at may change what is believed:
            # nothing may be scored beyond this point yet.
            outputs += self.settle()
        return outputs

    def settle(self) -> list[Output]:
        """Score the run, then judge its messages one by one."""
        units, self._units = self._units, []
        partition = self._partition
        found: dict[int, list[Found]] = {}
        by_region: dict[str, list[int]] = {}
        for number, unit in enumerate(units):
            by_region.setdefault(partition.core.domains[unit.message.domain].region, []).append(number)
        for name, numbers in by_region.items():
            found.update(_detect(partition, partition.bounds[name], units, numbers))
        outputs: list[Output] = []
        for number, unit in enumerate(units):
            domain_id = unit.message.domain
            outputs += advance(partition, domain_id, unit.at)
            domain = partition.core.domains[domain_id]
            domain.now = max(domain.now, unit.at)
            if partition.observed:
                outputs += self._instant(domain_id, found.get(number, []))
            elif number in found:
                outputs += take(partition, domain_id, domain.now, found[number])
        return outputs

    def _instant(self, domain_id: str, found: list[Found]) -> list[Output]:
        """Judge an instant of a replay, and what all series of the domain say together; elsewhere that is asked at grid instants (`stations.py`)."""
        partition = self._partition
        bound, domain = partition.bound(domain_id), partition.core.domains[domain_id]
        found = [*found, *concluded(bound, domain_id)]
        outputs: list[Output] = []
        if found or any(one.incidents for one in domain.hazards.values()):
            outputs += take(partition, domain_id, domain.now, found)
        if domain_id in bound.checked:
            outputs += check(partition, domain_id, domain.now)
        return outputs


def _returns(partition: Partition, message: Measurements) -> bool:
    """Whether the message holds a measurement of a silent series that did not come late."""
    if not any([hazard.silent for hazard in partition.core.domains[message.domain].hazards.values()]):  # noqa: C419  a generator costs twice as much
        return False
    bound = partition.bound(message.domain)
    late = np.frombuffer(message.flags, "u1") & Flag.LATE
    local = bound.local[np.frombuffer(message.rows, "<i4")[late == 0]]
    return any(bool(hazard.silent[local].any()) for hazard in bound.hazards)


def _detect(partition: Partition, bound: Bound, units: list[Unit], numbers: list[int]) -> dict[int, list[Found]]:
    messages = [units[number].message for number in numbers]
    rows = np.frombuffer(b"".join([message.rows for message in messages]), "<i4")
    local = bound.local[rows].astype(np.intp)
    run = Run(
        np.repeat(np.array(numbers, np.int64), [len(message.flags) for message in messages]),
        local,
        np.frombuffer(b"".join([message.observed_at for message in messages]), "<i8"),
        np.frombuffer(b"".join([message.value for message in messages]), "<f8"),
        np.frombuffer(b"".join([message.flags for message in messages]), "u1"),
    )
    here = (rows >= 0) & (local >= 0)
    if not here.all():  # series that moved away or were retired
        partition.core.counts.retired += int((~here).sum())
        run = run.pick(here)
    return detect(bound, partition.core.counts, run) if len(run.rows) else {}
