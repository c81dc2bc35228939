"""A region becomes active in a partition: its arrays are bound, and what is known of series that stay is carried over by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stream.decide import leaving, moving
from stream.decide.bound import Bound, BoundHazard, bind
from stream.decide.detect import score_waiting
from stream.decide.found import take
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review
from stream.decide.state import DomainState
from stream.decide.status import statuses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.partition import Partition
    from stream.records.output import Output
    from stream.region.model import Region


def activate(partition: Partition, region: Region, at: int) -> list[Output]:
    """Make the region the active one of its name; cities it no longer has are told that their warnings are withdrawn."""
    core = partition.core
    fresh = bind(region, core.partition, core.partitions)
    outputs: list[Output] = []
    if (old := partition.bounds.get(region.name)) is not None:
        outputs += _leave(partition, old, fresh, at)
        moving.note(core, old.region, region, at)
        if core.active[region.name] not in core.past:
            core.past.append(core.active[region.name])
    partition.bounds[region.name] = fresh
    core.active[region.name] = region.region_hash
    for domain_id in [name for name, domain in core.domains.items() if domain.region == region.name and name not in fresh.domains]:
        del core.domains[domain_id], partition.clocks[domain_id]
    for domain_id in fresh.domains:
        domain = core.domains.setdefault(domain_id, DomainState(region.name))
        partition.admit(domain_id)
        if partition.observed and domain.now < 0:
            continue  # a replay's clock starts with its first measurement
        partition.begin(domain_id, max(at, domain.now))
        for index in partition.hazards_of(domain_id):
            scene = partition.scene(domain_id, index)
            when = max(at, domain.now)
            outputs += (
                evaluate(scene, Moment(when, partition.settled(when))) if scene.state.incidents else statuses(scene, scene.cities(), when)
            )
        outputs += review(partition, domain_id, max(at, domain.now))
        partition.wind(domain_id)
    return outputs


def _leave(partition: Partition, old: Bound, new: Bound, at: int) -> list[Output]:
    """The old region has its last word, and everything that stays is carried over."""
    outputs: list[Output] = []
    for domain_id in old.domains:
        now = max(at, partition.core.domains[domain_id].now)
        if waited := score_waiting(old, domain_id):  # what waits is scored by the region it came to
            outputs += take(partition, domain_id, now, waited)
        if domain_id in new.domains:
            leaving.retire(partition, domain_id, old, new, now)
        else:
            outputs += leaving.dissolve(partition, domain_id, now)
    _carry(old, new)
    return outputs


def _carry(old: Bound, new: Bound) -> None:
    """Copy history, health, levels, detector states and silence of the series that stay where they are; what could be undone cannot be any more.

    What moved to another domain starts anew, wherever that is: it must not depend on which domains share a partition.
    """
    known = {(old.domain(row), old.series(row)): row for row in range(len(old.rows))}
    pairs = [(known[one], row) for row in range(len(new.rows)) if (one := (new.domain(row), new.series(row))) in known]
    if not pairs:
        return
    source, target = (np.array(side, np.intp) for side in zip(*pairs, strict=True))
    new.history[target] = old.history[source]
    new.watch[target] = old.watch[source]
    judged = new.health_rows[target]
    new.health[target[judged]] = old.health[source[judged]]
    new.faults = bool(new.health["health"].any())
    by_name = {hazard.hazard.hazard: hazard for hazard in old.hazards}
    for hazard in new.hazards:
        if (before := by_name.get(hazard.hazard.hazard)) is not None:
            hazard.silent[target] = before.silent[source] & hazard.member[target]
            _carry_detectors(before, hazard, source, target)


def _carry_detectors(old: BoundHazard, new: BoundHazard, source: NDArray[np.intp], target: NDArray[np.intp]) -> None:
    by_name = {use.name: (number, use) for number, use in enumerate(old.detectors)}
    for number, use in enumerate(new.detectors):
        if use.name not in by_name:
            continue
        old_number, before = by_name[use.name]
        _move(before.state, use.state, before.compact[source], use.compact[target])
        new.levels[number, target] = np.where(use.compact[target] >= 0, old.levels[old_number, source], 0)


def _move(old: NDArray[Any], new: NDArray[Any], source: NDArray[np.int32], target: NDArray[np.int32]) -> None:
    both = (source >= 0) & (target >= 0)
    new[target[both]] = old[source[both]]
