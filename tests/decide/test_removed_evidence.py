"""One stream of evidence taken out of a replay: the probability of the incident moves by what the sum of log-odds says of that stream."""

from __future__ import annotations

import json
import math

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.output import Kind
from tests.decide.test_foretold import PREFIX, model

STEP = 10 * MINUTE
NAMES = ("upper", "middle", "lower")
RISEN = {"upper": 5.5, "middle": 3.2, "lower": 2.2}


def log_odds(probability):
    return math.log(probability / (1.0 - probability))


def played(tale, values, hours, without=""):
    """The last record of the first incident of a replay: calm for an hour, then these values, but for the stream that is taken out."""
    start = 1_790_000_000_000 // HOUR * HOUR
    calm = dict.fromkeys(NAMES, 1.0)
    for number in range(hours * 6 + 6):
        given = (calm if number < 6 else values).items()
        tale.measure(start + number * STEP, {name: value for name, value in given if name != without})
    state = tale.state.core.domains["rill"].hazards["flood"]
    [incident] = state.incidents.values()
    [first, *_] = [json.loads(one.value) for one in tale.outputs if one.kind is Kind.INCIDENTS]
    return first, incident


@pytest.fixture
def apart(story, files):
    """The gauges without the river: three places of one city, each of which gives odds of its own, by its level."""
    hazard = files["hazards/flood.toml"].replace('footprint = "river_wave"\n', "") + "[fusion]\nreliability = 0.98\n"
    stations = files["stations.csv"].replace(",bor,", ",ava,").replace(",cam,", ",ava,")
    return lambda: story({"hazards/flood.toml": hazard, "stations.csv": stations}, clock="observed")


@pytest.mark.parametrize("without", NAMES)
def test_without_one_of_several_stations_it_falls_by_what_that_station_added(apart, without):
    whole, _ = played(apart(), RISEN, 1)
    less, _ = played(apart(), RISEN, 1, without)
    adds = {one["series"]: one["log_odds"] for one in whole["evidence"]}
    assert set(adds) == {f"{name}/stage" for name in NAMES}
    moved = log_odds(whole["probability"]) - log_odds(less["probability"])
    assert moved == pytest.approx(adds[f"{without}/stage"], abs=5e-4)
    assert moved > 0.5
    assert {one["series"]: one["log_odds"] for one in less["evidence"]} == {name: one for name, one in adds.items() if without not in name}


def test_without_a_quiet_gauge_where_the_wave_is_overdue_it_rises_by_what_that_gauge_took(story, files):
    flood = files["hazards/flood.toml"] + "[fusion]\nmissed = 0.3\n"
    values = {"upper": 5.5, "middle": 1.0, "lower": 1.0}
    _, with_it = played(story({"hazards/flood.toml": flood}, clock="observed"), values, 26)
    _, without_it = played(story({"hazards/flood.toml": flood}, clock="observed"), values, 26, "middle")
    moved = log_odds(without_it.probability) - log_odds(with_it.probability)
    assert moved == pytest.approx(0.3, abs=0.02), "the wave, due there for sure, is missed by one gauge that reports instead of none"


def test_without_the_forecast_an_incident_is_as_likely_as_its_stations_say(story):
    values = {"upper": 2.2, "middle": 1.0, "lower": 1.9}
    measured, _ = played(story(clock="observed"), values, 1)
    foretold, _ = played(story({"forecasts.json": model(upper=1.0).decode()}, clock="observed"), values, 1)
    adds = {one["series"]: one["log_odds"] for one in foretold["evidence"]}
    assert adds[PREFIX + "lower/stage"] > 0.0
    moved = log_odds(foretold["probability"]) - log_odds(measured["probability"])
    assert moved == pytest.approx(adds[PREFIX + "lower/stage"], rel=1e-3)
