"""What cities are told of evidence that nothing else confirms, and how an incident's probability follows from its sources, on the small river."""

from __future__ import annotations

import json
import math

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.output import Kind

TWO = '\n[fusion]\nk = 2\nunconfirmed_cap = "yellow"\n[rules]\n'


@pytest.fixture
def careful(story, files):
    """A river where one gauge alone raises nothing above yellow."""
    return lambda: story({"hazards/flood.toml": files["hazards/flood.toml"].replace("\n[rules]\n", TWO)})


def incidents(tale) -> list[dict]:
    return [json.loads(output.value) for output in tale.outputs if output.kind is Kind.INCIDENTS]


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_one_gauge_alone_is_told_as_unconfirmed_and_never_red(careful, calm, start):
    tale = careful()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 5.5})

    assert [tale.told(city) for city in ("ava", "bor", "cam")] == [[("alert", "yellow", "first")]] * 3
    (ava,) = tale.messages("ava")
    assert (ava["certainty"], "unconfirmed" in ava["reasons"]) == ("Possible", True)
    assert "not yet confirmed" in ava["text"]["en"]
    assert "尚待核实" in ava["text"]["zh"]
    assert incidents(tale)[-1]["confirmed"] is False


def test_the_second_gauge_confirms_and_the_level_goes_up_at_once(careful, calm, start):
    tale = careful()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 5.5})
    tale.measure(start + HOUR + 10 * MINUTE, {"middle": 2.5})

    assert tale.told("ava") == [("alert", "yellow", "first"), ("update", "red", "worse")]
    last = tale.messages("ava")[-1]
    assert (last["certainty"], "unconfirmed" in last["reasons"]) == ("Observed", False)
    assert "confirmed" not in last["text"]["en"]
    assert incidents(tale)[-1]["confirmed"] is True


def test_confirming_what_was_told_already_is_worth_telling(careful, calm, start):
    tale = careful()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 3.5})
    tale.measure(start + HOUR + 10 * MINUTE, {"upper": 3.5})

    assert tale.told("cam")[0] == ("alert", "yellow", "first")
    assert tale.told("cam")[1][2] == "surer"
    assert [message["certainty"] for message in tale.messages("cam")] == ["Possible", "Observed"]


def test_a_confirmation_is_lost_when_the_wave_of_the_other_gauge_has_passed_and_lowers_after_the_hold(careful, calm, start):
    tale = careful()
    tale.measure(start, {"upper": 5.5, "middle": 2.5, "lower": 1.0})
    tale.quiet(start + 10 * MINUTE, start + 50 * MINUTE, {**calm, "upper": 5.5})
    assert [level for _, level, _ in tale.told("ava")] == ["red"]
    tale.quiet(start + 50 * MINUTE, start + 44 * HOUR, {**calm, "upper": 5.5})
    levels = [level for _, level, _ in tale.told("ava")]
    assert (levels[0], levels[-1]) == ("red", "yellow")
    # A red that is only held stays as sure as it was told.
    assert {(message["level"], message["certainty"]) for message in tale.messages("ava")} == {("red", "Observed"), ("yellow", "Possible")}


def test_a_wave_that_arrives_when_it_is_due_confirms_after_days(story, files, calm, start):
    rules = TWO.replace("k = 2", "k = 2\ntogether_h = 1")
    tale = story({"hazards/flood.toml": files["hazards/flood.toml"].replace("\n[rules]\n", rules)})
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 11 * HOUR, {**calm, "upper": 5.5})
    assert {level for _, level, _ in tale.told("ava")} == {"yellow"}
    tale.measure(start + 11 * HOUR, {"upper": 5.5, "middle": 5.5})
    assert tale.told("ava")[-1] == ("update", "red", "worse")


def test_a_hazard_that_asks_for_nothing_tells_as_ever(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 5.5})
    (ava,) = tale.messages("ava")
    assert (ava["level"], ava["certainty"], ava["reasons"]) == ("red", "Observed", ["measured_here"])


def test_without_one_stream_of_evidence_the_probability_is_lower_by_what_that_stream_added(story, calm, start):
    def last(*stations: str) -> dict:
        tale = story(None)
        tale.quiet(start, start + HOUR, {name: calm[name] for name in stations})
        tale.measure(start + HOUR, dict.fromkeys(stations, 4.5))
        return incidents(tale)[-1]

    both, one = last("upper", "middle"), last("upper")
    added = {evidence["series"]: evidence["log_odds"] for evidence in both["evidence"]}
    assert both["probability"] > one["probability"]
    assert log_odds(both["probability"]) - log_odds(one["probability"]) == pytest.approx(added["middle/stage"], abs=1e-4)
    assert log_odds(one["probability"]) == pytest.approx(log_odds(0.1) + added["upper/stage"], abs=1e-4)
