"""Laws of muting, over random floods, spills, silences and answers: no raise is held back, no end is missed, what stands is sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.records.instants import HOUR, MINUTE, SECOND, to_text
from stream.records.journal import Acknowledgement
from stream.records.output import Kind
from tests.decide.small_river import POLLUTANT, RULES, City

LEVELS = ("none", "blue", "yellow", "orange", "red")
CITIES = ("ava", "bor", "cam")
STAGES = (1.0, 2.5, 3.5, 4.5, 5.5)
AMMONIA = (0.1, 1.1, 1.6, 3.0, 50.0)
FLOOD = st.tuples(st.just("measure"), st.just("upper/stage"), st.sampled_from(STAGES))
SPILL = st.tuples(st.just("measure"), st.sampled_from(["upper/ammonia", "lower/ammonia"]), st.sampled_from(AMMONIA))
ELSEWHERE = st.tuples(st.just("measure"), st.just("lower/stage"), st.sampled_from(STAGES))
SILENCE = st.tuples(
    st.just("silence"),
    st.sampled_from(["bor", "cam"]),
    st.sampled_from(LEVELS[1:4]),
    st.integers(1, 12),
    st.sampled_from(["", "", "flood", "pollutant"]),
)
UNSILENCE = st.tuples(st.just("unsilence"), st.sampled_from(CITIES), st.integers(0, 2))
ANSWER = st.tuples(st.just("answer"), st.sampled_from(CITIES))
WAIT = st.tuples(st.just("wait"), st.integers(1, 40))
CHAPTER = st.tuples(st.one_of(FLOOD, SPILL), SILENCE, st.one_of(FLOOD, SPILL, ELSEWHERE), st.one_of(FLOOD, UNSILENCE, ANSWER, WAIT))
TALES = st.lists(CHAPTER, min_size=2, max_size=4).map(lambda chapters: [step for chapter in chapters for step in chapter])
"""A danger, a silence, and what comes then."""
LAWS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def river(story, files, start):
    """The small river with flood and ammonia, where a red flood mutes ammonia up to yellow, and orange has to be answered."""

    def tell():
        stations = files["stations.csv"].replace(",red\n", ",red,limit\n").replace("2,3,4,5\n", "2,3,4,5,\n")
        for name, city, at in (("upper", "ava", "30.0,110.0,r1"), ("lower", "cam", "29.6,110.2,r3")):
            stations += f"{name},ammonia,rill,mg/l,{city},{at},0,600,UTC,,,,,,,1.0\n"
        changed = {
            "stations.csv": stations,
            "reaches.csv": files["reaches.csv"].replace(",1,,,\n", ",1,0.5,,\n"),
            "hazards/flood.toml": files["hazards/flood.toml"].replace("[rules]\n", "[rules]\nacknowledge_orange_s = 7200\n"),
            "hazards/pollutant.toml": POLLUTANT,
            "inhibitions.toml": RULES.format(equal="city", level_to="yellow"),
        }
        city = City(story(changed), start)
        city.values |= {"upper/ammonia": 0.1, "lower/ammonia": 0.1}
        return city

    return tell


def play(city, tale, check=None):
    """Let a tale happen, ten minutes a step; the level each silence covers, by its name."""
    covers, named = {}, []
    for number, (act, *what) in enumerate(tale):
        if act == "measure":
            city.values[what[0]] = what[1]
        elif act == "silence":
            name = city.silence(what[1], what[0], hours=what[2], hazard=what[3], id=f"stm-{number}")
            named.append(name)
            covers[f"silence:{name}"] = LEVELS.index(what[1])
        elif act == "unsilence" and named:
            city.states("unsilence", what[0], id=f"stm-{number}", about=named[what[1] % len(named)])
        elif act == "answer" and (said := city.tale.messages(what[0])):
            last = said[-1]
            city.tale.give(
                city.at,
                Acknowledgement(
                    "rill", city.tale.region.region_hash, what[0], last["warning_id"], last["revision"], "accepted", "li", "", city.at
                ),
            )
        city.until(city.at + 10 * MINUTE * (what[0] if act == "wait" else 1))
        if check is not None:
            check(city, covers)
    return covers


def warnings(city, kind):
    """Every warning record of this kind in the order of its sending, with its bytes."""
    return [(json.loads(one.value), one.value) for one in city.tale.outputs if one.kind is kind and one.warning_id]


def is_over(body):
    return body["msg_type"] in ("all_clear", "cancel") or body["reason"] == "expired"


def last_of(city, kind):
    return {body["warning_id"]: (body, value) for body, value in warnings(city, kind)}


@LAWS
@given(tale=TALES)
def test_a_mute_never_holds_back_red_or_a_raise_above_its_level(river, tale):
    city = river()
    covers = play(city, tale) | {"inhibition:flood-first": LEVELS.index("yellow")}
    for body, _ in warnings(city, Kind.WARNINGS):
        level = LEVELS.index(body["level"])
        assert all(level <= min(covers[name], 3) for name in body["muted_by"]) or is_over(body), body
        assert not (body["muted_by"] and body["acknowledge_by_at"]), "what has to be answered is sent"


@LAWS
@given(tale=TALES)
def test_every_revision_is_sent_or_names_what_mutes_it_and_never_both(river, tale):
    city = river()
    play(city, tale)
    sent = {value for _, value in warnings(city, Kind.CITY)}
    for body, value in warnings(city, Kind.WARNINGS):
        assert (value in sent) == (not body["muted_by"]), body
    assert all(body["muted_by"] == [] for body, _ in warnings(city, Kind.CITY))


@LAWS
@given(tale=TALES)
def test_whatever_was_sent_is_ended_visibly_and_nothing_else_is(river, tale):
    city = river()
    play(city, tale)
    city.values |= {"upper/stage": 1.0, "lower/stage": 1.0, "upper/ammonia": 0.1, "lower/ammonia": 0.1}
    city.until(city.at + 5 * HOUR)
    heard = {}
    for output in city.tale.outputs:
        if not output.warning_id:
            continue
        body = json.loads(output.value)
        if output.kind is Kind.CITY:
            before = heard.get(body["warning_id"])
            stood = before is not None and not is_over(before)
            assert stood or not is_over(body), "an end of nothing"
            assert stood or body["msg_type"] == "alert", "what the city hears first is an alert"
            heard[body["warning_id"]] = body
        elif is_over(body) and (said := heard.get(body["warning_id"])) is not None:
            assert is_over(said), "an end that was kept from those who were told of the beginning"


@LAWS
@given(tale=TALES)
def test_what_is_not_muted_any_more_is_what_the_city_was_sent_and_what_is_muted_reads_warned(river, tale):
    def check(city, _):
        heard = last_of(city, Kind.CITY)
        for warning_id, (body, value) in last_of(city, Kind.WARNINGS).items():
            if is_over(body):
                continue
            assert body["muted_by"] or heard[warning_id][1] == value, "it stands, and was not sent"
            status = city.last_status(body["city_id"], body["hazard"])
            assert (status["state"], status["level"], status["muted_by"]) == ("warned", body["level"], body["muted_by"])

    city = river()
    play(city, tale, check)


@LAWS
@given(tale=TALES)
def test_when_nothing_mutes_any_more_every_city_has_been_sent_what_stands(river, tale):
    city = river()
    play(city, tale)
    city.values |= {"upper/stage": 3.5, "upper/ammonia": 1.1}
    city.until(city.at + 13 * HOUR, step=20 * MINUTE)
    heard = last_of(city, Kind.CITY)
    standing = [(body, value) for body, value in last_of(city, Kind.WARNINGS).values() if not is_over(body)]
    assert standing
    red = {body["city_id"] for body, _ in standing if body["hazard"] == "flood" and body["level"] == "red"}
    for body, value in standing:
        spared = body["city_id"] in red and body["hazard"] == "pollutant" and body["level"] in ("blue", "yellow")
        assert body["muted_by"] == (["inhibition:flood-first"] if spared else [])
        assert spared or heard[body["warning_id"]][1] == value


@LAWS
@given(tale=TALES)
def test_muting_moves_no_level_and_no_end(river, tale):
    quiet, loud = river(), river()
    play(quiet, tale)
    play(loud, [("wait", 1) if step[0] in ("silence", "unsilence") else step for step in tale])

    def course(city):
        found = {}
        for body, _ in warnings(city, Kind.WARNINGS):
            if body["role"] in ("lead", "affected", "assist"):
                steps = found.setdefault(body["warning_id"], [])
                if not steps or steps[-1][1:] != (body["level"], is_over(body)):
                    steps.append((body["sent_at"], body["level"], is_over(body)))
        return found

    assert course(quiet) == course(loud)


@LAWS
@given(tale=TALES, cut=st.integers(0, 200))
def test_a_state_that_was_written_down_and_read_again_mutes_the_same(river, tale, cut):
    city = river()
    play(city, tale)
    again = city.tale.fold.initial(0)
    outputs = []
    for number, entry in enumerate(city.tale.entries):
        if number == cut % len(city.tale.entries):
            again = city.tale.fold.restore(city.tale.fold.snapshot(again))
        outputs += city.tale.fold.apply(again, [entry])
    assert outputs == city.tale.outputs
    assert city.tale.fold.snapshot(again) == city.tale.fold.snapshot(city.tale.state)


def test_silences_end_at_their_instant_however_far_apart_the_ticks_are(river):
    city = river()
    city.until(city.at + HOUR)
    city.silence("yellow", hours=2.05)
    ends_at = city.at + 123 * MINUTE
    city.until(city.at + 20 * MINUTE, upper_stage=2.5)
    city.tale.tick(ends_at + 5 * HOUR + SECOND)
    (one,) = [body for body, _ in warnings(city, Kind.CITY) if body["city_id"] == "bor" and body["reason"] == "unmuted"]
    assert one["sent_at"] == to_text(ends_at)
