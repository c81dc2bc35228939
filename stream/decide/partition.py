"""Everything the fold holds of one partition: the state proper (`core`, arrays in `bounds`) and what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.decide.incident import settled_due
from stream.decide.scene import Scene, fresh_counts
from stream.decide.state import Core, HazardState
from stream.decide.status import refresh_due

if TYPE_CHECKING:
    import numpy as np

    from stream.decide.bound import Bound
    from stream.records.warning import Lane

NEVER = 2**62


@dataclass(slots=True)
class Clock:
    """When a domain must be looked at again. `grid_at` runs on `now`, the rest on the settled time (`advance.py`).

    `silent_at[hazard index]` is a lower bound: nobody falls silent before it.
    """

    grid_at: int = NEVER
    settled_at: int = NEVER
    silent_at: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Partition:
    """One partition's state. `clocks`, `fresh` and `weights` are derived and rebuilt on restore; `observed`: a replay lane.

    `weights`: by domain, the pairs of a series and a city that a record may have to judge when everything is in alarm.
    """

    core: Core
    lane: Lane
    observed: bool
    bounds: dict[str, Bound] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    fresh: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)

    def bound(self, domain_id: str) -> Bound:
        """The arrays of the region the domain belongs to."""
        return self.bounds[self.core.domains[domain_id].region]

    def settled(self, at: int) -> int:
        """How far nothing waits in the doors any more, as known at `at`."""
        return at if self.observed else min(at, self.core.doors_written_at)

    def scene(self, domain_id: str, hazard_index: int) -> Scene:
        """The hazard in the domain, ready to be judged."""
        domain = self.core.domains[domain_id]
        bound = self.bounds[domain.region]
        hazard = bound.hazards[hazard_index]
        name = hazard.hazard.hazard
        state = domain.hazards[name]
        key = (domain_id, name)
        if key not in self.fresh:
            self.fresh[key] = fresh_counts(hazard, domain_id, state.silent)
        return Scene(bound.region, hazard, domain_id, domain, state, self.lane, self.fresh[key], self.core.behind)

    def hazards_of(self, domain_id: str) -> list[int]:
        """Indices of the hazards that have series in the domain."""
        present = self.core.domains[domain_id].hazards
        return [index for index, hazard in enumerate(self.bound(domain_id).hazards) if hazard.hazard.hazard in present]

    def admit(self, domain_id: str) -> None:
        """Give the domain a state for every hazard with members in it, and forget series that are not there any more."""
        bound = self.bound(domain_id)
        domain = self.core.domains[domain_id]
        cities = sum(len(hazard.watchers.get(domain_id, ())) for hazard in bound.hazards)
        self.weights[domain_id] = len(bound.members[domain_id]) * cities
        for hazard in bound.hazards:
            rows = bound.members[domain_id][hazard.member[bound.members[domain_id]]]
            members = {bound.series(row) for row in rows}
            if not members and not hazard.watchers.get(domain_id):
                continue
            state = domain.hazards.setdefault(hazard.hazard.hazard, HazardState())
            state.silent = {bound.series(row) for row in rows[hazard.silent[rows]]}
            state.sources = {series: source for series, source in state.sources.items() if series in members}
            self.fresh.pop((domain_id, hazard.hazard.hazard), None)
        self.clocks[domain_id] = Clock(silent_at={index: self._silent_at(domain_id, index) for index in self.hazards_of(domain_id)})
        self.wind(domain_id)

    def sweep(self, domain_id: str, hazard_index: int, at: int) -> list[str]:
        """Mark the series that were not heard for too long at `at` as silent; their ids, sorted."""
        bound = self.bound(domain_id)
        hazard = bound.hazards[hazard_index]
        rows = self._listening(domain_id, hazard_index)
        rows = rows[bound.history["observed_at"][rows, -1] + hazard.silent_after[rows] <= at]
        hazard.silent[rows] = True
        self.clocks[domain_id].silent_at[hazard_index] = self._silent_at(domain_id, hazard_index)
        return sorted(bound.series(row) for row in rows)

    def _listening(self, domain_id: str, hazard_index: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        bound = self.bound(domain_id)
        hazard = bound.hazards[hazard_index]
        rows = bound.members[domain_id]
        return rows[hazard.member[rows] & ~hazard.silent[rows]]

    def _silent_at(self, domain_id: str, hazard_index: int) -> int:
        rows = self._listening(domain_id, hazard_index)
        bound = self.bound(domain_id)
        due = bound.history["observed_at"][rows, -1] + bound.hazards[hazard_index].silent_after[rows]
        return int(due.min()) if len(due) else NEVER

    def wind(self, domain_id: str) -> None:
        """Set the domain's clock anew after its state changed."""
        clock = self.clocks[domain_id]
        scenes = [self.scene(domain_id, index) for index in self.hazards_of(domain_id)]
        clock.grid_at = min((one.state.grid_at for one in scenes if one.state.grid_at is not None), default=NEVER)
        if self.observed:
            clock.grid_at = NEVER
        dues = [due for one in scenes for due in (settled_due(one), refresh_due(one)) if due is not None]
        clock.settled_at = min([*dues, *clock.silent_at.values()], default=NEVER)
