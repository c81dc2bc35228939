"""A month of real smoke through a real broker: who is warned by wind lies downwind of a source, at the instant of the warning."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.region.shared import POINTS, REGIONS, beijing_rows, table
from tests.scenarios import wind_oracle
from tests.scenarios.wind_oracle import Spot, Wind

if TYPE_CHECKING:
    from tests.scenarios.played import Played

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
START, END = "2014-01-01", "2014-02-01"
LOWEST_UG_M3 = 75
"""No hourly index of HJ 633-2012 above 100, the least that is called pollution, without an hour above this among the last twelve."""


class Air(NamedTuple):
    """The data set: sites, the wind of every hour, and every site's PM2.5 by hour (hours since 1970)."""

    sites: dict[str, Spot]
    winds: list[Wind]
    pm25: dict[str, dict[float, float]]


def hour_of(text: str) -> float:
    return datetime.fromisoformat(text).timestamp() / 3600


@pytest.fixture(scope="module")
def air() -> Air:
    features = json.loads((REGIONS / "beijing" / "cities.geojson").read_text("utf-8"))["features"]
    sites = {
        one["properties"]["id"]: Spot(*reversed(one["geometry"]["coordinates"]), one["properties"]["radius_km"])
        for one in features
        if one["geometry"] and "radius_km" in one["properties"]
    }
    winds = [
        Wind(hour_of(f"{row['time']}+08:00"), float(row["WSPM"]), POINTS.index(row["wd"]) * 22.5)
        for row in table("air/beijing_weather_hourly_201303_201506.csv.gz")
        if START <= row["time"] < END and row["WSPM"] and row["wd"]
    ]
    pm25: dict[str, dict[float, float]] = defaultdict(dict)
    for series, time, value in beijing_rows(START, END):
        site, _, quantity = series.partition("/")
        if quantity == "pm25":
            pm25[site][hour_of(time)] = float(value)
    return Air(sites, winds, pm25)


def sources_at(beijing: Played) -> dict[str, list[tuple[float, set[str]]]]:
    """By incident: from which hour on which sites were its sources."""
    found: dict[str, list[tuple[float, set[str]]]] = defaultdict(list)
    for body in beijing.told("incidents"):
        found[body["incident_id"]].append((hour_of(body["as_of_at"]), {one["series"].partition("/")[0] for one in body["sources"]}))
    return found


def claims(beijing: Played) -> list[tuple[float, str, str, str]]:
    """(hour, incident, city, path) of every path a message claims at its instant; one that only ends or holds a warning claims nothing."""
    return [
        (hour_of(body["sent_at"]), body["incident_id"], city, path)
        for city, told in beijing.warned().items()
        for body in told
        if body["reasons"]
        for path in body["paths"]
    ]


def endings(beijing: Played) -> dict[str, list[tuple[float, bool]]]:
    """By site: from which hour on there was smoke, or none."""
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for body in beijing.told("evidence"):
        if body["quantity"] == "pm25":
            found[body["station"]].append((hour_of(body["as_of_at"]), body["level"] != "none"))
    return found


def outside(
    found: list[tuple[float, str, str, str]],
    sources: dict[str, list[tuple[float, set[str]]]],
    smoke: dict[str, list[tuple[float, bool]]],
    air: Air,
) -> list[str]:
    """The claims that the winds up to their instant do not bear out."""
    wrong = []
    carried = cache(lambda hour, ended: wind_oracle.carried(air.winds, hour, ended))

    def ended(site: str, hour: float) -> float | None:
        at, smoking = max(one for one in smoke[site] if one[0] <= hour)
        return None if smoking else at

    for hour, incident, city, path in found:
        standing = [sites for as_of, sites in sources[incident] if as_of <= hour][-1]
        if path == "same_place":
            allowed = city in standing
        else:
            spots = air.sites
            allowed = any(wind_oracle.reaches(spots[one], spots[city], carried(hour, ended(one, hour))) for one in standing - {city})
        if not allowed:
            wrong.append(f"{hour}: {city} by {path}, sources {[(one, ended(one, hour)) for one in sorted(standing)]}")
    return wrong


def test_only_cities_downwind_of_a_source_are_warned(beijing: Played, air: Air) -> None:
    found, sources, smoke = claims(beijing), sources_at(beijing), endings(beijing)
    assert sum(path == "wind" for *_, path in found) > 200
    assert outside(found, sources, smoke, air) == []
    turned = air._replace(winds=[wind._replace(from_deg=(wind.from_deg + 180) % 360) for wind in air.winds])
    assert len(outside(found, sources, smoke, turned)) > 100, "the oracle sees a wind that blows the other way"


def test_every_warning_begins_with_a_claim_that_was_checked(beijing: Played) -> None:
    for city, told in beijing.warned().items():
        begun: set[str] = set()
        for body in told:
            if body["reason"] == "first":
                assert body["reasons"], (city, body["sent_at"])
                begun.add(body["warning_id"])
            assert body["warning_id"] in begun, (city, body["sent_at"])


def test_sources_are_sites_with_smoke_and_their_own_city_is_told_by_same_place(beijing: Played, air: Air) -> None:
    here = defaultdict(list)
    for hour, incident, city, path in claims(beijing):
        if path == "same_place":
            here[incident, city].append(hour)
    for body in beijing.told("incidents"):
        hour = hour_of(body["as_of_at"])
        for one in body["sources"]:
            site = one["series"].partition("/")[0]
            began = hour_of(body["opened_at"])
            since = [value for at, value in air.pm25[site].items() if began - 12 < at <= hour]
            assert max(since) >= LOWEST_UG_M3, (site, body["as_of_at"])
            assert any(at <= hour for at in here[body["incident_id"], site]), (site, body["as_of_at"])


def test_how_long_before_its_own_smoke_a_site_was_warned(beijing: Played) -> None:
    crossings: dict[str, list[float]] = defaultdict(list)
    for body in beijing.told("evidence"):
        if body["quantity"] == "pm25" and body["previous_level"] == "none":
            crossings[body["station"]].append(hour_of(body["as_of_at"]))
    leads, for_nothing, begun = [], 0, 0
    for city, told in beijing.warned().items():
        by_wind: dict[tuple[str, int], float] = {}
        episode = 0
        ends: dict[tuple[str, int], float] = {}
        for body in told:
            episode += body["reason"] == "first"
            key = (body["warning_id"], episode)
            if body["reasons"] and "wind" in body["paths"] and "same_place" not in body["paths"]:
                by_wind.setdefault(key, hour_of(body["sent_at"]))
            ends[key] = hour_of(body["sent_at"])
        begun += len(by_wind)
        for key, start in by_wind.items():
            own = [hour for hour in crossings[city] if start <= hour <= ends[key]]
            leads += [own[0] - start] if own else []
            for_nothing += not own
    assert len(leads) + for_nothing == begun
    incidents = {body["incident_id"] for body in beijing.told("incidents")}
    warnings = {body["warning_id"] for told in beijing.warned().values() for body in told}
    print(
        f"\nBeijing, January 2014: {len(incidents)} incidents, {len(warnings)} warnings, {sum(map(bool, beijing.warned().values()))} cities; "
        f"{begun} times warned by wind alone, {len(leads)} of them then crossed the level themselves, "
        f"median {statistics.median(leads):.0f} h and at most {max(leads):.0f} h later"
    )
    assert incidents
