"""Where a judgement takes place: one hazard in one domain of a region, with its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.records.instants import to_text
from stream.records.warning import Coverage, Lane

if TYPE_CHECKING:
    from stream.decide.bound import BoundHazard
    from stream.decide.state import DomainState, HazardState, IncidentState, SourceState
    from stream.region.model import City, Hazard, Region

SILENT_NAMED = 20
"""So many silent series are named in a message; the count is always complete."""


@dataclass(frozen=True, slots=True)
class Scene:
    """`partitions`: of the journal; `lead_ms`: how long after it was decided what is passed on takes effect. One hazard in one domain. `fresh` counts, for every city, its watching series that report; `behind`: the doors are not being read, or nobody knows for how long what they hold has been there.

    `exercise`: the one under way, "" = none. `observed`: a replay lane. `time_suspect`: the clocks contradict each other;
    `undated`: they have for so long that nobody can say how old anything is (then `behind`, too).
    """

    region: Region
    bound: BoundHazard
    domain_id: str
    domain: DomainState
    state: HazardState
    lane: Lane
    fresh: dict[str, int]
    behind: bool
    exercise: str = ""
    partitions: int = 1
    lead_ms: int = 0
    ruled: Hazard | None = None
    observed: bool = False
    time_suspect: bool = False
    undated: bool = False

    @property
    def hazard(self) -> Hazard:
        """The hazard's rules, as the domain's posture has them, and footprint."""
        return self.ruled or self.bound.hazard

    def city(self, city_id: str) -> City | None:
        """The city, or None if the region no longer has it."""
        index = self.region.city_index.get(city_id)
        return None if index is None else self.region.cities[index]

    def sources_of(self, incident: IncidentState) -> list[SourceState]:
        """The sources an incident consists of, by their series."""
        return [self.state.sources[series] for series in incident.series if series in self.state.sources]

    def cities(self) -> dict[str, tuple[str, ...]]:
        """Every city this domain watches for this hazard, with the series that do."""
        return self.bound.watchers.get(self.domain_id, {})

    def coverage(self, city_id: str) -> Coverage:
        """How much of what could see this danger for the city reports now."""
        watching = self.cities().get(city_id, ())
        silent = [series for series in watching if series in self.state.silent] if self.state.silent else []
        planned = [series for series in silent if self._maintained(series)] if self.domain.by_hand.maintained else []
        silent = [series for series in silent if series not in planned] if planned else silent
        named = tuple(silent[:SILENT_NAMED])
        return Coverage(self.fresh.get(city_id, 0), len(watching), named, tuple(planned[:SILENT_NAMED]), self._silent_since(named))

    def _silent_since(self, silent: tuple[str, ...]) -> str | None:
        """Since when the first of them has not been heard; what was never heard is missed since the domain began."""
        since = [self.state.silent_since.get(series, self.domain.began_at) for series in silent]
        return to_text(min(since)) if since and min(since) >= 0 else None

    def _maintained(self, series: str) -> bool:
        """Whether a series does not report because its station is in planned maintenance."""
        stated = self.domain.by_hand.maintained
        return any(one in stated and stated[one].under_way for one in (series, series.rpartition("/")[0]))

    def sees(self, city_id: str) -> bool:
        """Whether enough of the city's network reports, and the doors are being read. A city nothing watches is not seen."""
        watching = len(self.cities().get(city_id, ()))
        return not self.behind and watching > 0 and self.fresh.get(city_id, 0) >= self.hazard.rules.min_coverage * watching


def fresh_counts(bound: BoundHazard, domain_id: str, silent: set[str]) -> dict[str, int]:
    """For every city of the domain, how many of its watching series are not silent."""
    return {city: sum(series not in silent for series in watching) for city, watching in bound.watchers.get(domain_id, {}).items()}
