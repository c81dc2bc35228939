"""How far it is from where something was found to a city: as the region's own network and coordinates say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from topology.geodesy import bearing_deg, distance_km
from topology.river import build_clock, cities_below

if TYPE_CHECKING:
    from stream.region.model import Hazard, Region
    from stream.review.explain_source import Place
from topology.base import Source, TopologyError


class Way(NamedTuple):
    """How far a city is, and in which direction (degrees from north, NaN along a river); `asset`: its point that is reached first."""

    distance_km: float
    bearing_deg: float
    asset: str = ""


def along_river(hazard: Hazard, place: Place, city_id: str, onset_at: int) -> Way | None:
    """The way down the river to a city; None where the network knows none."""
    if not place.reach or not hasattr(hazard.graph, "cities"):
        return None
    cities = hazard.graph.cities
    network = cities.network
    source = Source("", "", math.nan, math.nan, place.reach, place.reach_km, onset_at, onset_at, None, math.nan, 0.0)
    try:
        below = cities_below(cities, build_clock(network, network.velocity_m_per_s, 1.0), source)
    except TopologyError:
        return None
    found = next((one for one in below if one.city_id == city_id), None)
    return None if found is None else Way(found.distance_km, math.nan, found.asset)


def over_land(region: Region, place: Place, city_id: str) -> Way | None:
    """The straight way to a city; None where either's coordinates are unknown."""
    at = region.city_index.get(city_id)
    latitude, longitude = coordinates(region, place)
    if at is None or math.isnan(latitude):
        return None
    to = region.cities[at].place
    here = (latitude, longitude, to.latitude, to.longitude)
    return Way(float(distance_km(*here)), float(bearing_deg(*here)))


def coordinates(region: Region, place: Place) -> tuple[float, float]:
    """The place's own coordinates, else those of its city; NaN when neither is known."""
    if math.isnan(place.latitude) and place.city_id:
        city = region.cities[region.city_index[place.city_id]].place
        return city.latitude, city.longitude
    return place.latitude, place.longitude
