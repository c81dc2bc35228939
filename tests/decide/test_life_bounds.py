"""When a city is told something, and how often: at once, at grid instants, never in a storm; who leaves the footprint; who is blind for too long."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.records.instants import HOUR, MINUTE, SECOND, from_text
from stream.records.output import Kind
from tests.decide.claims import World

SURE = (0.9, "yellow")
GRID = 10 * MINUTE
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def world(story, start):
    return lambda rules="": World.of(story, start, rules)


def later(w: World, seconds: int) -> int:
    """Some seconds after the last grid instant."""
    return w.at // GRID * GRID + seconds * SECOND


def test_a_raise_is_told_at_once_and_another_way_at_the_next_grid_instant(world):
    w = world()
    w.claim("one", {"ava": (0.3, "yellow")})
    w.judge(later(w, 7))
    assert w.told("ava") == [("alert", "yellow", "first")]
    w.claim("one", {"ava": (0.9, "yellow")})
    assert w.judge(later(w, 60)) == []
    w.claim("one", {"ava": (0.9, "red")})
    w.judge(later(w, 90))
    assert w.told("ava")[1:] == [("update", "red", "worse")]


def test_what_waits_is_told_as_it_stands_at_the_grid_instant(world):
    w = world()
    w.claim("one", {"ava": (0.2, "yellow")})
    w.judge(later(w, 7))
    for n, chance in enumerate((0.5, 0.9, 0.7)):
        w.claim("one", {"ava": (chance, "yellow")})
        assert w.judge(later(w, 60 * (n + 1))) == []
    w.judge(later(w, 600))
    assert w.told("ava")[1:] == [("update", "yellow", "surer")]
    assert w.last("ava")["probability"] == pytest.approx(0.7)


def test_what_is_cleared_between_grid_instants_is_told_at_the_next_one_and_the_hold_counts_on(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.judge()
    w.end("one")
    w.judge(later(w, 90))
    assert w.judge(later(w, 3700)) == [], "the hold is over, and it waits"
    w.judge(later(w, 600))
    assert w.told("ava")[1:] == [("all_clear", "yellow", "cleared")]


def test_an_extension_does_not_wait_for_a_grid_instant_after_the_end(story, files, start, calm):
    flood = (
        files["hazards/flood.toml"]
        .replace("grid_step_s = 600", "grid_step_s = 86400")
        .replace("status_valid_s = 3600", "status_valid_s = 90000")
    )
    tale = story({"hazards/flood.toml": flood})
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 13 * HOUR, {**calm, "lower": 4.5})
    reasons = [reason for _, _, reason in tale.told("cam")]
    assert reasons[0] == "first"
    assert set(reasons[1:]) == {"extended"}
    assert tale.status("cam") == "warned"


def test_a_storm_of_revisions_is_coalesced_but_holds_back_no_raise_and_no_end(world):
    w = world("revisions_per_hour = 4\n")
    w.claim("one", {"ava": (0.2, "blue")})
    w.judge()
    chances = [0.5, 0.2, 0.9] * 20
    for n, chance in enumerate(chances):
        w.claim("one", {"ava": (chance, "blue")} | ({"bor": (chance, "blue")} if n % 2 else {}))
        w.scene.state.incidents[w.last("ava")["incident_id"]].told["ava"].probability = 0.0
        w.judge(w.at + GRID)
    sent = [from_text(body["sent_at"]) for body in w.heard if body["city_id"] == "ava"]
    assert max(sum(at <= other < at + HOUR for other in sent) for at in sent) <= 4
    w.claim("one", {"ava": (0.9, "red")})
    w.judge(later(w, 7))
    assert w.told("ava")[-1] == ("update", "red", "worse")
    w.end("one")
    w.until(w.at // GRID * GRID + 2 * HOUR)
    assert w.told("ava")[-1] == ("all_clear", "red", "cleared")


def test_a_city_that_leaves_the_footprint_is_told_where_it_goes_on(world):
    w = world()
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge()
    w.claim("one", {"bor": SURE})
    w.until(w.at + 2 * HOUR)
    assert w.told("ava")[1:] == [("all_clear", "yellow", "left")]
    body = w.last("ava")
    assert "does not reach you any more; it goes on elsewhere: Bor" in body["text"]["en"]
    assert "在别处仍在持续" in body["text"]["zh"]
    assert w.told("bor") == [("alert", "yellow", "first")]
    assert w.tale.state.core.domains["rill"].hazards["flood"].status["ava"].state == "clear"


def test_a_city_that_had_it_itself_is_cleared_and_not_left(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"middle": 3.5, "lower": 3.5})
    tale.quiet(start + HOUR + 10 * MINUTE, start + 4 * HOUR, {**calm, "lower": 3.5})
    assert tale.told("bor")[-1] == ("all_clear", "yellow", "cleared")
    assert tale.told("cam")[-1][0] != "all_clear"


def test_what_is_blind_for_too_long_is_handed_to_the_joint_body_and_taken_back_when_it_is_seen(world):
    w = world()
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge()
    began = w.at
    w.scene.state.silent.add("one")
    w.until(began + 11 * HOUR)
    assert [body["reason"] for body in w.heard if body["city_id"] == "land"] == []
    w.until(began + 13 * HOUR)
    (land,) = [body for body in w.heard if body["city_id"] == "land"]
    assert (land["role"], land["msg_type"], land["reason"]) == ("coordinator", "alert", "blind")
    assert land["reasons"] == ["blind:ava", "blind:bor"]
    assert "nothing has been measured for Ava, Bor for too long" in land["text"]["en"]
    record = w.record(w.last("ava")["incident_id"])
    assert (record["handed_over_to"], {one["because"] for one in record["escalated"]}) == ("land", {"blind"})
    w.scene.state.silent.discard("one")
    w.until(w.at + GRID)
    assert w.told("ava")[-1] == ("update", "yellow", "sighted")
    assert w.last("land")["reason"] == "sighted"
    assert w.record(w.last("ava")["incident_id"])["handed_over_to"] == ""


def test_a_city_that_nobody_can_see_says_what_is_missing_since_when(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    for minute in range(0, 120, 10):
        tale.measure(start + HOUR + minute * MINUTE, {"lower": 1.0})
        tale.tick(start + HOUR + minute * MINUTE + SECOND)
    (last,) = [json.loads(one.value) for one in tale.outputs if one.kind is Kind.CITY and one.city_id == "ava"][-1:]
    assert last["state"] == "unknown"
    assert last["coverage"]["silent_since_at"] == "2026-09-21T14:50:00Z"
    assert "(since 2026-09-21 14:50 UTC)" in last["text"]["en"]


@QUIET
@given(
    values=st.lists(st.sampled_from([1.7, 2.3, 1.0, 2.6]), min_size=6, max_size=30),
    pause=st.sampled_from([MINUTE, 4 * MINUTE, 10 * MINUTE, 14 * MINUTE]),
)
def test_a_flapping_gauge_gives_one_raise_and_one_clear_an_episode(story, calm, start, values, pause):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    at = start + HOUR
    for value in [2.3, *values]:
        tale.measure(at, {**calm, "lower": value})
        tale.tick(at + SECOND)
        at += pause
    tale.quiet(at, at + 3 * HOUR, calm)
    told = tale.told("cam")
    kinds = Counter(kind for kind, _, _ in told)
    longest_low = 0
    low_since = None
    for n, value in enumerate([2.3, *values]):
        low_since = None if value > 2.0 else n * pause if low_since is None else low_since
        longest_low = max(longest_low, n * pause - low_since if low_since is not None else 0)
    if longest_low + pause < HOUR:
        assert (kinds["alert"], kinds["all_clear"]) == (1, 1), told
    assert kinds["alert"] == kinds["all_clear"]
    assert not any(reason == "worse" for _, _, reason in told), "both values are of one level"


@QUIET
@given(
    levels=st.lists(st.sampled_from(["blue", "yellow", "orange", "red"]), min_size=5, max_size=60),
    chances=st.lists(st.sampled_from([0.2, 0.5, 0.9]), min_size=60, max_size=60),
    limit=st.integers(1, 6),
)
def test_no_hour_holds_more_revisions_than_allowed_besides_raises(story, start, levels, chances, limit):
    w = World.of(story, start, f"revisions_per_hour = {limit}\n")
    for level, chance in zip(levels, chances, strict=False):
        w.claim("one", {"ava": (chance, level)})
        w.judge(w.at + 5 * MINUTE)
    sent = [(from_text(body["sent_at"]), body["reason"]) for body in w.heard if body["city_id"] == "ava"]
    for at, _ in sent:
        hour = [reason for other, reason in sent if at <= other < at + HOUR]
        assert sum(reason not in ("first", "worse", "cleared", "left") for reason in hour) <= limit
