"""From the words of a person ("this station, this hazard, at three o'clock") to what a footprint is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream.errors import TocsinError
from stream.footprints.asked import numbers
from stream.footprints.course import course_of
from stream.region.problems import nearest
from topology.base import Conditions, Source, Winds
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from stream.footprints.asked import Asked
    from stream.footprints.course import Course
    from stream.region.model import Hazard, Region

_RIVER = "river_"


@dataclass(frozen=True, slots=True)
class Question:
    """What the footprint is asked; `course` is the river as far as places on it are known (None: no river hazard)."""

    region: Region
    hazard: Hazard
    source: Source
    conditions: Conditions
    course: Course | None


def question(region: Region, asked: Asked) -> Question:
    """The question; TocsinError says what was not understood and what there is instead.

    `asked.source` is a series (`station/quantity`), a station, a city, `latitude,longitude` or `reach:kilometre`.
    """
    hazard = hazard_of(region, asked.hazard)
    course = course_of(region, hazard.graph.cities.network) if hazard.footprint.startswith(_RIVER) else None
    source = _place(region, hazard, asked, course)
    if course is not None and not source.reach:
        some = ", ".join(course.network.reaches[at] for at in range(min(5, len(course.network.reaches))))
        msg = f"{asked.source!r} is on no river; {hazard.hazard} goes by river: name a station on it, or reach:kilometre (reaches: {some} ...)"
        raise TocsinError(msg)
    discharge = {source.reach: asked.discharge} if math.isfinite(asked.discharge) else None
    winds = _winds(source, asked) if asked.wind else None
    return Question(region, hazard, source, Conditions(asked.at, winds, discharge), course)


def hazard_of(region: Region, name: str) -> Hazard:
    """The hazard of that name; "" is the only one there is. TocsinError when there is none, or it stays in one place."""
    moving = {hazard.hazard: hazard for hazard in region.hazards if hazard.footprint}
    if not name and len(moving) == 1:
        return next(iter(moving.values()))
    if name not in moving:
        what = f"no hazard {name!r} has a footprint:" if name else "which hazard?"
        msg = f"{what} region {region.name} has {', '.join(sorted(moving)) or 'none'}; name one with --hazard"
        raise TocsinError(msg)
    return moving[name]


def _place(region: Region, hazard: Hazard, asked: Asked, course: Course | None) -> Source:
    text = asked.source
    row = _row(region, hazard, text)
    if row is not None:
        city = int(region.series.city[row])
        city_id = region.cities[city].city_id if city >= 0 else ""
        latitude, longitude = float(region.series.latitude[row]), float(region.series.longitude[row])
        on_river = (region.series.reach[row], float(region.series.reach_km[row]))
        return _source(
            asked, (region.series.ids[row], city_id), _somewhere(region, course, (latitude, longitude), city_id, on_river), on_river
        )
    if text in region.city_index:
        place = region.cities[region.city_index[text]].place
        return _source(asked, ("", text), (place.latitude, place.longitude), place.river[0] if place.river else ("", math.nan))
    if (point := numbers(text)) is not None:
        if not (-90 <= point[0] <= 90 and -180 <= point[1] <= 180):  # noqa: PLR2004  the Earth's
            msg = f"--source {text!r} lies outside the Earth: give latitude,longitude in degrees"
            raise TocsinError(msg)
        return _source(asked, ("", _city_at(region, *point)), point, ("", math.nan))
    reach, _, km = text.rpartition(":")
    if course is not None and reach in course.network.index:
        return _on_reach(region, asked, course, reach, km)
    stations = [*region.series.station, *region.series.ids, *region.city_index]
    msg = (
        f"--source {text!r} is no series, station, city, latitude,longitude or reach:kilometre of {region.name}; {nearest(text, stations)}"
    )
    raise TocsinError(msg)


def _on_reach(region: Region, asked: Asked, course: Course, reach: str, km: str) -> Source:
    length_km = float(course.network.length_km[course.network.index[reach]])
    try:
        at_km = float(km)
    except ValueError:
        at_km = math.nan
    if not 0.0 <= at_km <= length_km:
        msg = f"--source {asked.source!r}: reach {reach} has the kilometres 0 (upstream end) to {length_km:g}"
        raise TocsinError(msg)
    on_river = (reach, at_km)
    return _source(asked, ("", ""), _somewhere(region, course, (math.nan, math.nan), "", on_river), on_river)


def _row(region: Region, hazard: Hazard, text: str) -> int | None:
    """The series meant: itself, or of a station the one this hazard is detected on, else any."""
    if text in region.series.row_of:
        return region.series.row_of[text]
    rows = [row for row, station in enumerate(region.series.station) if station == text]
    watched = set(hazard.rows.tolist())
    return next(iter(sorted(rows, key=lambda row: (row not in watched, row))), None)


def _source(asked: Asked, who: tuple[str, str], where: tuple[float, float], on_river: tuple[str, float]) -> Source:
    """`who`: series and city id, "" unknown."""
    return Source(
        series=who[0] or asked.source,
        city_id=who[1],
        latitude=where[0],
        longitude=where[1],
        reach=on_river[0],
        reach_km=on_river[1],
        onset_at=asked.at,
        observed_at=asked.at,
        ended_at=None,
        value=asked.value,
        score=1.0,
    )


def _somewhere(
    region: Region, course: Course | None, own: tuple[float, float], city_id: str, on_river: tuple[str, float]
) -> tuple[float, float]:
    """The best known coordinates: its own, those of the river there, those of its city; NaN if none."""
    if not math.isnan(own[0]):
        return own
    if course is not None and on_river[0] and not math.isnan((point := course.position(*on_river))[0]):
        return point
    if city_id:
        place = region.cities[region.city_index[city_id]].place
        return place.latitude, place.longitude
    return own


def _city_at(region: Region, latitude: float, longitude: float) -> str:
    """The city whose circle holds the point, the nearest of several; "" for none."""
    places = [city.place for city in region.cities]
    away_km = distance_km(latitude, longitude, np.array([one.latitude for one in places]), np.array([one.longitude for one in places]))
    away_km = np.where(away_km <= np.array([one.radius_km for one in places]), away_km, np.inf)
    at = int(away_km.argmin())
    return places[at].city_id if np.isfinite(away_km[at]) else ""


def _winds(source: Source, asked: Asked) -> Winds:
    speed, from_deg = asked.wind or (math.nan, math.nan)
    if not (0.0 <= speed <= 120.0 and 0.0 <= from_deg <= 360.0):  # noqa: PLR2004  no wind is faster; a compass has 360 degrees
        msg = f"--wind {speed:g},{from_deg:g}: give the speed in m/s and the direction it blows from in degrees (0 to 360), as in --wind 4,270"
        raise TocsinError(msg)
    columns = [np.array([one]) for one in (source.latitude, source.longitude, speed, from_deg)]
    return Winds(np.array([asked.at]), *columns)
