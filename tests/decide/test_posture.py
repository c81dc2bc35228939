"""How alert a domain is: raised at once, lowered after a hold, told, and what it changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.decide.posture import PostureState, Standing, due, judge
from stream.records.instants import HOUR, SECOND, from_text
from stream.records.output import Kind
from stream.records.posture import Because, Posture
from stream.region.bundle import bundle
from stream.region.load import load, load_folder
from stream.region.postures import Postures, Stance
from stream.region.problems import RegionError

RULES = Postures(2, 3, 3, {"watch": Stance(3_600), "emergency": Stance(1_800), "recovery": Stance(7_200)})
QUIET, WATCHED, BLUE = Standing(0, 0, 0), Standing(0, 0, 3), Standing(1, 1, 0)
YELLOW, UNCONFIRMED, ORANGE = Standing(2, 2, 0), Standing(3, 2, 0), Standing(3, 3, 0)
RANK = {Posture.NORMAL: 0, Posture.RECOVERY: 1, Posture.WATCH: 2, Posture.EMERGENCY: 3}
OFTEN = """
[watch]
cities = 2
[emergency]
hold_s = 7200
acknowledge = 0.5
min_probability = 0.25
[emergency.sampling_s]
stage = 120
[recovery]
hold_s = 10800
"""


@pytest.mark.parametrize(
    ("now", "found", "after"),
    [
        (Posture.NORMAL, QUIET, None),
        (Posture.NORMAL, BLUE, None),
        (Posture.NORMAL, Standing(0, 0, 2), None),
        (Posture.NORMAL, WATCHED, (Posture.WATCH, Because.CITIES_IN_WATCH)),
        (Posture.NORMAL, YELLOW, (Posture.WATCH, Because.WARNED)),
        (Posture.NORMAL, UNCONFIRMED, (Posture.WATCH, Because.WARNED)),
        (Posture.NORMAL, ORANGE, (Posture.EMERGENCY, Because.CONFIRMED_DANGER)),
        (Posture.WATCH, ORANGE, (Posture.EMERGENCY, Because.CONFIRMED_DANGER)),
        (Posture.WATCH, QUIET, None),
        (Posture.EMERGENCY, YELLOW, None),
        (Posture.EMERGENCY, BLUE, None),
        (Posture.EMERGENCY, QUIET, (Posture.RECOVERY, Because.WARNINGS_ENDED)),
        (Posture.EMERGENCY, WATCHED, (Posture.RECOVERY, Because.WARNINGS_ENDED)),
        (Posture.RECOVERY, WATCHED, None),
        (Posture.RECOVERY, YELLOW, (Posture.WATCH, Because.WARNED)),
        (Posture.RECOVERY, ORANGE, (Posture.EMERGENCY, Because.CONFIRMED_DANGER)),
    ],
)
def test_what_stands_raises_the_posture_at_once_and_lowers_none_at_once(now, found, after):
    assert judge(PostureState(now, 0), found, RULES, HOUR) == after


@pytest.mark.parametrize(
    ("now", "found", "hold_s", "after"),
    [
        (Posture.WATCH, QUIET, 3_600, Posture.NORMAL),
        (Posture.EMERGENCY, YELLOW, 1_800, Posture.WATCH),
        (Posture.EMERGENCY, UNCONFIRMED, 1_800, Posture.WATCH),
        (Posture.RECOVERY, QUIET, 7_200, Posture.NORMAL),
    ],
)
def test_a_posture_is_lowered_after_its_hold_and_a_cause_that_returns_begins_it_anew(now, found, hold_s, after):
    state, cause = PostureState(now, 0), {Posture.WATCH: YELLOW, Posture.EMERGENCY: ORANGE, Posture.RECOVERY: None}[now]
    hold = hold_s * SECOND
    assert judge(state, found, RULES, 0) is None
    assert due(state, RULES) == hold
    assert judge(state, found, RULES, hold - 1) is None
    if cause is not None:
        assert judge(state, cause, RULES, hold) is None
        assert due(state, RULES) is None
        assert judge(state, found, RULES, hold + 1) is None, "away only since now"
    else:
        state.below_since = 1
    step = judge(state, found, RULES, 2 * hold + 1)
    assert step is not None
    assert step.posture is after


@given(st.lists(st.tuples(st.sampled_from([QUIET, WATCHED, BLUE, YELLOW, UNCONFIRMED, ORANGE]), st.integers(1, 3 * 3_600)), max_size=60))
def test_a_posture_never_flaps_and_is_never_below_what_stands(story):
    state, at, lowered_at = PostureState(), 0, -(10**12)
    for found, wait_s in story:
        at += wait_s * SECOND
        step = judge(state, found, RULES, at)
        if step is not None:
            down = RANK[step.posture] < RANK[state.posture]
            if down and step.posture is not Posture.RECOVERY:
                held = {Posture.WATCH: 3_600, Posture.EMERGENCY: 1_800, Posture.RECOVERY: 7_200}[state.posture] * SECOND
                assert at - state.since_at >= held, "nothing is lowered before its hold"
                assert at - lowered_at >= 1_800 * SECOND
                lowered_at = at
            state = PostureState(step.posture, at, at if step.posture is Posture.RECOVERY else None)
        if found is ORANGE:
            assert state.posture is Posture.EMERGENCY
        if found in (YELLOW, UNCONFIRMED):
            assert state.posture in (Posture.WATCH, Posture.EMERGENCY)


def postures(tale):
    return [json.loads(output.value) for output in tale.outputs if output.kind is Kind.POSTURES]


def flood(tale, start, calm):
    """The lowest gauge, whose water reaches nobody else, rises after an hour and falls again three hours later."""
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 4 * HOUR, calm | {"lower": 4.5})


def test_a_flood_is_an_emergency_then_a_recovery_and_everybody_can_read_why(story, start, calm):
    tale = story({"postures.toml": OFTEN})
    flood(tale, start, calm)
    [alarm] = postures(tale)
    assert (alarm["domain"], alarm["posture"], alarm["previous"], alarm["reason"]) == ("rill", "emergency", "normal", "confirmed_danger")
    assert alarm["incidents"] == [tale.messages("cam")[0]["incident_id"]]
    assert alarm["sampling"] == [{"quantity": "stage", "every_s": 120.0}]
    assert alarm["since_at"] == tale.messages("cam")[0]["sent_at"], "as soon as the first warning"
    tale.quiet(start + 4 * HOUR, start + 40 * HOUR, calm)
    assert [(one["posture"], one["reason"]) for one in postures(tale)[1:]] == [("recovery", "warnings_ended"), ("normal", "quiet")]
    incidents = [json.loads(output.value) for output in tale.outputs if output.kind is Kind.INCIDENTS]
    assert "emergency" in {one["posture"] for one in incidents}


def test_without_the_file_the_posture_is_told_and_nothing_else_changes(story, start, calm):
    tale = story()
    flood(tale, start, calm)
    assert [(one["posture"], one["sampling"]) for one in postures(tale)] == [("emergency", [])]
    assert tale.state.scene("rill", 0).hazard.rules == tale.region.hazards[0].rules


def test_in_an_emergency_less_is_enough_to_warn_and_answers_are_due_sooner(story, start, calm, files):
    asking = files["hazards/flood.toml"].replace("[rules]", "[rules]\nacknowledge_orange_s = 600\nacknowledge_red_s = 600\n")
    told = {}
    for text in ("", OFTEN):
        tale = story({"hazards/flood.toml": asking} | ({"postures.toml": text} if text else {}))
        flood(tale, start, calm)
        tale.quiet(start + 4 * HOUR, start + 5 * HOUR, calm | {"lower": 4.5, "upper": 4.5})
        told[text] = {city: tale.messages(city)[0] for city in ("cam", "ava", "bor")}
        assert tale.state.scene("rill", 0).hazard.rules.min_probability == (0.025 if text else 0.1)
    within = {
        text: {city: from_text(one["acknowledge_by_at"]) - from_text(one["sent_at"]) for city, one in said.items()}
        for text, said in told.items()
    }
    assert within[""] == {"cam": 600_000, "ava": 600_000, "bor": 600_000}
    assert within[OFTEN] == {"cam": 600_000, "ava": 300_000, "bor": 300_000}, "the first warning was told in normal times"


def test_a_posture_and_its_hold_survive_a_restart(story, start, calm):
    tale = story({"postures.toml": OFTEN})
    flood(tale, start, calm)
    tale.state = tale.fold.restore(tale.fold.snapshot(tale.state))
    tale.quiet(start + 4 * HOUR, start + 40 * HOUR, calm)
    assert [one["posture"] for one in postures(tale)] == ["emergency", "recovery", "normal"]


def test_a_posture_is_not_lowered_while_measurements_may_still_wait_in_the_doors(story, start, calm):
    tale = story({"postures.toml": OFTEN})
    flood(tale, start, calm)
    tale.quiet(start + 4 * HOUR, start + 7 * HOUR, calm)
    assert [one["posture"] for one in postures(tale)] == ["emergency", "recovery"]
    read = start + 7 * HOUR
    for at in range(read, read + 30 * HOUR, HOUR):
        tale.tick(at, doors_written_at=read)
    assert len(postures(tale)) == 2
    tale.tick(read + 30 * HOUR)
    assert [one["posture"] for one in postures(tale)] == ["emergency", "recovery", "normal"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[alarm]\nlevel = "red"', "no such key"),
        ('[watch]\nlevel = "pink"', "no such level 'pink'"),
        ('[watch]\nlevel = "red"', "an emergency would begin below the level of watch"),
        ("[emergency]\nmin_probability = 0", "out of range"),
        ("[emergency.sampling_s]\nrain = 60", "no series measures 'rain'"),
        ('[recovery]\nlevel = "blue"', "no such key"),
    ],
)
def test_a_file_of_postures_that_makes_no_sense_is_refused_with_its_line(tmp_path, files, text, said):
    for name, content in (files | {"postures.toml": text}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(RegionError, match=said) as error:
        load(bundle(tmp_path))
    assert error.value.problems[0].file == "postures.toml"


def test_the_documented_values_hold_where_the_file_is_empty(tmp_path, files):
    for name, content in (files | {"postures.toml": ""}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    found = load_folder(tmp_path).postures
    assert (found.watch_level, found.watch_cities, found.emergency_level) == (2, 3, 3)
    assert found.stances["emergency"] == Stance(3_600, min_probability=0.5, watch=0.5, acknowledge=0.5, sampling=0.25)
    assert found.stances["recovery"].hold_s == 86_400
