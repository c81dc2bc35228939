"""Everything the fold holds of one partition: the state proper (`core`, arrays in `bounds`) and what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from detectors.rows import NEVER as NEVER_HEARD
from stream.decide import by_hand, maintenance, taking_links
from stream.decide.escalation import escalation_due
from stream.decide.foretelling import only_foretold, without
from stream.decide.incident import settled_due
from stream.decide.linked import LEAD_MS
from stream.decide.posture import due, ruled
from stream.decide.scene import Scene, fresh_counts
from stream.decide.state import Core, HazardState
from stream.decide.station_health import SILENT
from stream.decide.status import refresh_due
from stream.records.posture import Posture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.bound import Bound, BoundHazard
    from stream.records.warning import Lane
    from stream.region.model import Hazard

NEVER = 2**62


@dataclass(slots=True)
class Clock:
    """When a domain must be looked at again.

    `grid_at` and `link_at` run on `now`, `answer_at` on how far answers are read, the rest on the settled time (`advance.py`).
    `silent_at[hazard index]` is a lower bound: nobody falls silent before it.
    """

    grid_at: int = NEVER
    settled_at: int = NEVER
    answer_at: int = NEVER
    link_at: int = NEVER
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
    ruled: dict[tuple[str, str, Posture], Hazard] = field(default_factory=dict)

    def bound(self, domain_id: str) -> Bound:
        """The arrays of the region the domain belongs to."""
        return self.bounds[self.core.domains[domain_id].region]

    def settled(self, at: int) -> int:
        """How far nothing waits in the doors any more, as known at `at`."""
        return at if self.observed else min(at, self.core.doors_written_at)

    def answered(self, at: int) -> int:
        """How far every answer of a city is known at `at`; if they were not read for too long, what is due goes on without them.

        While the clocks disagree nothing is due.
        """
        return at if self.core.unread and not self.core.time_suspect else min(at, self.core.acknowledgements_written_at)

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
        core, lead_ms = self.core, 0 if self.observed else LEAD_MS
        return Scene(
            bound.region, hazard, domain_id, domain, state, self.lane, self.fresh[key], core.behind or core.time.unsure, core.exercise,
            partitions=core.partitions, lead_ms=lead_ms, observed=self.observed, time_suspect=core.time_suspect or core.time.unsure, undated=core.time.unsure,
            ruled=self._ruled(bound, hazard, domain.posture.posture),
        )  # fmt: skip

    def _ruled(self, bound: Bound, hazard: BoundHazard, posture: Posture) -> Hazard | None:
        """The hazard as the posture rules it, made once; None while nothing differs."""
        if posture is Posture.NORMAL:
            return None
        key = (bound.region.region_hash, hazard.hazard.hazard, posture)
        if key not in self.ruled:
            self.ruled[key] = ruled(bound.region, hazard.hazard, posture)
        return self.ruled[key]

    def hazards_of(self, domain_id: str) -> list[int]:
        """Indices of the hazards that have series in the domain."""
        present = self.core.domains[domain_id].hazards
        return [index for index, hazard in enumerate(self.bound(domain_id).hazards) if hazard.hazard.hazard in present]

    def admit(self, domain_id: str) -> None:
        """Give the domain a state for every hazard with members in it, and forget series that are not there any more."""
        bound = self.bound(domain_id)
        domain = self.core.domains[domain_id]
        maintenance.mark(bound, domain_id, domain)
        cities = sum(len(hazard.watchers.get(domain_id, ())) for hazard in bound.hazards)
        self.weights[domain_id] = len(bound.members[domain_id]) * cities
        for hazard in bound.hazards:
            rows = bound.members[domain_id][hazard.member[bound.members[domain_id]]]
            members = {bound.series(row) for row in rows}
            if not members and not hazard.watchers.get(domain_id) and hazard.hazard.hazard not in domain.hazards:
                continue
            state = domain.hazards.setdefault(hazard.hazard.hazard, HazardState())
            reported = {series for series, source in state.sources.items() if source.placed is not None}
            state.silent = (state.silent & reported) | {bound.series(row) for row in rows[hazard.silent[rows]]}
            state.silent_since = {series: at for series, at in state.silent_since.items() if series in state.silent}
            state.sources = {series: source for series, source in state.sources.items() if series in members or source.placed}
            only_foretold(
                state, {name for one in bound.forecasts if bound.hazards[one.hazard] is hazard for name in one.ready.series} & members
            )
            state.fronts = {series: front for series, front in state.fronts.items() if series in members}
            self.fresh.pop((domain_id, hazard.hazard.hazard), None)
        self.clocks[domain_id] = Clock(silent_at={index: self._silent_at(domain_id, index) for index in self.hazards_of(domain_id)})
        self.wind(domain_id)

    def overdue(self, domain_id: str, hazard_index: int, at: int) -> NDArray[np.intp]:
        """The series that were not heard for too long at `at` and are not yet known, or not yet told, to be silent."""
        rows, due = self._silence_due(domain_id, hazard_index)
        return rows[due <= at]

    def silence(self, scene: Scene, hazard_index: int, rows: NDArray[np.intp]) -> set[str]:
        """Let these series count as not reporting; the cities that see less for it."""
        bound = self.bound(scene.domain_id)
        touched: set[str] = set()
        for row in rows[~scene.bound.silent[rows]].tolist():
            series = bound.series(row)
            scene.bound.silent[row] = True
            scene.state.silent.add(series)
            if (heard_at := int(bound.history["observed_at"][row, -1])) != NEVER_HEARD:
                scene.state.silent_since[series] = heard_at
            without(scene, bound.forecasts, row)
            for city in scene.bound.cities_of.get(series, ()):
                scene.fresh[city] -= 1
                touched.add(city)
        self.clocks[scene.domain_id].silent_at[hazard_index] = self._silent_at(scene.domain_id, hazard_index)
        return touched

    def begin(self, domain_id: str, at: int) -> None:
        """From this instant on, a station of the domain that was never heard is missed."""
        self.core.domains[domain_id].began_at = at
        self.clocks[domain_id].silent_at = {index: self._silent_at(domain_id, index) for index in self.hazards_of(domain_id)}

    def _silence_due(self, domain_id: str, hazard_index: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The rows whose silence is still to be noticed, and when it is."""
        bound = self.bound(domain_id)
        hazard: BoundHazard = bound.hazards[hazard_index]
        began_at = self.core.domains[domain_id].began_at
        members = bound.members[domain_id]
        members = members[hazard.member[members]]
        heard_at = bound.history["observed_at"][members, -1]
        # Late measurements of before the beginning are history: nobody has heard the station yet.
        before = hazard.silent[members] & (heard_at + hazard.silent_after[members] <= began_at)
        never = before & ~bound.maintained[members] & (bound.watch["told"][members] != SILENT) & (began_at >= 0)
        listening = ~hazard.silent[members] | never
        heard_at = np.where(never, began_at, heard_at)[listening]
        rows = members[listening]
        return rows, heard_at + hazard.silent_after[rows]

    def _silent_at(self, domain_id: str, hazard_index: int) -> int:
        _, due = self._silence_due(domain_id, hazard_index)
        return int(due.min()) if len(due) else NEVER

    def wind(self, domain_id: str) -> None:
        """Set the domain's clock anew after its state changed."""
        clock = self.clocks[domain_id]
        scenes = [self.scene(domain_id, index) for index in self.hazards_of(domain_id)]
        reviews = [one.state.review_at for one in scenes if one.state.review_at is not None]
        instants = [self.core.domains[domain_id].check_at, *(one.state.grid_at for one in scenes), *reviews]
        clock.grid_at = min((at for at in instants if at is not None), default=NEVER)
        waiting = [escalation_due(incident) for one in scenes for incident in one.state.incidents.values()]
        clock.answer_at = min((at for at in waiting if at is not None), default=NEVER)
        if self.observed:  # and nobody answers history
            clock.grid_at = clock.answer_at = NEVER
        clock.link_at = min((at for one in scenes if (at := taking_links.due(one.state)) is not None), default=NEVER)
        dues = [due for one in scenes for due in (settled_due(one), refresh_due(one)) if due is not None]
        dues += reviews if self.observed else []
        dues += [at for at in (by_hand.due(self.core.domains[domain_id].by_hand),) if at is not None]
        dues += [min(one.state.retired.values()) for one in scenes if one.state.retired]
        if (posture_due := due(self.core.domains[domain_id].posture, self.bound(domain_id).region.postures)) is not None:
            dues.append(posture_due)
        clock.settled_at = min([*dues, *clock.silent_at.values()], default=NEVER)
