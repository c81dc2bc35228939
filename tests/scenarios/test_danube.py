"""Nine years of real floods through a real broker: who is warned lies in the water's way, in time, and seldom for nothing."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.region.shared import REGIONS, table
from tests.scenarios import river_oracle, river_skill

if TYPE_CHECKING:
    from tests.scenarios.played import Played

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
FIRST, LAST = date(1980, 1, 1), date(1988, 12, 31)
YEARS = 9


@dataclass(frozen=True)
class River:
    """The data set: days and discharge (m3/s) of the tested years, levels reached once in T years learned before them, and the edges."""

    days: list[date]
    discharge: dict[str, list[float]]
    learned: dict[float, dict[str, float]]
    edges: list[tuple[str, str]]

    @property
    def below_others(self) -> list[str]:
        """Gauges with upstream gauges."""
        return [gauge for gauge, upper in sorted(river_skill.upstream_of(self.edges).items()) if upper]

    def floods(self) -> dict[str, list[date]]:
        """The days on which 2-year events began."""
        return {gauge: river_skill.events(self.days, self.discharge[gauge], self.learned[2.0][gauge]) for gauge in self.below_others}


@pytest.fixture(scope="module")
def river() -> River:
    rows = table("rivers/danube_daily_discharge_1959_1989.csv.gz")
    gauges = [name for name in rows[0] if name != "date"]
    maxima: dict[str, dict[int, float]] = {gauge: defaultdict(float) for gauge in gauges}
    tested = []
    for row in rows:
        day = date.fromisoformat(row["date"])
        if 1960 <= day.year < FIRST.year:
            for gauge in gauges:
                maxima[gauge][day.year] = max(maxima[gauge][day.year], float(row[gauge]))
        elif FIRST <= day <= LAST:
            tested.append((day, row))
    learned = {years: {gauge: float(np.quantile(list(maxima[gauge].values()), 1 - 1 / years)) for gauge in gauges} for years in (1.5, 2.0)}
    edges = [(row["upstream"], row["downstream"]) for row in table("rivers/danube_edges.csv")]
    return River([day for day, _ in tested], {gauge: [float(row[gauge]) for _, row in tested] for gauge in gauges}, learned, edges)


@pytest.fixture(scope="module")
def above(river: River) -> dict[str, list[date]]:
    """The days on which each gauge stood at or above its lowest committed level."""
    with (REGIONS / "danube" / "stations.csv").open(encoding="utf-8") as file:
        lowest = {row["station"]: float(row["blue"]) for row in csv.DictReader(file)}
    return {
        gauge: [day for day, value in zip(river.days, values, strict=True) if value >= lowest[gauge]]
        for gauge, values in river.discharge.items()
    }


def opened(danube: Played) -> dict[str, date]:
    """When the sources of each incident can have begun: one that was split off has some of the one it was part of."""
    records = {body["incident_id"]: body for body in danube.told("incidents")}

    def began(incident_id: str) -> date:
        body = records[incident_id]
        own = river_oracle.day_of(body["opened_at"])
        return min(own, began(body["split_from"])) if body.get("split_from") else own

    return {incident_id: began(incident_id) for incident_id in records}


def test_only_sources_and_what_lies_below_them_are_warned(danube: Played, river: River, above: dict[str, list[date]]) -> None:
    messages = [body for told in danube.warned().values() for body in told]
    assert len(messages) > 1000
    assert river_oracle.outside(messages, opened(danube), above, river_oracle.below(river.edges)) == []
    upwards = river_oracle.below([(lower, upper) for upper, lower in river.edges])
    assert len(river_oracle.outside(messages, opened(danube), above, upwards)) > 500, "the oracle sees a river that runs backwards"


def test_a_city_whose_own_gauge_is_above_its_level_is_warned_by_same_place_that_day(danube: Played, above: dict[str, list[date]]) -> None:
    warned = danube.warned()
    for gauge, days in above.items():
        for day in days:
            told = [body for body in warned[gauge] if river_oracle.day_of(body["sent_at"]) <= day]
            assert told, f"{gauge} never warned by {day}"
            last = told[-1]
            assert last["msg_type"] not in {"all_clear", "cancel"}, f"{gauge} was told {last['msg_type']} at {last['sent_at']}"
            own = [body for body in told if body["warning_id"] == last["warning_id"] and "same_place" in body["paths"]]
            assert own, f"{gauge} on {day}: no warning says that it is here"


def test_every_incident_begins_with_a_gauge_above_its_level(danube: Played, above: dict[str, list[date]]) -> None:
    for body in danube.told("incidents"):
        if body["revision"] == 1 and not body.get("split_from"):
            gauges = [one["series"].partition("/")[0] for one in body["sources"]]
            began = river_oracle.day_of(body["opened_at"])
            assert gauges
            assert all(began in above[gauge] for gauge in gauges), body


def test_warnings_come_before_the_floods_and_seldom_for_nothing(danube: Played, river: River) -> None:
    gauges, floods = river.below_others, river.floods()
    upper = river_skill.upstream_of(river.edges)
    by_rule = {}
    for gauge in gauges:
        on = [any(river.discharge[one][i] >= river.learned[1.5][one] for one in upper[gauge]) for i in range(len(river.days))]
        by_rule[gauge] = river_skill.episodes([day for day, alarmed in zip(river.days, on, strict=True) if alarmed])
    plain = river_skill.skill(gauges, floods, by_rule, YEARS)
    warned = danube.warned()
    found = river_skill.skill(gauges, floods, {gauge: river_skill.river_warnings(warned[gauge]) for gauge in gauges}, YEARS)
    print(f"\nDanube 1980-1988, {len(gauges)} gauges below others\n  plain rule: {plain.line}\n  tocsin:     {found.line}")
    assert (round(plain.hits / plain.events, 3), round(plain.early / plain.events, 3)) == (0.922, 0.641), "the yardstick has changed"
    assert found.events >= 200
    assert found.hits / found.events >= 0.92
    assert found.early / found.events >= 0.65
    assert found.false / found.gauge_years <= 1.2
