"""Trained forecasts in the fold: what no gauge shows yet is foretold, waves on their way are rated by it, and without a gauge there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors import history
from detectors.base import Quality, Samples
from stream.decide.foretold import PREFIX, steps
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.output import Kind
from stream.region.forecasts import PER_SERIES, SEASON, Forecaster, Target, forecasts_json

STEP = 10 * MINUTE
SERIES = ("upper/stage", "middle/stage", "lower/stage")
SCALE, SLOPE = 0.01, 4.0


def model(*, upper: float, target: str = "lower") -> bytes:
    """Within one step the target rises by `upper` times the ln height of the upper one; within six by twice as much."""
    columns = PER_SERIES * len(SERIES) + SEASON + 1
    rows = tuple(tuple(share if column == 0 else 0.0 for column in range(columns)) for share in (upper, 2 * upper, 2 * upper))
    wanted = Target(f"{target}/stage", SCALE, rows)
    return forecasts_json((Forecaster(SERIES, 600.0, (1, 6, 240), (0.0, 0.0, 0.0), ((0.0, SLOPE),) * 3, (wanted,)),))


def chance(value: float, level: float) -> float:
    return 1.0 / (1.0 + math.exp(-SLOPE * math.log(value / level) / math.sqrt(SCALE)))


@pytest.fixture
def river(story):
    return lambda upper=1.0, **options: story({"forecasts.json": model(upper=upper).decode()}, **options)


def play(tale, at, values, steps_n=1):
    """Measurements of all three gauges at grid instants, each with the tick that decides it; the next instant."""
    for number in range(steps_n):
        tale.measure(at + number * STEP, values)
        tale.tick(at + number * STEP + SECOND)
    return at + steps_n * STEP


def test_a_flood_is_foretold_before_any_gauge_has_reached_a_level(river, calm, start):
    tale = river()
    at = play(tale, start, calm, 6)
    assert [tale.told(city) for city in ("ava", "bor", "cam")] == [[], [], []]
    play(tale, at, calm | {"upper": 1.95})
    assert [tale.told(city) for city in ("ava", "bor")] == [[], []], "nobody else is concerned by what the lower gauge will do"
    [warning] = tale.messages("cam")
    assert (warning["msg_type"], warning["level"], warning["path"], warning["role"]) == ("alert", "blue", "river", "affected")
    levels = {one["level"]: one for one in warning["exceedance"]}
    assert levels["blue"]["probability"] == pytest.approx(chance(1.95**2, 2.0), abs=1e-5), "within the lead window"
    assert levels["orange"]["probability"] == pytest.approx(chance(1.95**2, 4.0), abs=1e-5)
    assert warning["probability"] == levels["blue"]["probability"]
    instants = [levels["blue"][f"arrives_at_p{part}"] for part in (10, 50, 90)]
    assert instants == sorted(instants)
    assert warning["arrives_at_p50"][:16] == levels["blue"]["arrives_at_p50"][:16]
    assert warning["evidence"][0]["series"] == PREFIX + "lower/stage"
    assert "lower/stage is forecast to reach about 3.803 m" in warning["text"]["en"]
    assert "预报 lower/stage" in warning["text"]["zh"]


def test_a_wave_that_is_only_foretold_runs_on_to_the_cities_below(story, calm, start):
    tale = story({"forecasts.json": model(upper=1.0, target="middle").decode()})
    play(tale, play(tale, start, calm, 6), calm | {"upper": 1.95})
    [at_gauge], [below] = tale.messages("bor"), tale.messages("cam")
    assert (below["level"], below["role"], below["incident_id"]) == (at_gauge["level"], "affected", at_gauge["incident_id"])
    assert "forecast_above" in below["reasons"]
    assert below["probability"] <= at_gauge["probability"]
    assert below["arrives_at_p50"] > at_gauge["arrives_at_p50"], "36 km further down"
    assert tale.told("ava") == []


def test_what_is_foretold_and_does_not_come_is_cleared_after_the_hold(river, calm, start):
    tale = river()
    at = play(tale, start, calm, 6)
    at = play(tale, at, calm | {"upper": 1.95})
    play(tale, at, calm, 8)
    assert tale.told("cam") == [("alert", "blue", "first"), ("all_clear", "blue", "cleared")]
    assert not tale.state.core.domains["rill"].hazards["flood"].sources


def test_a_wave_that_will_not_reach_a_level_below_warns_nobody_where_that_is_foretold(river, story, calm, start):
    rated = river(upper=0.0, clock="observed")
    at = play(rated, start, calm, 6)
    play(rated, at, calm | {"upper": 3.5}, 3)
    assert rated.told("ava") == rated.told("bor") == [("alert", "yellow", "first")]
    assert rated.told("cam") == []


def test_a_forecast_made_before_a_wave_was_seen_does_not_hold_it_back(river, calm, start):
    tale = river(upper=0.0)
    at = play(tale, start, calm, 6)
    tale.measure(at, {"upper": 3.5})
    assert tale.told("cam") == [("alert", "yellow", "first")], "at once; the other gauges have not reported since"
    tale.measure(at + SECOND, {"middle": 1.0, "lower": 1.0})
    play(tale, at + STEP, calm | {"upper": 3.5}, 8)
    assert [reason for _, _, reason in tale.told("cam")] == ["first", "left"], "a newer forecast says that it will not come"


def test_without_a_forecast_the_wave_itself_warns(story, calm, start):
    tale = story()
    at = play(tale, start, calm, 6)
    play(tale, at, calm | {"upper": 3.5})
    assert tale.told("cam") == [("alert", "yellow", "first")]


def test_where_a_gauge_does_not_report_there_is_no_forecast_and_footprints_speak(river, calm, start):
    tale = river(upper=0.0)
    at = play(tale, start, calm, 6)
    two = {name: value for name, value in calm.items() if name != "middle"}
    at = play(tale, at, two, 4)
    play(tale, at, two | {"upper": 3.5})
    assert tale.told("cam") == [("alert", "yellow", "first")]
    assert tale.state.core.domains["rill"].hazards["flood"].foretold["lower/stage"].missing == ("middle/stage",)


def test_a_foretold_warning_is_held_blind_when_a_gauge_falls_silent(river, calm, start):
    tale = river()
    at = play(tale, start, calm, 6)
    at = play(tale, at, calm | {"upper": 1.95})
    at = play(tale, at, {"lower": 1.0, "middle": 1.0}, 30)
    assert ("update", "blue", "blind") in tale.told("cam")
    assert "cleared" not in {reason for _, _, reason in tale.told("cam")}
    play(tale, at, calm, 12)
    assert tale.told("cam")[-1] == ("all_clear", "blue", "cleared"), "and ends when all gauges report again"


def test_doubtful_values_are_no_basis_for_a_forecast(river, calm, start):
    tale = river()
    at = play(tale, start, calm, 6)
    tale.measure(at, calm | {"upper": 1.95}, flags=2)
    tale.tick(at + SECOND)
    assert tale.told("cam") == []


@pytest.mark.parametrize("clock", ["broker", "observed"])
def test_restored_states_go_on_as_if_nothing_had_happened(river, calm, start, clock):
    tale = river(clock=clock)
    rng = np.random.default_rng(4)
    for number in range(60):
        at = start + number * STEP
        upper = 1.95 if 20 <= number < 24 else 3.2 if 40 <= number < 43 else 1.0
        values = {name: value for name, value in (calm | {"upper": upper}).items() if rng.random() < 0.93}
        if values:
            tale.measure(at, values)
        if clock == "broker":
            tale.tick(at + SECOND)
    assert any(PREFIX in str(one) for one in tale.messages("cam"))
    state, outputs = tale.fold.initial(0), []
    for entry in tale.entries:
        outputs += tale.fold.apply(state, [entry])
        data = tale.fold.snapshot(state)
        state = tale.fold.restore(data)
        assert tale.fold.snapshot(state) == data
    assert outputs == tale.outputs
    whole = tale.fold.initial(0)
    assert [*tale.fold.apply(whole, tale.entries)] == tale.outputs, "and the cut into calls changes nothing"


def test_on_a_replay_lane_every_instant_of_the_data_is_foretold_at_once(river, calm, start):
    tale = river(clock="observed")
    for number in range(8):
        tale.measure(start + number * STEP, calm | {"upper": 1.95 if number == 6 else 1.0})
    [first, *_] = tale.messages("cam")
    assert (first["level"], first["reason"]) == ("blue", "first")
    assert first["sent_at"] == tale.messages("cam")[0]["evidence"][0]["observed_at"], "decided with the measurements it was made of"


def test_a_region_that_forecasts_no_more_takes_its_forecasts_with_it(river, calm, start, change):
    tale = river()
    at = play(tale, start, calm, 6)
    play(tale, at, calm | {"upper": 1.95})
    tale.files["forecasts.json"] = "[]"
    second = change(tale)
    from stream.records.journal import Command

    tale.give(at + 2 * SECOND, Command("activate", second.name, second.region_hash))
    hazard = tale.state.core.domains["rill"].hazards["flood"]
    assert (hazard.foretold, [name for name in hazard.sources if name.startswith(PREFIX)]) == ({}, [])


def test_an_unconfirmed_forecast_is_held_down_where_several_stations_must_agree(story, files, calm, start):
    flood = files["hazards/flood.toml"] + '[fusion]\nk = 2\nunconfirmed_cap = "yellow"\n'
    tale = story({"forecasts.json": model(upper=1.0).decode(), "hazards/flood.toml": flood})
    at = play(tale, start, calm, 6)
    play(tale, at, calm | {"upper": 5.5})
    assert PREFIX + "lower/stage" in {one["series"] for one in tale.messages("cam")[-1]["evidence"]}
    assert {(one["level"], one["certainty"]) for one in tale.messages("cam")} == {("yellow", "Possible")}, (
        "one gauge alone makes the forecast of red"
    )


def samples(rows, at, value, flag=Quality.GOOD):
    n = len(rows)
    return Samples(np.array(rows, np.intp), np.array(at, np.int64), np.array(value, float), np.full(n, flag, np.uint8), np.ones(n, bool))


def test_steps_are_the_newest_that_all_gauges_have():
    known = history.initial(2)
    for step in range(4):
        history.push(known, samples([0, 1], [step * HOUR, step * HOUR + MINUTE], [1.0 + step, 10.0 + step]))
    value, base_at = steps(known, HOUR)
    assert (value.round(6).tolist(), base_at) == ([[4.0, 13.0], [3.0, 12.0], [2.0, 11.0]], 3 * HOUR + MINUTE)
    history.push(known, samples([0], [4 * HOUR], [9.0]))
    assert steps(known, HOUR)[0].round(6).tolist() == value.round(6).tolist(), "one gauge is a step ahead: what both have counts"
    history.push(known, samples([0], [5 * HOUR], [9.0]))
    assert np.isnan(steps(known, HOUR)[0][0]).tolist() == [False, True], "two steps behind the newest is missing"


def test_samples_of_one_step_are_averaged_and_doubtful_ones_left_out():
    known = history.initial(1)
    for minute, value in ((0, 2.0), (20, 8.0)):
        history.push(known, samples([0], [minute * MINUTE], [value]))
    history.push(known, samples([0], [40 * MINUTE], [500.0], Quality.SUSPECT))
    assert steps(known, HOUR)[0][0].round(6).tolist() == [4.0]


def test_every_output_of_a_forecast_is_known_evidence(river, calm, start):
    tale = river()
    play(tale, play(tale, start, calm, 6), calm | {"upper": 1.95})
    incidents = [output for output in tale.outputs if output.kind is Kind.INCIDENTS]
    assert incidents
    assert b'"reason":"foretold"' in incidents[-1].value
