"""`stations.csv`: one row a series. Who measures what, where, how often, for which domain, in which unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from stream.region.names import QUANTITY, STATION
from stream.region.problems import nearest
from stream.region.quantities import QUANTITIES, factor, unit_is_known, unit_of
from stream.region.tables import Columns, read_table
from topology.jurisdiction import build_locator, locate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.region.cities import Cities
    from stream.region.problems import Findings
    from stream.region.tables import Row

FILE = "stations.csv"
NEEDED = ("station", "quantity")
OPTIONAL = ("domain", "unit", "city", "latitude", "longitude", "reach", "reach_km", "interval_s", "timezone", "datum", "also_in")
NO_CITY = "-"
"""In the column `city`: in none, whatever the coordinates say. An empty cell: the city in whose area the station lies, if any."""
_INTERVAL_MIN_S, _INTERVAL_MAX_S = 1e-3, 366 * 86_400.0
_KM_MAX = 20_000.0


@dataclass(frozen=True, slots=True)
class Series:
    """One row of stations.csv, checked. `domain` and `city` are indices (-1 = none); `row` keeps the line and the further columns."""

    series: str
    station: str
    quantity: str
    unit: str
    domain: int
    city: int
    latitude: float
    longitude: float
    reach: str
    reach_km: float
    interval_s: float
    timezone: str
    datum: str
    also_in: tuple[str, ...]
    row: Row


@dataclass(frozen=True, slots=True)
class Known:
    """What the columns of stations.csv may name; None = the file that says so cannot be read, so nothing is checked against it."""

    domains: Mapping[str, int] | None
    cities: Cities | None
    reach_length_km: Mapping[str, float] | None
    defaults: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Stations:
    """All series in the order of their ids, and the names of the further columns (parameters of detectors)."""

    series: tuple[Series, ...]
    further: tuple[str, ...]


def read_stations(data: bytes, known: Known, findings: Findings) -> Stations:
    """The series of a region."""
    table = read_table(FILE, data, Columns(NEEDED, OPTIONAL, further=True), findings)
    found: dict[str, Series] = {}
    for row in table.rows:
        one = _series(row, known, findings)
        if one.series in found:
            findings.add(
                FILE, row.line, "station", f"series {one.series!r} stands twice, first in line {found[one.series].row.line}", "remove one"
            )
        else:
            found[one.series] = one
    further = tuple(name for name in table.header if name not in NEEDED and name not in OPTIONAL)
    if table.header and not table.rows:
        findings.add(FILE, 0, "", "holds no series", "add one row a series")
    ordered = [found[series] for series in sorted(found)]
    return Stations(_located(ordered, known.cities), further)


def _series(row: Row, known: Known, findings: Findings) -> Series:
    station, quantity = row.text("station"), row.text("quantity")
    if not STATION.fullmatch(station):
        findings.add(FILE, row.line, "station", f"{station!r} is no station id", "use 1 to 60 characters without blanks and without / ; ,")
    if not QUANTITY.fullmatch(quantity):
        findings.add(
            FILE, row.line, "quantity", f"{quantity!r} is no quantity", "use lower-case letters, digits and _ (stage, discharge, pm25 ...)"
        )
    reach = row.text("reach")
    return Series(
        series=f"{station}/{quantity}",
        station=station,
        quantity=quantity,
        unit=_unit(row, quantity, known, findings),
        domain=_domain(row, known, findings),
        city=_city(row, known, findings),
        latitude=row.number("latitude", -90.0, 90.0, findings),
        longitude=row.number("longitude", -180.0, 180.0, findings),
        reach=reach,
        reach_km=_reach_km(row, reach, known, findings),
        interval_s=_interval(row, known, findings),
        timezone=_timezone(row, known, findings),
        datum=_cell(row, "datum", known),
        also_in=_also_in(row, known, findings),
        row=row,
    )


def _cell(row: Row, column: str, known: Known) -> str:
    """The cell, or the default of region.toml where it is empty."""
    return row.text(column) or (known.defaults or {}).get(column, "")


def _unit(row: Row, quantity: str, known: Known, findings: Findings) -> str:
    kept = QUANTITIES.get(quantity)
    unit = _cell(row, "unit", known) or unit_of(quantity)
    if kept is None:
        if not unit:
            findings.add(FILE, row.line, "unit", "is empty", f"give the unit: {quantity!r} is no quantity whose unit is known")
        elif unit != "count" and not unit_is_known(unit):
            findings.add(FILE, row.line, "unit", f"{unit!r} is no unit", "write it like m3/s, ug/m3, mg/l, degC")
        return unit
    try:
        scale = factor(unit, kept.unit)
    except ValueError as error:
        findings.add(FILE, row.line, "unit", f"{unit!r} does not measure {quantity}: {error}", f"use {kept.unit}")
        return kept.unit
    if kept.fixed and scale != 1.0:
        fix = f"write {kept.unit}; measurements may still come in {unit} if they say so"
        findings.add(FILE, row.line, "unit", f"{quantity} is kept in {kept.unit}, not in {unit}", fix)
    return kept.unit if scale == 1.0 else unit


def _domain(row: Row, known: Known, findings: Findings) -> int:
    domain = _cell(row, "domain", known)
    if known.domains is None:
        return -1
    if domain not in known.domains:
        problem = f"no domain {domain!r} in region.toml" if domain else "is empty"
        findings.add(FILE, row.line, "domain", problem, f"name a domain: {nearest(domain, known.domains)}")
        return -1
    return known.domains[domain]


def _also_in(row: Row, known: Known, findings: Findings) -> tuple[str, ...]:
    others = tuple(dict.fromkeys(name.strip() for name in row.text("also_in").split(";") if name.strip()))
    for other in others:
        if known.domains is not None and other not in known.domains:
            findings.add(FILE, row.line, "also_in", f"no domain {other!r} in region.toml", nearest(other, known.domains))
        elif other == _cell(row, "domain", known):
            findings.add(FILE, row.line, "also_in", f"{other!r} is the home domain itself", "remove it")
    return others


def _city(row: Row, known: Known, findings: Findings) -> int:
    city = _cell(row, "city", known)
    if known.cities is None or city in {"", NO_CITY}:
        return -1
    if city not in known.cities.index:
        findings.add(FILE, row.line, "city", f"no city {city!r} in cities.geojson", nearest(city, known.cities.index))
        return -1
    return known.cities.index[city]


def _located(ordered: Sequence[Series], cities: Cities | None) -> tuple[Series, ...]:
    """The series, those with an empty city put into the one whose area they lie in."""
    open_ = [
        at for at, one in enumerate(ordered) if one.city < 0 and not one.row.text("city") and not math.isnan(one.latitude + one.longitude)
    ]
    if not open_ or cities is None:
        return tuple(ordered)
    locator = build_locator([city.place for city in cities.cities], cities.areas)
    names = locate(locator, [ordered[at].latitude for at in open_], [ordered[at].longitude for at in open_])
    found = list(ordered)
    for at, name in zip(open_, names, strict=True):
        if name:
            values = {field: getattr(found[at], field) for field in Series.__slots__}
            found[at] = Series(**{**values, "city": cities.index[name]})
    return tuple(found)


def _reach_km(row: Row, reach: str, known: Known, findings: Findings) -> float:
    km = row.number("reach_km", 0.0, _KM_MAX, findings)
    if not reach:
        if not math.isnan(km):
            findings.add(FILE, row.line, "reach", "is empty although reach_km is given", "name the reach, or empty reach_km")
        return math.nan
    if not row.text("reach_km"):
        findings.add(FILE, row.line, "reach_km", "is empty although a reach is given", "give the km from the reach's upstream end")
    if known.reach_length_km is None:
        return km
    if reach not in known.reach_length_km:
        findings.add(FILE, row.line, "reach", f"no reach {reach!r} in reaches.csv", nearest(reach, known.reach_length_km))
    elif km > known.reach_length_km[reach]:
        fix = f"give 0 (its upstream end) to {known.reach_length_km[reach]:g}"
        findings.add(FILE, row.line, "reach_km", f"km {km:g} is outside reach {reach!r}", fix)
    return km


def _interval(row: Row, known: Known, findings: Findings) -> float:
    if not row.text("interval_s"):
        if known.defaults is None:
            return math.nan
        if known.defaults.get("interval_s"):
            return float(known.defaults["interval_s"])
    return row.needed_number("interval_s", _INTERVAL_MIN_S, _INTERVAL_MAX_S, findings)


def _timezone(row: Row, known: Known, findings: Findings) -> str:
    name = _cell(row, "timezone", known) or "UTC"
    if not _zone_is_known(name):
        fix = f"use a name of the tz database such as Asia/Shanghai; {nearest(name, available_timezones())}"
        findings.add(FILE, row.line, "timezone", f"no time zone {name!r}", fix)
    return name


@cache
def _zone_is_known(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
