"""Counts that are corrected, come late, or belong to a closed period: what was wrong is withdrawn, what is late says so."""

from __future__ import annotations

import json
import random

import pytest

from stream.records.instants import DAY, HOUR, MINUTE, SECOND
from stream.records.journal import Flag
from stream.records.output import Kind

WEEK = 7 * DAY
STATIONS = """station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in
upper,cases,rill,count,ava,30.0,110.0,,,604800,UTC,,
middle,cases,rill,count,bor,29.8,110.1,,,604800,UTC,,
lower,cases,rill,count,cam,29.6,110.2,,,604800,UTC,,
"""
OUTBREAK = """
family = "health"
category = "health"
quantities = ["cases"]
[[detectors]]
name = "negative_binomial"
[rules]
validity_s = 1209600
hold_s = 86400
silent_after_intervals = 3
blind_limit_s = 2419200
status_valid_s = 1209600
grid_step_s = 86400
max_late_s = 1209600
[texts.zh]
name = "聚集"
[texts.en]
name = "outbreak"
"""


@pytest.fixture
def weekly(story, files, start):
    """Forty quiet weeks of counts in three districts; the tale and the end of the next week."""

    def tell():
        cities = json.loads(files["cities.geojson"])
        for city in cities["features"]:
            city["properties"].pop("river")
        changed = {
            "region.toml": files["region.toml"].replace("water", "health"),
            "stations.csv": STATIONS,
            "hazards/outbreak.toml": OUTBREAK,
            "cities.geojson": json.dumps(cities),
        }
        tale = story({**changed, "hazards/flood.toml": "", "reaches.csv": ""})
        rng = random.Random(1)
        for week in range(40):
            report(tale, start + week * WEEK, {name: float(rng.randrange(1, 6)) for name in ("upper", "middle", "lower")})
        return tale, start + 40 * WEEK

    return tell


def report(tale, at, counts, observed_at=None, flags=0):
    tale.measure(at, {f"{name}/cases": value for name, value in counts.items()}, observed_at, flags)
    tale.tick(at + SECOND)


def said(tale, station):
    """(previous level, level, why) of every piece of evidence of a station."""
    found = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.EVIDENCE]
    return [(one["previous_level"], one["level"], one["why"], one["reported_late"]) for one in found if one["station"] == station]


def test_a_count_corrected_down_cancels_the_warning_at_once(weekly):
    tale, at = weekly()
    report(tale, at, {"lower": 60.0})
    assert [one[0] for one in tale.told("cam")] == ["alert"]
    report(tale, at + HOUR, {"lower": 6.0}, observed_at=at)

    kind, _, reason = tale.told("cam")[-1]
    assert (kind, reason) == ("cancel", "cancelled")
    last = tale.messages("cam")[-1]
    assert last["reasons"] == ["evidence_withdrawn"]
    assert "corrected" in last["text"]["en"]
    assert said(tale, "lower")[-1][1:3] == ("none", "corrected")
    assert tale.state.core.domains["rill"].hazards["outbreak"].incidents == {}
    assert tale.status("cam") == "clear"


def test_after_a_correction_everything_is_as_if_the_wrong_count_had_never_been(weekly):
    one, at = weekly()
    report(one, at, {"lower": 60.0})
    report(one, at + HOUR, {"lower": 6.0}, observed_at=at)
    other, _ = weekly()
    report(other, at + HOUR, {"lower": 6.0}, observed_at=at)
    (left,), (right,) = (list(tale.state.bounds.values()) for tale in (one, other))

    for use, twin in zip(left.hazards[0].detectors, right.hazards[0].detectors, strict=True):
        assert use.state.tobytes() == twin.state.tobytes()
    report(one, at + WEEK, {"lower": 40.0})
    assert one.told("cam")[-1][0] == "alert"


def test_a_count_corrected_to_a_lower_level_is_held_and_lowered_as_usual(weekly):
    tale, at = weekly()
    report(tale, at, {"lower": 200.0})
    high = tale.told("cam")[-1][1]
    report(tale, at + HOUR, {"lower": 22.0}, observed_at=at)
    assert tale.told("cam")[-1][1] == high
    for day in range(1, 4):
        tale.tick(at + day * DAY)

    kind, level, reason = tale.told("cam")[-1]
    assert (kind, reason) == ("update", "better")
    assert level != high


def test_a_wrong_correction_can_be_corrected_again(weekly):
    tale, at = weekly()
    for minute, count in enumerate((5.0, 70.0, 4.0, 80.0, 6.0)):
        report(tale, at + minute * MINUTE, {"lower": count}, observed_at=at)

    assert [kind for kind, _, _ in tale.told("cam")] == ["alert", "cancel", "alert", "cancel"]


def test_a_corrected_upstream_gauge_withdraws_the_warnings_of_the_cities_below(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 4.5})
    tale.measure(start + HOUR + MINUTE, {"upper": 1.5}, observed_at=start + HOUR)

    assert [tale.told(city)[-1] for city in ("ava", "bor", "cam")] == [("cancel", "orange", "cancelled")] * 3


def test_a_correction_of_an_older_measurement_changes_nothing_that_later_ones_say(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 4.5})
    tale.measure(start + HOUR + 10 * MINUTE, {"lower": 4.6})
    tale.measure(start + HOUR + 11 * MINUTE, {"lower": 1.5}, observed_at=start + HOUR)

    assert [kind for kind, _, _ in tale.told("cam")] == ["alert"]


def test_a_late_count_of_a_closed_period_warns_only_with_the_word_late(weekly):
    tale, at = weekly()
    report(tale, at, {"lower": 3.0})
    report(tale, at + DAY, {"lower": 60.0}, observed_at=at - WEEK)

    assert said(tale, "lower")[-1][2:] == ("late", True)
    first = tale.messages("cam")[-1]
    assert first["evidence"][0]["reported_late"] is True
    assert "reported late" in first["text"]["en"]
    assert "迟报" in first["text"]["zh"]


def test_a_count_that_comes_later_than_the_hazard_allows_raises_nothing(weekly):
    tale, at = weekly()
    report(tale, at, {"lower": 3.0})
    report(tale, at + DAY, {"lower": 60.0}, observed_at=at - WEEK, flags=Flag.LATE)

    assert tale.told("cam") == []
    assert said(tale, "lower")[-1][3] is True


def test_evidence_of_counts_carries_what_can_be_fused(weekly):
    tale, at = weekly()
    report(tale, at, {"lower": 60.0})
    summary = tale.messages("cam")[-1]["evidence"][0]

    assert (summary["level"], summary["p_value"]) == ("red", 1e-9), "no more of how unusual it is than its level says"
    assert (summary["log_lr"], summary["exceedance"]) == (None, None)
