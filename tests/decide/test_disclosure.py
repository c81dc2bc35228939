"""Case counts leave their own city in bands of ten only, and nothing that is told can be subtracted to find one out."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decide.disclosure import MOST, K, banded
from stream.records.instants import DAY
from stream.records.output import Kind
from tests.decide.test_corrections import OUTBREAK, STATIONS

WEEK = 7 * DAY


@given(st.integers(0, 100_000_000))
def test_a_band_holds_its_count_and_ten_counts_look_the_same(count: int) -> None:
    band = banded(float(count))
    assert band.to is not None
    assert band.value <= count <= band.to
    assert band.to - band.value == K - 1
    assert {banded(float(one)) for one in range(int(band.value), int(band.to) + 1)} == {band}


@pytest.fixture
def outbreak(story, files, start):
    """An outbreak in ava (33 cases), a smaller one in bor (9 cases), after forty quiet weeks of one or none."""
    cities = json.loads(files["cities.geojson"])
    for city in cities["features"]:
        city["properties"].pop("river")
    changed = {
        "region.toml": files["region.toml"].replace("water", "health"),
        "stations.csv": STATIONS,
        "hazards/outbreak.toml": OUTBREAK.replace("[rules]", "[scan]\nzone_most = 3\n[rules]"),
        "cities.geojson": json.dumps(cities),
    }
    tale = story({**changed, "hazards/flood.toml": "", "reaches.csv": ""})
    rng = random.Random(1)
    for week in range(42):
        at = start + week * WEEK
        counts = {name: float(rng.randrange(2)) for name in ("upper", "middle", "lower")}
        counts |= {"upper": 33.0, "middle": 9.0} if week >= 40 else {}
        tale.measure(at, {f"{name}/cases": value for name, value in counts.items()}, observed_at=at)
        tale.tick(at + 1000)
    return tale


def told(tale):
    """(reader, series, value, value_to) of every count in every record; the reader of what all may read is ""."""
    for output in tale.outputs:
        if output.kind not in {Kind.CITY, Kind.INCIDENTS, Kind.EVIDENCE} or output.value is None:
            continue
        body = json.loads(output.value)
        reader = body.get("city_id", "") if output.kind is Kind.CITY else ""
        found = [body] if output.kind is Kind.EVIDENCE else [*body.get("evidence", ()), *body.get("sources", ())]
        yield from ((reader, one["series"], one["value"], one["value_to"]) for one in found if "value" in one)


def test_only_the_city_itself_is_told_its_exact_count(outbreak) -> None:
    own = {"upper/cases": "ava", "middle/cases": "bor", "lower/cases": "cam"}
    found = list(told(outbreak))
    exact = {(reader, series) for reader, series, _, to in found if to is None}
    assert ("ava", "upper/cases") in exact
    assert {(reader, series) for reader, series in exact if reader and own.get(series) != reader} == set()
    assert {(value, to) for reader, series, value, to in found if not reader and series == "upper/cases"} == {(30.0, 39.0)}
    totals = {(value, to) for _, series, value, to in found if series.startswith("scan/")}
    assert totals <= {(0.0, MOST)}


def test_no_sentence_of_another_city_holds_the_number(outbreak) -> None:
    assert " 33 " in "".join(one["text"]["en"] for one in outbreak.messages("ava"))
    for city in ("bor", "cam"):
        assert "33" not in "".join(one["text"]["en"] + one["text"]["zh"] for one in outbreak.messages(city))
