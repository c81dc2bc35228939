"""What is one incident and what are several; incidents that come together and fall apart, and no city left behind."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.decide.state import FrontState
from stream.records.instants import HOUR, MINUTE
from stream.records.journal import Acknowledgement
from tests.decide.claims import CITIES, World

SURE = (0.9, "yellow")


@pytest.fixture
def world(story, start):
    return lambda rules="": World.of(story, start, rules)


def test_sources_that_claim_no_city_together_are_incidents_of_their_own(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.claim("two", {"bor": SURE})
    w.judge()

    assert w.last("ava")["incident_id"] != w.last("bor")["incident_id"]
    assert w.record(w.last("ava")["incident_id"])["sources"][0]["series"] == "one"
    assert w.last("ava")["also_warned"] == []


def test_sources_that_claim_a_city_together_are_one_and_each_is_weighed_in_it(world):
    w = world()
    w.claim("one", {"ava": SURE, "cam": (0.5, "blue")})
    w.claim("two", {"bor": SURE, "cam": (0.5, "blue")})
    w.judge()

    (incident_id,) = {w.last(city)["incident_id"] for city in ("ava", "bor", "cam")}
    assert [one["series"] for one in w.record(incident_id)["evidence"]] == ["one", "two"]
    assert w.last("cam")["probability"] == pytest.approx(0.75)


def test_a_claim_below_watch_ties_nothing_together(world):
    w = world()
    w.claim("one", {"ava": SURE, "cam": (0.01, "blue")})
    w.claim("two", {"bor": SURE, "cam": (0.01, "blue")})
    w.judge()
    assert w.last("ava")["incident_id"] != w.last("bor")["incident_id"]
    assert w.told("cam") == []


def test_what_claims_a_city_that_is_warned_already_belongs_to_its_incident(world):
    w = world()
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge()
    w.end("one")
    w.judge(w.at + 10 * MINUTE)
    w.claim("two", {"bor": SURE, "cam": SURE})
    w.judge(w.at + 10 * MINUTE)
    assert w.last("cam")["incident_id"] == w.last("ava")["incident_id"], "bor is held: its warning has not ended"


def merged(w):
    """Two incidents, the second of which the first reaches an hour later."""
    w.claim("one", {"ava": SURE})
    w.judge()
    w.judge(w.at + 10 * MINUTE)
    w.claim("two", {"bor": SURE, "cam": SURE})
    w.judge(w.at + 10 * MINUTE)
    first, second = w.last("ava")["incident_id"], w.last("bor")["incident_id"]
    w.at += 50 * MINUTE
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge(w.at + 10 * MINUTE)
    return first, second


def test_incidents_that_come_to_claim_one_city_are_merged_into_the_first(world):
    w = world()
    first, second = merged(w)
    assert first != second
    over = w.record(second)
    assert (over["state"], over["merged_into"], over["cities"]) == ("merged", first, [])
    assert {one["city_id"] for one in w.record(first)["cities"]} == {"ava", "bor", "cam"}
    for city in ("bor", "cam"):
        before, now = [body for body in w.heard if body["city_id"] == city]
        assert (now["warning_id"], now["revision"], now["incident_id"]) == (before["warning_id"], 2, first)
        assert (now["msg_type"], now["reason"], f"merged:{second}" in now["reasons"]) == ("update", "merged", True)
        assert "one event with another" in now["text"]["en"]
        assert now["expires_at"] == before["expires_at"], "that it is one event is no new evidence"
    assert w.told("ava") == [("alert", "yellow", "first")]


def test_a_raise_that_comes_with_the_merger_says_both(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.judge()
    w.claim("two", {"bor": SURE})
    w.judge(w.at + MINUTE)
    w.claim("one", {"ava": SURE, "bor": (0.9, "red")})
    w.judge(w.at + 7)
    assert w.told("bor")[1:] == [("update", "red", "worse")]
    assert any(note.startswith("merged:") for note in w.last("bor")["reasons"])
    w.until(w.at // (10 * MINUTE) * 10 * MINUTE + 20 * MINUTE)
    assert len(w.told("bor")) == 2, "it was told so once"


def test_a_city_that_came_from_another_incident_is_told_so_at_the_next_grid_instant(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.claim("two", {"bor": SURE})
    w.judge()
    w.claim("three", {"ava": SURE, "bor": SURE})
    w.judge(w.at + MINUTE)
    states = sorted(body["state"] for body in w.incidents[2:])
    assert states == ["merged", "open"], "at once: no city may stand in two incidents"
    assert w.told("ava")[1:] == w.told("bor")[1:] == []
    w.judge(w.at + 9 * MINUTE)
    assert max([*w.told("ava")[1:], *w.told("bor")[1:]]) == ("update", "yellow", "merged")


def test_an_answer_reaches_a_warning_that_moved(world):
    w = world("acknowledge_yellow_s = 3600\n")
    merged(w)
    bor = w.last("bor")
    answer = Acknowledgement("rill", w.tale.region.region_hash, "bor", bor["warning_id"], 1, "seen", "li", "", w.at)
    w.tale.give(w.at, answer)
    assert w.tale.state.core.counts.unmatched == 0
    (incident,) = w.scene.state.incidents.values()
    assert incident.told["bor"].acknowledged["seen"]["li"].revision == 1


def split(w):
    """An incident whose two ends have nothing in common any more."""
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge()
    w.at += 10 * MINUTE
    w.claim("two", {"bor": SURE, "cam": SURE})
    w.judge(w.at)
    incident_id = w.last("ava")["incident_id"]
    w.claim("one", {"ava": SURE})
    w.claim("two", {"bor": SURE, "cam": SURE})
    w.judge(w.at + 10 * MINUTE)
    return incident_id


def test_an_incident_that_fell_apart_is_split_after_the_hold_and_not_before(world):
    w = world()
    whole = split(w)
    apart = w.at
    w.until(apart + 50 * MINUTE)
    assert len(w.scene.state.incidents) == 1
    w.until(apart + HOUR)
    new = w.last("cam")["incident_id"]
    assert new != whole == w.last("ava")["incident_id"]
    assert (w.record(new)["split_from"], w.record(new)["state"]) == (whole, "open")
    assert {one["city_id"] for one in w.record(whole)["cities"]} == {"ava"}
    assert {one["city_id"] for one in w.record(new)["cities"]} == {"bor", "cam"}
    for city in ("bor", "cam"):
        body = w.last(city)
        assert (body["reason"], body["warning_id"]) == ("split", w.heard[1]["warning_id"] if city == "bor" else body["warning_id"])
        assert len({one["warning_id"] for one in w.heard if one["city_id"] == city}) == 1
        assert "become several" in body["text"]["en"]


def test_what_comes_together_again_within_the_hold_is_never_split(world):
    w = world()
    split(w)
    for _ in range(4):
        w.until(w.at + 40 * MINUTE)
        w.claim("one", {"ava": SURE, "bor": SURE})
        w.judge(w.at + 10 * MINUTE)
        w.claim("one", {"ava": SURE})
        w.judge(w.at + 10 * MINUTE)
    assert len(w.scene.state.incidents) == 1


def test_an_incident_split_and_merged_again_goes_on_numbering(world):
    w = world()
    split(w)
    w.until(w.at + HOUR)
    w.claim("one", {"ava": SURE, "bor": SURE})
    w.judge(w.at + 10 * MINUTE)
    assert len(w.scene.state.incidents) == 1
    w.claim("one", {"ava": SURE})
    w.until(w.at + 2 * HOUR)
    assert len(w.scene.state.incidents) == 2
    laws(w)


def test_each_incident_closes_by_itself(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.claim("two", {"bor": SURE})
    w.judge()
    w.end("one")
    w.until(w.at + 2 * HOUR)
    assert w.record(w.last("ava")["incident_id"])["state"] == "closed"
    assert w.record(w.last("bor")["incident_id"])["state"] == "open"
    assert set(w.scene.state.sources) == {"two"}


def laws(w):
    """What holds whatever happened: one more at each revision, one incident a city, and nobody's warning stops without an end being said."""
    last: dict[str, dict] = {}
    for body in w.heard:
        before = last.get(body["warning_id"])
        assert body["revision"] == (before["revision"] + 1 if before else 1)
        assert body["city_id"] == (before or body)["city_id"]
        last[body["warning_id"]] = body
    active = [city for one in w.scene.state.incidents.values() for city in one.warned()]
    assert len(active) == len(set(active)), "a city in two incidents"
    open_now = {
        body["city_id"]
        for body in last.values()
        if body["city_id"] in CITIES and body["msg_type"] not in ("all_clear", "cancel") and body["reason"] != "expired"
    }
    assert set(active) == open_now, "left behind"
    for city in CITIES:
        ids = [body["warning_id"] for body in w.heard if body["city_id"] == city]
        assert sum(one != other for one, other in pairwise(ids)) <= sum(
            body["msg_type"] in ("all_clear", "cancel") or body["reason"] == "expired" for body in w.heard if body["city_id"] == city
        ), "another id only after an end"


CLAIMS = st.dictionaries(
    st.sampled_from(CITIES), st.tuples(st.sampled_from([0.005, 0.05, 0.3, 0.9]), st.sampled_from(["blue", "orange", "red"])), max_size=3
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.sampled_from("pqrs"), CLAIMS),
        st.tuples(st.just("end"), st.sampled_from("pqrs"), st.none()),
        st.tuples(st.just("wait"), st.sampled_from([MINUTE, 10 * MINUTE, 70 * MINUTE, 8 * HOUR]), st.none()),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_city_is_in_two_incidents_or_left_behind_and_revisions_count_up(world, steps):
    w = world()
    for act, what, claims in steps:
        if act == "claim":
            w.claim(what, claims)
        elif act == "end" and what in w.scene.state.sources and w.scene.state.sources[what].ended_at is None:
            w.end(what)
        elif act == "wait":
            w.at += what
        w.judge(w.at + MINUTE)
        laws(w)
        opened = w.scene.state.incidents.values()
        named = [series for one in opened for series in one.series]
        assert len(named) == len(set(named)), "a source in two incidents"
    saved = w.tale.fold.snapshot(w.tale.state)
    assert w.tale.fold.snapshot(w.tale.fold.restore(saved)) == saved


@pytest.fixture
def wide_apart(story, files):
    """Three gauges on rivers of their own, where two neighbours must agree."""
    alone = files["reaches.csv"].replace("r1,r2", "r1,").replace("r2,r3", "r2,")
    flood = files["hazards/flood.toml"]

    def tell(fusion):
        return story({"reaches.csv": alone, "hazards/flood.toml": flood.replace("\n[rules]\n", f"\n[fusion]\n{fusion}[rules]\n")})

    return tell


def test_neighbours_that_confirm_each_other_are_one_incident_though_they_reach_no_city_together(wide_apart, calm, start):
    tale = wide_apart("k = 2\nn = 2\nunconfirmed_cap = 'yellow'\n")
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 4.5})
    assert tale.told("ava") == [("alert", "yellow", "first")]
    tale.measure(start + HOUR + 7, {"middle": 4.5})
    assert tale.told("ava")[1:] == [("update", "orange", "worse")]
    assert tale.messages("ava")[-1]["incident_id"] == tale.messages("bor")[-1]["incident_id"]


def test_where_one_gauge_is_enough_neighbours_stay_apart(wide_apart, calm, start):
    tale = wide_apart("n = 2\n")
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 4.5, "middle": 4.5})
    assert tale.messages("ava")[-1]["incident_id"] != tale.messages("bor")[-1]["incident_id"]


def test_an_incident_that_is_over_takes_what_its_stations_taught_with_it(world):
    w = world()
    w.claim("one", {"ava": SURE})
    w.claim("two", {"bor": SURE})
    w.judge()
    front = FrontState(w.at, None, low=True)
    w.scene.state.fronts |= {"ava/stage": front, "bor/stage": front}
    w.end("one")
    w.until(w.at + 2 * HOUR)
    assert set(w.scene.state.fronts) == {"bor/stage"}
