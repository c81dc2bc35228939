"""Stations side by side: what a neighbour confirms, what makes a station one in fault, and that neither ever warns or clears wrongly."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.output import Kind

TESTS = """
[quality.stage]
spike_suspect = 0.8
[health.stage]
factor_min = 50
expected_min = 0.2
"""
CALM = {"upper": 1.0, "middle": 1.1, "lower": 1.2}


@pytest.fixture
def river(story, files):
    """The small river with a spike test and judged stations; silence needs an hour."""

    def tell(extra=TESTS, detector="", **options):
        flood = files["hazards/flood.toml"].replace("silent_after_intervals = 3", "silent_after_intervals = 6")
        flood = flood.replace('name = "stage"\n', f'name = "stage"\n{detector}\n')
        return story({"hazards/flood.toml": flood + extra}, **options)

    return tell


def states(tale, station: str) -> list[dict]:
    said = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.STATION_HEALTH]
    return [body for body in said if body["station"] == station]


def health(tale, station: str) -> list[str]:
    """What was said of the station's health, in order."""
    return [body["state"] for body in states(tale, station)]


def evidence(tale, station: str) -> list[dict]:
    said = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.EVIDENCE]
    return [body for body in said if body["station"] == station]


def warm(tale, start, hours=1):
    tale.quiet(start, start + hours * HOUR, CALM)
    return start + hours * HOUR


def test_a_lone_spike_is_not_warned(river, start):
    tale = river()
    at = warm(tale, start)
    tale.measure(at, {**CALM, "lower": 4.5})
    tale.quiet(at + 10 * MINUTE, at + 2 * HOUR, CALM)

    assert tale.told("cam") == []


def test_the_first_rise_is_warned_when_a_neighbour_rises_too_before_the_next_sample(river, start):
    tale = river()
    at = warm(tale, start)
    tale.measure(at, {"upper": 1.0, "lower": 4.5})
    assert tale.told("cam") == []
    tale.measure(at + MINUTE, {"middle": 2.9})
    tale.tick(at + 11 * MINUTE)

    assert [one[0:2] for one in tale.told("cam")][:1] == [("alert", "orange")]
    first = tale.messages("cam")[0]
    assert first["sent_at"] < first["expires_at"]
    raised = next(body for body in evidence(tale, "lower") if body["level"] == "orange")
    assert (raised["quality"], raised["weight"]) == (1, 1.0)


def test_a_neighbour_that_falls_or_stays_confirms_nothing(river, start):
    tale = river()
    at = warm(tale, start)
    tale.measure(at, {"lower": 4.5})
    tale.measure(at + MINUTE, {"middle": 0.3, "upper": 1.05})
    tale.tick(at + 11 * MINUTE)

    assert tale.told("cam") == []
    assert tale.state.core.counts.believed == 0


def test_centimetres_for_metres_are_a_fault_of_the_station_and_never_a_warning(river, start):
    tale = river()
    at = warm(tale, start)
    tale.quiet(at, at + 2 * HOUR, {**CALM, "lower": 121.0})

    assert health(tale, "lower") == ["unit_mistake"]
    assert [tale.told(city) for city in ("ava", "bor", "cam")] == [[], [], []]
    assert tale.messages("cam", "status")[-1]["coverage"]["silent"] == ["lower/stage"]
    kept = evidence(tale, "lower")[0]
    assert (kept["why"], kept["quality"], kept["weight"], kept["level"], kept["value"]) == ("unit_suspected", 4, 0.0, "none", 121.0)
    tale.quiet(at + 2 * HOUR, at + 4 * HOUR, CALM)
    assert health(tale, "lower") == ["unit_mistake", "sound"]
    assert tale.status("cam") == "clear"
    tale.measure(at + 4 * HOUR, {**CALM, "lower": 1.9})
    tale.measure(at + 4 * HOUR + 10 * MINUTE, {**CALM, "lower": 2.5})
    assert tale.told("cam") == [("alert", "blue", "first")]


def test_a_unit_that_goes_wrong_in_a_flood_neither_lowers_nor_raises_the_warning(river, start):
    tale = river()
    at = warm(tale, start)
    for step, value in enumerate((1.9, 2.6, 3.3)):
        tale.measure(at + step * 10 * MINUTE, {**CALM, "lower": value})
    assert tale.told("cam")[-1][1] == "yellow"
    tale.quiet(at + 30 * MINUTE, at + 5 * HOUR, {**CALM, "lower": 330.0})

    assert {level for _, level, _ in tale.told("cam")} == {"blue", "yellow"}
    assert not {kind for kind, _, _ in tale.told("cam")} & {"all_clear", "cancel"}
    assert tale.status("cam") == "warned"


def test_first_values_in_the_wrong_unit_do_not_make_the_right_ones_a_mistake(river, start):
    tale = river()
    tale.quiet(start, start + 20 * MINUTE, {**CALM, "lower": 121.0})
    tale.quiet(start + 20 * MINUTE, start + 4 * HOUR, CALM)

    assert health(tale, "lower") == []
    assert tale.told("cam")[-1][0] == "all_clear"


def test_a_flipped_sign_does_not_clear_a_warning(river, start):
    tale = river()
    at = warm(tale, start)
    for step, value in enumerate((1.9, 2.6, 2.6)):
        tale.measure(at + step * 10 * MINUTE, {**CALM, "lower": value})
    tale.quiet(at + 30 * MINUTE, at + 3 * HOUR, {**CALM, "lower": -2.6})

    assert health(tale, "lower") == ["sign_flip"]
    assert "all_clear" not in {kind for kind, _, _ in tale.told("cam")}


def test_a_real_hundredfold_rise_that_a_neighbour_shows_is_believed(river, start):
    tale = river(extra=TESTS.replace("expected_min = 0.2", "expected_min = 0.01"))
    low = {"upper": 0.04, "middle": 0.05, "lower": 0.05}
    tale.quiet(start, start + HOUR, low)
    tale.measure(start + HOUR, {"lower": 4.5})
    tale.measure(start + HOUR + MINUTE, {"middle": 3.5})
    tale.tick(start + HOUR + 11 * MINUTE)
    tale.measure(start + HOUR + 12 * MINUTE, {"middle": 3.6})

    assert ("alert", "orange", "first") in tale.told("cam")
    assert health(tale, "lower") == []


def test_a_chattering_station_is_named_and_opens_nothing_new(river, start):
    tale = river(TESTS.replace("spike_suspect = 0.8\n", "") + "chatter_tau_n = 10\n", "[detectors.parameters]\nclear_after_n = 1")
    at = warm(tale, start)
    for step in range(60):
        tale.measure(at + step * 10 * MINUTE, {**CALM, "lower": 2.6 if step % 2 else 0.6})
        tale.tick(at + step * 10 * MINUTE + SECOND)
    assert health(tale, "lower")[0] == "chattering"
    told = len(tale.told("cam"))
    named_at = next(body["as_of_at"] for body in states(tale, "lower") if body["state"] == "chattering")
    assert next(body for body in evidence(tale, "lower") if body["as_of_at"] > named_at)["why"] == "chattering"
    assert told < 12


def test_a_silent_station_is_named_and_so_is_one_that_was_never_heard(river, start):
    tale = river()
    tale.quiet(start, start + 30 * MINUTE, {"upper": 1.0, "middle": 1.1})
    for step in range(18):
        tale.measure(start + (30 + step * 10) * MINUTE, {"middle": 1.1})
        tale.tick(start + (30 + step * 10) * MINUTE + SECOND)

    assert (health(tale, "upper"), health(tale, "middle"), health(tale, "lower")) == (["silent"], [], ["silent"])
    tale.measure(start + 4 * HOUR, {"upper": 1.0})
    assert health(tale, "upper") == ["silent", "sound"]


def test_a_station_that_drifts_away_from_all_its_neighbours_is_named_and_they_are_not(river, start):
    tale = river("\n[health.stage]\ndrift_max = 0.4\ndrift_tau_n = 20\n")
    for step in range(240):
        at = start + step * 10 * MINUTE
        tide = 0.3 * ((step // 12) % 2)
        tale.measure(at, {"upper": 0.4 + tide, "middle": 0.5 + tide, "lower": 0.6 + tide + max(0, step - 60) * 0.006})
        tale.tick(at + SECOND)

    assert (health(tale, "upper"), health(tale, "middle"), health(tale, "lower")) == ([], [], ["drifting"])
    assert tale.told("cam") == []


@pytest.mark.parametrize("believed", [True, False])
def test_on_a_replay_lane_an_instant_is_enough_for_a_neighbour_to_confirm(river, start, believed):
    tale = river(clock="observed")
    for hour in range(4):
        tale.measure(start + hour * HOUR, CALM)
    tale.measure(start + 4 * HOUR, {**CALM, "lower": 4.5, **({"middle": 2.9} if believed else {})})
    tale.tick(start + 5 * HOUR, closing=True)

    assert (("alert", "orange", "first") in tale.told("cam")) is believed


def test_a_rising_gauge_says_when_it_reaches_the_next_level(river, start):
    tale = river("", '[[detectors]]\nname = "rate_of_rise"\n[detectors.parameters]\nrise_blue_per_h = 50\n')
    at = warm(tale, start)
    for step in range(9):
        tale.measure(at + step * 10 * MINUTE, {**CALM, "lower": 1.2 + 0.1 * step})
    summary = tale.messages("cam")[0]["evidence"][0]

    assert summary["level"] == "blue"
    assert 1.2 < summary["reaches_next_level_in_h"] < 2.2
    assert "next level in about" in tale.messages("cam")[0]["text"]["en"]
    for hour, value in enumerate((1.99, 1.98, 1.97), 2):
        tale.measure(at + hour * HOUR, {**CALM, "lower": value})
    assert tale.state.core.domains["rill"].hazards["flood"].sources["lower/stage"].reaches_next_level_in_h is None


def test_a_limit_detector_says_how_sure_it_is(river, start):
    tale = river("", "[detectors.parameters]\nerror_sd = 0.1")
    at = warm(tale, start)
    tale.measure(at, {**CALM, "lower": 2.1})
    raised = evidence(tale, "lower")[-1]

    assert raised["exceedance"] == pytest.approx(0.8413, abs=1e-3)
    assert (raised["p_value"], raised["log_lr"]) == (None, None)
