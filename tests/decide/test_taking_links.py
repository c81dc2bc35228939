"""What another domain passed on takes effect once, at its time, ends by itself, and never comes back to where it began."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from stream.decide.linked import HOPS_MOST
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Entry, Linked, Seen, Tick, encode


def link(tale, start: int, **changes) -> Linked:
    """A consequence of an outbreak of storms that some domain `sky` passed on to the small river."""
    at = changes.pop("at", start)
    usual = {
        "link_id": "lnk-1", "revision": 1, "state": "open", "cause": "cascade", "rule": "storm-flood", "region_hash": tale.region.region_hash,
        "from_domain": "sky", "from_hazard": "storm", "from_incident": "inc-sky", "to_domain": "rill", "to_hazard": "flood", "sent_at": at,
        "effective_at": at + 2 * SECOND, "ends_at": at + 12 * HOUR, "hop": 1, "chain": (("inc-sky", "sky", "storm"),), "level": 1,
        "probability": 0.4, "reaches": (("bor", at + HOUR, at + 2 * HOUR, at + 3 * HOUR, 0.4, 1),),
    }  # fmt: skip
    return Linked(**usual | changes)


def test_a_link_warns_its_cities_less_surely_and_only_from_when_it_takes_effect(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    tale.give(start + SECOND, link(tale, start, at=start + SECOND))
    assert tale.told("bor") == []
    tale.tick(start + 5 * SECOND)

    [said] = tale.messages("bor")
    assert (said["level"], said["path"], said["certainty"], said["reason"]) == ("blue", "linked", "Possible", "first")
    assert said["sent_at"].endswith("03Z")
    assert said["probability"] == 0.4
    assert tale.told("ava") == tale.told("cam") == []


def test_a_repeated_and_an_older_revision_change_nothing(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    two = link(tale, start, revision=2)
    for at, one in enumerate([two, two, link(tale, start, revision=1, reaches=(("cam", start, start, start, 0.9, 4),))]):
        tale.give(start + at, one)
    tale.tick(start + 10 * SECOND)
    assert tale.told("bor") == [("alert", "blue", "first")]
    assert tale.told("cam") == []
    assert tale.state.core.counts.links_refused == {"repeated": 2}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chain": (("inc-1", "rill", "flood"), ("inc-sky", "sky", "storm")), "hop": 2}, "loop"),
        ({"hop": HOPS_MOST + 1}, "too_far"),
        ({"to_hazard": "locusts"}, "no_such_hazard"),
        ({"ends_at": 0}, "over"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name_and_changes_nothing(story, start, calm, changes, reason):
    tale = story()
    tale.measure(start, calm)
    tale.give(start + SECOND, link(tale, start, **changes))
    tale.tick(start + MINUTE)
    assert tale.told("bor") == []
    assert tale.state.core.counts.links_refused == {reason: 1}


def test_nothing_follows_so_it_ends_by_itself(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    tale.give(start + SECOND, link(tale, start))
    tale.quiet(start + 10 * MINUTE, start + 14 * HOUR, calm)
    said = tale.told("bor")
    assert said[0] == ("alert", "blue", "first")
    assert said[-1] == ("all_clear", "blue", "cleared")
    assert tale.status("bor") == "clear"


def test_a_withdrawn_link_was_wrong_and_the_city_hears_so(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    tale.give(start, link(tale, start))
    tale.tick(start + 5 * SECOND)
    tale.give(start + MINUTE, link(tale, start, at=start + MINUTE, revision=2, state="withdrawn"))
    tale.tick(start + 2 * MINUTE)
    assert [msg_type for msg_type, _, _ in tale.told("bor")] == ["alert", "cancel"]


def test_own_measurements_take_over(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    tale.give(start, link(tale, start))
    tale.tick(start + 5 * SECOND)
    tale.measure(start + 10 * MINUTE, {**calm, "middle": 4.5})
    last = tale.messages("bor")[-1]
    assert (last["level"], last["path"], last["certainty"]) == ("orange", "same_place", "Observed")
    assert set(last["paths"]) == {"same_place", "linked"}
    assert len({body["incident_id"] for body in tale.messages("bor")}) == 1


def test_a_rule_of_less_weight_makes_the_incident_less_sure(story, start, calm):
    def probability(weight: float) -> float:
        tale = story()
        tale.measure(start, calm)
        tale.give(start, link(tale, start, weight=weight))
        tale.tick(start + 5 * SECOND)
        [one] = tale.state.core.domains["rill"].hazards["flood"].incidents.values()
        return one.probability

    assert probability(0.2) < probability(0.5) < probability(1.0)
    assert probability(1.0) == pytest.approx(0.4, abs=0.03)  # no source is believed without any doubt


def test_what_may_follow_confirms_no_measurement(story, files, start, calm):
    tale = story({"hazards/flood.toml": files["hazards/flood.toml"] + "[fusion]\nk = 2\n"})
    tale.measure(start, calm)
    tale.give(start, link(tale, start))
    tale.tick(start + 5 * SECOND)
    tale.measure(start + 10 * MINUTE, {**calm, "middle": 5.5})
    last = tale.messages("bor")[-1]
    assert (last["level"], last["certainty"]) == ("yellow", "Possible")
    assert "unconfirmed" in last["reasons"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_in_which_links_come_changes_nothing(story, start, calm, order):
    def final(numbers):
        tale = story()
        tale.measure(start, calm)
        links = [
            link(tale, start, link_id="lnk-2"),
            link(tale, start, link_id="lnk-1", reaches=(("cam", start, start, start + HOUR, 0.3, 2),)),
            link(tale, start, link_id="lnk-2", revision=2, reaches=(("bor", start, start, start + HOUR, 0.5, 3),)),
        ]
        for number in numbers:
            tale.give(start, links[number])
        tale.tick(start + MINUTE)
        core = msgspec.to_builtins(tale.state.core.domains)
        core["rill"]["hazards"]["flood"]["links"]["taken"] = sorted(core["rill"]["hazards"]["flood"]["links"]["taken"].items())
        return core, tale.told("bor"), tale.told("cam")

    assert final(order) == final((0, 1, 2))


def test_a_link_that_came_before_its_region_was_active_is_kept(story, start, calm):
    tale = story()
    activation, *_ = tale.entries
    tale.give(start, link(tale, start))
    fresh = tale.fold.initial(tale.state.core.partition)
    assert tale.fold.apply(fresh, tale.entries[1:]) == []
    tick = Entry(6, start + 2 * MINUTE, encode(Tick(start + 2 * MINUTE, 5.0, start + 2 * MINUTE)))
    made = tale.fold.apply(fresh, [activation._replace(offset=5, timestamp=start + MINUTE), tick])
    assert [one.city_id for one in made if one.kind == "city" and one.reason == "first"] == ["bor"]


def test_a_snapshot_in_between_changes_nothing(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    tale.give(start, link(tale, start))
    saved = tale.fold.snapshot(tale.state)
    again = tale.fold.restore(saved)
    assert tale.fold.snapshot(again) == saved
    tale.tick(start + 5 * SECOND)
    other = tale.fold.apply(again, tale.entries[-1:])
    assert tale.fold.snapshot(again) == tale.fold.snapshot(tale.state)
    assert [one.value for one in other] == [one.value for one in tale.outputs[-len(other) :]]


def seen(start: int, **changes) -> Seen:
    return Seen(**{
        "series": "upper/stage", "level": 3, "peak": 3, "onset_at": start, "observed_at": start, "value": 4.5, "score": 4.5, "detector": "stage",
        "why": "level", "quality": 1, "highest": 4.5, "exceedance": 0.99,
    } | changes)  # fmt: skip


def test_a_station_of_another_domain_counts_where_it_stands(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    one = link(tale, start, cause="same_event", rule="also_in", reaches=(), seen=seen(start), level=3)
    tale.give(start, one)
    tale.tick(start + 5 * SECOND)
    # The toy region's own station stands in for one of another domain: what it shows goes down the river from where it stands.
    assert [body["path"] for body in tale.messages("cam")] == ["river"]
    assert tale.messages("ava")[0]["path"] == "same_place"
