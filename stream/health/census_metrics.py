"""How things stand in the partitions that a worker holds, as gauges: warnings, incidents, cities, stations, postures.

A collector, not gauges that are set: what a scrape sees is always of one census, and what is gone is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

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
    """The gauges. `per_city`: also the two that have a city as a label."""

    def __init__(self, *, per_city: bool = False) -> None:
        self.per_city = per_city
        self._shown = SHOWN + PER_CITY if per_city else SHOWN

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges as the last census found them."""
        return [GaugeMetricFamily(f"tocsin_{one.name}", one.text, labels=list(one.labels)) for one in self._shown]
