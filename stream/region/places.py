"""Footprint graphs of a region, built once for equal footprints and parameters; their faults become problems of the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.region.hazards import build_graph
from stream.region.reaches import REACHES_FILE, TRAVEL_FILE, River
from topology.base import Places, TopologyError
from topology.lags import LAGS_FILE

if TYPE_CHECKING:
    from stream.region.cities import Cities
    from stream.region.hazards import HazardDraft
    from stream.region.problems import Findings
    from topology.base import Fault, Lag, Travel

RIVER = "river_"
"""Footprints whose name begins like this run on reaches.csv."""


@dataclass(slots=True)
class Graphs:
    """What graphs are built from. `river` None: it could not be read (said already), so no river is built."""

    cities: Cities | None
    river: River | None
    travel: tuple[Travel, ...]
    lags: tuple[Lag, ...]
    findings: Findings
    _built: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def build(self, draft: HazardDraft) -> Any:
        """The graph of a hazard's footprint, None if it has none or its input is wrong (then that is a problem)."""
        if not draft.footprint or self.cities is None:
            return None
        if draft.footprint.startswith(RIVER):
            if not self.river:
                if self.river is not None:
                    fix = f"add {REACHES_FILE}, or choose another footprint"
                    draft.fields.problem("footprint", f"{draft.footprint} needs a river network", fix)
                return None
            self._note_cities_without_river(draft)
        key = (draft.footprint, tuple(sorted(draft.footprint_parameters.items())))
        if key not in self._built:
            self._built[key] = self._try(draft)
        return self._built[key]

    def _try(self, draft: HazardDraft) -> Any:
        cities = self.cities.cities if self.cities else ()
        river = self.river or River()
        places = Places(tuple(city.place for city in cities), river.rows, self.travel, self.lags, river.network)
        try:
            return build_graph(draft.footprint, places, draft.footprint_parameters)
        except TopologyError as error:
            for fault in error.faults:
                self._add(draft, fault)
        return None

    def _add(self, draft: HazardDraft, fault: Fault) -> None:
        if fault.table == "parameters":
            table = draft.fields.sub("footprint_parameters") or draft.fields
            table.problem(fault.field, fault.problem, fault.fix)
        # Places of cities and gauges were looked at before: what is wrong with them is said already.
        elif fault.table in {REACHES_FILE, TRAVEL_FILE, LAGS_FILE} or not self.findings.problems:
            self.findings.add(fault.table, fault.line, fault.field, fault.problem, fault.fix)

    def _note_cities_without_river(self, draft: HazardDraft) -> None:
        on_border = self.river.banks() if self.river else frozenset()
        for city in self.cities.cities if self.cities else ():
            if not city.place.river and city.city_id not in on_border:
                line = self.cities.lines[city.city_id] if self.cities else 0
                what = f"{city.city_id} has no position on a river: no forecast of {draft.hazard}, only what is measured there"
                why = f' ("{city.note}")' if city.note else ""
                self.findings.note("cities.geojson", line, "river", what + why, "give its reach and km where there is a source for them")
