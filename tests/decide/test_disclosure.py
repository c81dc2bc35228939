"""Case counts leave their own city in bands of ten only, and nothing that is told can be subtracted to find one out."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stream.decide.disclosure import MOST, K, banded
from stream.records.instants import DAY
from stream.records.output import Kind
from tests.decide.test_corrections import OUTBREAK, STATIONS

WEEK = 7 * DAY
QUIET_WEEKS = 40
OWN_STATION = {"upper": "ava", "middle": "bor", "lower": "cam"}


@given(st.integers(0, 100_000_000))
def test_a_band_holds_its_count_and_ten_counts_look_the_same(count: int) -> None:
    band = banded(float(count))
    assert band.to is not None
    assert band.value <= count <= band.to
    assert band.to - band.value == K - 1
    assert {banded(float(one)) for one in range(int(band.value), int(band.to) + 1)} == {band}


def region_of_counts(files):
    """Three cities that people travel between, a place with counts in each."""
    cities = json.loads(files["cities.geojson"])
    for city in cities["features"]:
        city["properties"].pop("river")
        city["properties"]["population"] = 100_000
    hazard = OUTBREAK.replace("[[detectors]]", 'footprint = "travel"\n[[detectors]]').replace("[rules]", "[scan]\nzone_most = 3\n[rules]")
    return {
        "region.toml": files["region.toml"].replace("water", "health"),
        "stations.csv": STATIONS,
        "hazards/outbreak.toml": hazard,
        "cities.geojson": json.dumps(cities),
        "hazards/flood.toml": "",
        "reaches.csv": "",
    }


def tell(story, files, start, last):
    """Forty quiet weeks of one case or none everywhere, then weeks of these counts by station; 9 in the middle if nothing else is said."""
    tale = story(region_of_counts(files))
    rng = random.Random(1)
    for week in range(QUIET_WEEKS + len(last)):
        at = start + week * WEEK
        counts = {name: float(rng.randrange(2)) for name in OWN_STATION}
        counts |= last[week - QUIET_WEEKS] if week >= QUIET_WEEKS else {}
        tale.measure(at, {f"{name}/cases": value for name, value in counts.items()}, observed_at=at)
        tale.tick(at + 1000)
    return tale


@pytest.fixture
def outbreak(story, files, start):
    """An outbreak in ava (33 cases), a smaller one in bor (9 cases), after forty quiet weeks of one or none."""
    return tell(story, files, start, [{"upper": 33.0, "middle": 9.0}] * 2)


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
    own = {f"{station}/cases": city for station, city in OWN_STATION.items()}
    found = list(told(outbreak))
    exact = {(reader, series) for reader, series, _, to in found if to is None}
    assert ("ava", "upper/cases") in exact
    assert {(reader, series) for reader, series in exact if reader and own.get(series) != reader} == set()
    assert {(value, to) for reader, series, value, to in found if not reader and series == "upper/cases"} == {(30.0, 39.0)}
    totals = {(value, to) for _, series, value, to in found if series.startswith("scan/")}
    assert totals <= {(0.0, MOST)}


def test_no_sentence_holds_the_number_for_sentences_are_passed_on(outbreak) -> None:
    assert " 30-39 " in "".join(one["text"]["en"] for one in outbreak.messages("ava"))
    for city in ("ava", "bor", "cam"):
        assert "33" not in "".join(one["text"]["en"] + one["text"]["zh"] for one in outbreak.messages(city))


def test_what_is_told_of_how_unusual_a_count_is_is_the_limit_of_its_level(outbreak) -> None:
    limits = {"none": None, "blue": 1e-3, "yellow": 1e-4, "orange": 1e-6, "red": 1e-9}
    found = [one for message in outbreak.messages("cam") for one in message["evidence"]]
    found += [json.loads(output.value) for output in outbreak.outputs if output.kind is Kind.EVIDENCE]
    assert len(found) > 2
    for one in found:
        assert one["p_value"] == limits[one["level"]]
        assert (one["log_lr"], one["exceedance"], one["trend_per_h"]) == (None, None, None)


def read_by_others(tale, owner):
    """Everything that anybody but the owner may read, and what levels it tells; the order in which it came."""
    found = [one for one in tale.outputs if one.kind in OPEN or (one.kind is Kind.CITY and one.city_id != owner)]
    bodies = [(one.kind, one.city_id, one.key, one.sent_at, one.value) for one in found]
    levels = [(*body[:4], sorted(re.findall(r'"level":"[a-z]+"', (body[4] or b"").decode()))) for body in bodies]
    return bodies, levels


OPEN = (Kind.INCIDENTS, Kind.EVIDENCE, Kind.CITY_STATUS, Kind.STATION_HEALTH, Kind.POSTURES, Kind.DISCREPANCIES)
"""What is for all cities. `warnings` and `warnings.late` keep what each city was told and are, like the journal, for the service alone."""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_counts_of_one_band_read_the_same_byte_for_byte_to_everybody_but_their_city(data, story, files, start) -> None:
    """What others read depends on an exact count by its band and by the levels it gives alone: no sum, chance or time lets them compute it.

    Holds for a city that knows its own counts exactly (they are the same in both tales), so for subtraction, too.
    """
    bands = data.draw(st.lists(st.sampled_from([0, 0, 1, 3, 6]), min_size=1, max_size=3))
    others = data.draw(st.lists(st.sampled_from([0.0, 1.0, 4.0, 9.0, 27.0]), min_size=3, max_size=3))
    exact = st.tuples(*(st.integers(10 * band, 10 * band + 9) for band in bands))
    one, other = data.draw(exact), data.draw(exact)

    def played(counts):
        weeks = [{"upper": float(count), "middle": beside} for count, beside in zip(counts, others, strict=False)]
        return read_by_others(tell(story, files, start, [*weeks, {"upper": 0.0}, {"upper": 0.0}]), "ava")

    (found, levels), (expected, same) = played(one), played(other)
    assume(levels == same)
    assert found == expected


def test_that_the_own_city_is_surer_by_its_exact_count_is_no_reason_in_the_incidents_record(story, files, start) -> None:
    def played(count):
        last = [{"upper": count, "middle": 27.0}, {"upper": 0.0}, {"upper": 0.0}]
        found, levels = read_by_others(tell(story, files, start, last), "ava")
        return found, levels

    (found, levels), (expected, same) = played(0.0), played(4.0)
    assert levels == same
    assert [body for body, other in zip(found, expected, strict=True) if body != other] == []
