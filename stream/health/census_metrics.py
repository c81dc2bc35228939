"""How things stand in the partitions that a worker holds, as gauges: warnings, incidents, cities, stations, postures.

A collector, not gauges that are set: what a scrape sees is always of one census, and what is gone is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stream.decide.census import Census
from stream.records.posture import Posture
from stream.records.warning import CityState
from stream.warnings.reading import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Shown(NamedTuple):
    name: str
    text: str
    labels: tuple[str, ...]


SHOWN = (
    _Shown("warnings_active", "Warnings of cities that are in force", ("hazard", "level")),
    _Shown("incidents_open", "Open incidents", ("hazard",)),
    _Shown("city_statuses", "Pairs of a city and a domain, by how the city stands; unknown: nobody can say", ("hazard", "status")),
    _Shown("stations", "Series of stations", ("quantity",)),
    _Shown("stations_silent", "Series of stations that do not report", ("quantity",)),
    _Shown("domains", "Domains by their posture", ("posture",)),
    _Shown("time_suspect_partitions", "Partitions whose clocks contradict each other: nothing expires or clears there", ()),
)
PER_CITY = (
    _Shown("city_level", "Level of the warning of a city: 0 none, 1 blue, 2 yellow, 3 orange, 4 red", ("city", "hazard")),
    _Shown("city_observed_timestamp_seconds", "When what can see this danger for the city was observed last", ("city", "hazard")),
)


class CensusMetrics(Collector):
    """The gauges, of the census in `now`. `per_city`: also the two that have a city as a label."""

    def __init__(self, *, per_city: bool = False) -> None:
        self._shown = SHOWN + PER_CITY if per_city else SHOWN
        self.now = Census()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges as the last census found them; what can be is 0 where there is none of it."""
        found = _values(self.now)
        families = []
        for one in self._shown:
            family = GaugeMetricFamily(f"tocsin_{one.name}", one.text, labels=one.labels)
            for labels, value in found[one.name]:
                family.add_metric(labels, value)
            families.append(family)
        return families


def _values(now: Census) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    """By metric: the labels and the value of each of its series."""
    hazards = sorted(now.hazards)
    cities = sorted(now.cities.items())
    return {
        "warnings_active": [((hazard, level), now.warnings[hazard, level]) for hazard in hazards for level in LEVELS[1:]],
        "incidents_open": [((hazard,), now.incidents[hazard]) for hazard in hazards],
        "city_statuses": [((hazard, status), now.statuses[hazard, status]) for hazard in hazards for status in CityState],
        "stations": [((quantity,), count) for quantity, count in sorted(now.stations.items())],
        "stations_silent": [((quantity,), now.silent[quantity]) for quantity in sorted(now.stations)],
        "domains": [((posture,), now.postures[posture]) for posture in Posture],
        "time_suspect_partitions": [((), now.time_suspect)],
        "city_level": [(key, one.level) for key, one in cities],
        "city_observed_timestamp_seconds": [(key, one.observed_at / 1000) for key, one in cities if one.observed_at is not None],
    }
