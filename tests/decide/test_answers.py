"""Answers of cities and what happens without one: reminder, deputies, joint body, next level; and who is what in an incident."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.records.instants import HOUR, MINUTE, SECOND, to_text
from stream.records.journal import Acknowledgement, Tick
from stream.records.output import Kind

AGREEMENT = """
[rill]
parties = ["north", "south", "east"]
hazards = ["flood"]
notify_from_level = "orange"
{extra}
[rill.acknowledge_within_s]
orange = 1200
red = 600
[rill.contacts.north]
officers = ["chen"]
[rill.contacts.south]
officers = ["li", "wu"]
deputies = ["wang"]
[rill.contacts.east]
officers = ["zhao"]
"""
RULES = "acknowledge_orange_s = 1200\nacknowledge_red_s = 600\n"


@pytest.fixture
def governed(story, files):
    """The small river in two provinces of one land, with answers asked by the hazard's rules, or by an agreement."""

    def tell(agreement: str | None = None, rules: str = RULES):
        cities = json.loads(files["cities.geojson"])
        for feature, parent in zip(cities["features"], ("north", "south", "south"), strict=True):
            feature["properties"]["parent"] = parent
        for one, above in (("north", "land"), ("south", "land"), ("east", "land"), ("land", "world"), ("world", "")):
            level = {"land": "country", "world": "union"}.get(one, "province")
            properties = {"id": one, "name_zh": one, "name_en": one.title(), "level": level} | ({"parent": above} if above else {})
            cities["features"].append({"type": "Feature", "geometry": None, "properties": properties})
        flood = files["hazards/flood.toml"].replace("[rules]\n", f"[rules]\n{'' if agreement is not None else rules}")
        changed = {"cities.geojson": json.dumps(cities), "hazards/flood.toml": flood}
        return story(changed | ({"agreements.toml": AGREEMENT.format(extra=agreement)} if agreement is not None else {}))

    return tell


class Watch:
    """A flood at the upper gauge, and time going on with everything read."""

    def __init__(self, tale, start, level=4.5):
        self.tale, self.start, self.at = tale, start, start
        tale.quiet(start, start + 30 * MINUTE, {"upper": 1.0, "middle": 1.0, "lower": 1.0})
        self.began = self.at = start + 40 * MINUTE
        self.values = {"upper": level, "middle": 1.0, "lower": 1.0}
        tale.measure(self.at, self.values)

    def until(self, at, *, read_to=None, step=MINUTE):
        while self.at < at:
            self.at = min(at, self.at + step)
            if (self.at - self.start) % (10 * MINUTE) == 0:
                self.tale.measure(self.at, self.values)
            written = self.at if read_to is None else min(self.at, read_to)
            self.tale.give(self.at, Tick(self.at, 60.0, self.at, acknowledgements_written_at=written))

    def answer(self, city, action="seen", *, revision=None, by="li", note="", at=None):
        last = self.tale.messages(city)[-1]
        received_at = self.at if at is None else at
        message = Acknowledgement(
            "rill", self.tale.region.region_hash, city, last["warning_id"], revision or last["revision"], action, by, note, received_at
        )
        return self.tale.give(self.at, message)

    def headers(self, city):
        """The rungs at which the city's warning was repeated."""
        return [
            dict(one.headers)["ce_escalation"].decode()
            for one in self.tale.outputs
            if one.kind is Kind.CITY and one.city_id == city and "ce_escalation" in dict(one.headers)
        ]

    def incident(self):
        return json.loads([one for one in self.tale.outputs if one.kind is Kind.INCIDENTS][-1].value)


def test_the_place_of_occurrence_leads_and_those_bound_by_an_agreement_assist(governed, start):
    watch = Watch(governed(""), start)
    (ava,), (bor,) = watch.tale.messages("ava"), watch.tale.messages("bor")
    assert (ava["role"], bor["role"], bor["agreement_id"], bor["coordinator"]) == ("lead", "assist", "rill", "land")
    assert ava["acknowledge_by_at"] == to_text(watch.began + 20 * MINUTE)


def test_without_an_agreement_whom_it_reaches_is_affected_and_nobody_is_asked(governed, start):
    watch = Watch(governed(rules=""), start)
    (bor,) = watch.tale.messages("bor")
    assert (bor["role"], bor["agreement_id"], bor["coordinator"], bor["acknowledge_by_at"]) == ("affected", "", "land", None)
    watch.until(watch.began + 3 * HOUR)
    assert {output.city_id for output in watch.tale.outputs if output.kind is Kind.CITY} == {"ava", "bor", "cam"}
    assert watch.headers("bor") == []


def test_a_party_that_is_not_reached_is_informed_and_hears_when_it_is_over(governed, start):
    watch = Watch(governed(""), start)
    (east,) = watch.tale.messages("east")
    assert (east["role"], east["msg_type"], east["level"], east["reasons"]) == ("informed", "alert", "orange", ["agreement:rill"])
    assert "for information" in east["text"]["en"]
    for city in ("ava", "bor", "cam"):
        watch.answer(city)
    watch.values = {"upper": 1.0, "middle": 1.0, "lower": 1.0}
    watch.until(watch.began + 96 * HOUR, step=10 * MINUTE)
    assert watch.tale.told("bor")[-1][0] == "all_clear", watch.tale.told("bor")
    assert watch.tale.told("east")[-1][0] == "all_clear"
    assert watch.tale.told("land") == [], "everybody answered"


def test_a_party_is_not_informed_below_the_agreed_level(governed, start):
    watch = Watch(governed(""), start, level=3.5)
    assert (watch.tale.told("bor")[0][1], watch.tale.told("east")) == ("yellow", [])


def test_without_an_answer_it_goes_up_rung_by_rung_and_each_is_stamped_with_its_due_time(governed, start):
    watch = Watch(governed(""), start)
    watch.answer("ava")
    watch.answer("cam")
    watch.until(watch.began + 19 * MINUTE)
    assert watch.headers("bor") == []
    watch.until(watch.began + 21 * MINUTE)
    assert watch.headers("bor") == ["reminded"]
    watch.until(watch.began + 31 * MINUTE)
    assert watch.headers("bor") == ["reminded", "deputies"]
    (deputies,) = [dict(one.headers)["ce_addressees"] for one in watch.tale.outputs if "ce_addressees" in dict(one.headers)]
    assert deputies == b"wang"
    assert len({one.value for one in watch.tale.outputs if one.kind is Kind.CITY and one.city_id == "bor" and one.revision}) == 1, (
        "same bytes"
    )
    watch.until(watch.began + 41 * MINUTE)
    (land,) = watch.tale.messages("land")
    assert (land["role"], land["reason"], land["reasons"]) == ("coordinator", "unacknowledged", ["unacknowledged:bor"])
    assert land["sent_at"] == to_text(watch.began + 40 * MINUTE)
    assert land["acknowledge_by_at"] == to_text(watch.began + 50 * MINUTE)
    watch.until(watch.began + 51 * MINUTE)
    assert [one["role"] for one in watch.tale.messages("world")] == ["coordinator"]
    assert (watch.incident()["handed_over_to"], watch.incident()["handed_over_at"]) == ("world", to_text(watch.began + 50 * MINUTE))
    assert [(one["city_id"], one["to"]) for one in watch.incident()["escalated"]] == [("bor", "next")]
    before = len(watch.tale.outputs)
    watch.until(watch.began + 3 * HOUR)
    assert [one for one in watch.tale.outputs[before:] if "ce_escalation" in dict(one.headers)] == []


def test_an_answer_stops_it_and_those_above_learn_of_it(governed, start):
    watch = Watch(governed(""), start)
    watch.answer("ava")
    watch.answer("cam")
    watch.until(watch.began + 41 * MINUTE)
    watch.answer("bor", "accepted", by="wang", note="on it")
    assert watch.tale.told("land")[-1] == ("update", "orange", "acknowledged")
    assert watch.tale.messages("land")[-1]["role"] == "informed"
    watch.until(watch.began + 2 * HOUR)
    assert watch.tale.told("world") == []
    record = watch.incident()
    assert (record["handed_over_to"], record["escalated"]) == ("", [])
    assert [(one["city_id"], one["action"], one["by"], one["note"]) for one in record["answers"]][-1] == (
        "bor",
        "accepted",
        "wang",
        "on it",
    )


def test_a_joint_body_that_answers_keeps_it_from_going_further_up(governed, start):
    watch = Watch(governed(""), start)
    watch.answer("ava")
    watch.until(watch.began + 41 * MINUTE)
    assert watch.tale.messages("land")[-1]["reasons"] == ["unacknowledged:bor", "unacknowledged:cam"]
    watch.answer("land", "accepted", by="duty")
    watch.until(watch.began + 2 * HOUR)
    assert watch.tale.told("world") == []
    assert watch.incident()["handed_over_to"] == "land"


def test_an_answer_to_an_older_revision_does_not_stop_a_worse_one(governed, start):
    watch = Watch(governed(), start)
    watch.answer("bor")
    watch.values = {"upper": 5.5, "middle": 1.0, "lower": 1.0}
    watch.until(watch.began + 10 * MINUTE)
    (_, red) = watch.tale.messages("bor")
    assert (red["level"], red["reason"], red["acknowledge_by_at"]) == ("red", "worse", to_text(watch.began + 20 * MINUTE))
    watch.answer("bor", revision=1, by="wu")
    watch.until(watch.began + 21 * MINUTE)
    assert watch.headers("bor") == ["reminded"]
    watch.answer("bor", revision=2)
    watch.until(watch.began + 3 * HOUR)
    assert watch.headers("bor") == ["reminded"]


def test_a_rejection_goes_to_the_joint_body_at_once_with_its_reason_in_the_incident(governed, start):
    watch = Watch(governed(""), start)
    watch.answer("bor", "rejected", note="the gauge is being repaired")
    (land,) = watch.tale.messages("land")
    assert land["reasons"] == ["rejected:bor"]
    assert watch.incident()["answers"][-1]["note"] == "the gauge is being repaired"
    watch.until(watch.at + MINUTE)
    watch.answer("bor", "accepted")
    assert watch.tale.told("land")[-1][2] == "acknowledged"


def test_each_officer_answers_for_himself_where_the_agreement_asks_that(governed, start):
    watch = Watch(governed("each_officer = true"), start)
    watch.answer("ava", by="chen")
    watch.answer("cam", by="li")
    watch.answer("cam", by="wu")
    watch.answer("bor", by="li")
    watch.until(watch.began + 21 * MINUTE)
    assert (watch.headers("ava"), watch.headers("bor"), watch.headers("cam")) == ([], ["reminded"], [])
    watch.answer("bor", by="wu")
    watch.until(watch.began + 2 * HOUR)
    assert watch.headers("bor") == ["reminded"]


def test_a_city_that_answered_in_time_is_not_escalated_against_because_its_answer_was_read_late(governed, start):
    watch = Watch(governed(), start)
    read_to = watch.began + 18 * MINUTE
    watch.until(watch.began + 19 * MINUTE + 30 * SECOND, read_to=read_to)
    watch.until(watch.began + 20 * MINUTE, read_to=read_to)
    watch.answer("bor", at=watch.began + 19 * MINUTE)
    watch.until(watch.began + 2 * HOUR)
    assert (watch.headers("bor"), watch.headers("ava")[:1]) == ([], ["reminded"])


def test_when_answers_are_not_read_for_two_minutes_it_goes_on_and_says_why(governed, start):
    watch = Watch(governed(), start)
    watch.until(watch.began + 19 * MINUTE)
    watch.until(watch.began + 22 * MINUTE, read_to=watch.began + 19 * MINUTE)
    assert watch.headers("bor") == []
    watch.until(watch.began + 24 * MINUTE, read_to=watch.began + 19 * MINUTE)
    assert watch.headers("bor") == ["reminded"]
    assert {one["because"] for one in watch.incident()["escalated"]} == {"acknowledgements_unread"}


def test_an_answer_that_fits_nothing_is_counted_and_changes_nothing(governed, start):
    watch = Watch(governed(), start)
    (bor,) = watch.tale.messages("bor")
    made = watch.tale.region.region_hash
    for wrong in (
        Acknowledgement("rill", made, "ava", bor["warning_id"], 1, "seen", "x", "", watch.at),
        Acknowledgement("rill", made, "bor", "wrn-none", 1, "seen", "x", "", watch.at),
        Acknowledgement("rill", made, "bor", bor["warning_id"], 2, "seen", "x", "", watch.at),
        Acknowledgement("elsewhere", made, "bor", bor["warning_id"], 1, "seen", "x", "", watch.at),
    ):
        assert watch.tale.give(watch.at, wrong) == []
    counts = watch.tale.state.core.counts
    assert (counts.answers, counts.unmatched) == (0, 4)
    watch.until(watch.began + 21 * MINUTE)
    assert watch.headers("bor") == ["reminded"]


def test_the_same_answer_twice_says_nothing_new(governed, start):
    watch = Watch(governed(), start)
    watch.answer("bor")
    assert watch.answer("bor") == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), cut=st.floats(0, 1), size=st.integers(1, 50), agreed=st.booleans())
def test_with_answers_too_the_cut_and_a_restore_change_nothing(governed, start, seed, cut, size, agreed):
    import random

    rng = random.Random(seed)
    tale = governed("" if agreed else None)
    watch = Watch(tale, start, level=rng.choice([3.5, 4.5, 5.5]))
    for _ in range(25):
        watch.until(watch.at + rng.randrange(1, 15) * MINUTE, read_to=watch.at - rng.choice([0, 0, 0, 4 * MINUTE]))
        watch.values["upper"] = rng.choice([1.0, 3.5, 4.5, 5.5])
        city = rng.choice(["ava", "bor", "cam", "land", "east"])
        if tale.messages(city):
            watch.answer(
                city, rng.choice(["seen", "accepted", "rejected", "done"]), revision=rng.choice([None, 1]), by=rng.choice(["li", "wu"])
            )
    where = int(cut * len(tale.entries))
    state, outputs = tale.fold.initial(tale.state.core.partition), []
    for at in range(0, where, size):
        outputs += tale.fold.apply(state, tale.entries[at : min(at + size, where)])
    saved = tale.fold.snapshot(state)
    again = tale.fold.restore(saved)
    assert tale.fold.snapshot(again) == saved
    outputs += tale.fold.apply(again, tale.entries[where:])
    assert outputs == tale.outputs
    assert tale.fold.snapshot(again) == tale.fold.snapshot(tale.state)
    for city in ("ava", "bor", "cam", "land", "world", "east", "north", "south"):
        revisions = [(one["warning_id"], one["revision"]) for one in tale.messages(city)]
        for name in {one for one, _ in revisions}:
            mine = [revision for one, revision in revisions if one == name]
            assert mine == sorted(mine)
            assert set(mine) == set(range(1, max(mine) + 1))
