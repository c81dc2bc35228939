"""What people report by hand: a source of its own, where it was seen; one person never gives red."""

from __future__ import annotations

import pytest

from stream.records.instants import HOUR, MINUTE
from stream.records.journal import Command, Entry, Statement, encode


def said(tale, at, **other):
    fields = {
        "domain": "rill", "region_hash": tale.region.region_hash, "city_id": "ava", "statement_id": "stm-1", "act": "report", "by": "chen",
        "received_at": at, "starts_at": at, "hazard": "flood", "level": "orange", "place_city": "ava", "reach": "r1", "km": 10.0,
    }  # fmt: skip
    if other.get("act", "report") != "report":
        fields["statement_id"] = f"stm-{other['act']}-{other.get('city_id', '')}-{at}"
    return Statement(**{**fields, **other})


def state(tale):
    return tale.state.core.domains["rill"].hazards["flood"]


@pytest.fixture
def calm_tale(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    return tale


def test_a_report_warns_its_city_and_those_below_and_says_that_it_is_unconfirmed(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR))
    assert [calm_tale.told(city) for city in ("ava", "bor", "cam")] == [[("alert", "orange", "first")]] * 3
    warning = calm_tale.messages("bor")[0]
    assert (warning["path"], warning["certainty"], warning["evidence"][0]["series"]) == ("river", "Possible", "report/stm-1")
    assert [body["role"] for city in ("ava", "bor") for body in calm_tale.messages(city)] == ["lead", "affected"]


def test_its_sentence_says_who_saw_what_and_of_no_measurement(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR, text="water over the dyke", value=3.5, unit="m"))
    here, below = (calm_tale.messages(city)[0]["text"] for city in ("ava", "bor"))
    assert here["en"] == (
        "ORANGE (II) warning for Ava: flood, reported by Ava, chen: water over the dyke, 3.5 m (not yet confirmed by another station);"
        " it is in the city. (first finding)"
    )
    assert "阿瓦, chen 报告洪水：water over the dyke" in below["zh"]
    assert "measured" not in below["en"]


def test_one_person_never_gives_red(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR, level="red", confirmed=True))
    assert calm_tale.told("ava") == [("alert", "orange", "first")]
    assert calm_tale.messages("ava")[0]["certainty"] == "Observed"


def test_a_report_sent_twice_counts_once(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR))
    before = len(calm_tale.outputs)
    calm_tale.give(start + HOUR + MINUTE, said(calm_tale, start + HOUR))
    assert len(calm_tale.outputs) == before


def test_a_report_survives_a_snapshot(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR))
    again = calm_tale.fold.restore(calm_tale.fold.snapshot(calm_tale.state))
    assert again.core.domains["rill"].hazards["flood"].sources["report/stm-1"].placed == state(calm_tale).sources["report/stm-1"].placed
    assert calm_tale.fold.snapshot(again) == calm_tale.fold.snapshot(calm_tale.state)


def test_a_report_before_its_region_is_active_waits_for_it(story):
    tale = story()
    fresh = tale.fold.initial(0)
    entries = [said(tale, 0), Command("activate", tale.region.name, tale.region.region_hash)]
    tale.fold.apply(fresh, [Entry(at, at, encode(one)) for at, one in enumerate(entries)])
    assert list(fresh.core.domains["rill"].hazards["flood"].sources) == ["report/stm-1"]


def test_a_report_of_a_hazard_the_region_does_not_have_is_counted(calm_tale, start):
    assert calm_tale.give(start + HOUR, said(calm_tale, start + HOUR, hazard="eruption")) == []
    assert calm_tale.state.core.counts.unmatched == 1


def test_a_report_on_a_reach_that_a_newer_region_lost_still_warns_its_own_city(calm_tale, start):
    calm_tale.give(start + HOUR, said(calm_tale, start + HOUR, reach="r9"))
    assert calm_tale.told("ava") == [("alert", "orange", "first")]
    assert calm_tale.told("bor") == []


def test_red_needs_a_second_person_and_the_first_one_twice_is_not_two(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at, level="red"))
    calm_tale.give(at + MINUTE, said(calm_tale, at + MINUTE, act="confirm", about="stm-1", statement_id="stm-2", by=" Chen"))
    assert calm_tale.told("ava") == [("alert", "orange", "first"), ("update", "orange", "surer")]
    calm_tale.give(
        at + 2 * MINUTE, said(calm_tale, at + 2 * MINUTE, act="confirm", about="stm-1", statement_id="stm-3", by="li", city_id="bor")
    )
    assert calm_tale.told("ava")[-1] == ("update", "red", "worse")
    assert calm_tale.told("cam")[-1] == ("update", "red", "worse")


def test_a_confirmation_that_overtook_its_report_counts(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at, act="confirm", about="stm-1", by="li", city_id="bor"))
    calm_tale.give(at + MINUTE, said(calm_tale, at, level="red"))
    assert calm_tale.told("ava") == [("alert", "red", "first")]
    assert not calm_tale.state.core.domains["rill"].by_hand.early


def test_a_gauge_that_sees_it_too_confirms_a_report_and_an_unconfirmed_report_does_not_confirm_a_gauge(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at))
    assert calm_tale.messages("ava")[-1]["certainty"] == "Possible"
    calm_tale.measure(at + MINUTE, {"upper": 4.2})
    assert calm_tale.messages("ava")[-1]["certainty"] == "Observed"


def test_a_withdrawn_report_withdraws_its_warnings_and_only_its_own_city_may(calm_tale, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at))
    (disputed,) = calm_tale.give(at + MINUTE, said(calm_tale, at, act="withdraw", about="stm-1", city_id="bor"))
    assert disputed.reason == "disputed"
    calm_tale.give(at + 2 * MINUTE, said(calm_tale, at, act="withdraw", about="stm-1"))
    assert [calm_tale.told(city)[-1] for city in ("ava", "bor", "cam")] == [("cancel", "orange", "cancelled")] * 3
    assert not calm_tale.state.core.domains["rill"].by_hand.reports


def test_what_its_reporter_said_to_be_over_is_over_after_the_hold(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at, ends_at=at + HOUR, reach="", km=None))
    calm_tale.quiet(at + 10 * MINUTE, at + 6 * HOUR, calm)
    assert calm_tale.told("ava")[0] == ("alert", "orange", "first")
    assert calm_tale.told("ava")[-1] == ("all_clear", "orange", "cleared")
    assert calm_tale.told("cam")[-1][0] != "all_clear", "what it sent down the river is still on its way"


@pytest.mark.parametrize(("ends", "last"), [(True, "cleared"), (False, "expired")])
def test_where_no_station_sees_it_the_reporters_word_ends_it_and_his_silence_does_not(story, files, start, ends, last):
    stations = [line for line in files["stations.csv"].splitlines() if not line.startswith(("upper", "middle"))]
    tale, at = story({"stations.csv": "\n".join(stations) + "\n"}), start + HOUR
    tale.quiet(start, at, {"lower": 1.0})
    tale.give(at, said(tale, at, ends_at=at + HOUR if ends else None))
    tale.quiet(at + 10 * MINUTE, at + 30 * HOUR, {"lower": 1.0})
    reasons = [reason for _, _, reason in tale.told("ava")]
    assert (reasons[0], reasons[-1]) == ("first", last)
    assert "cleared" not in reasons[:-1]


def test_a_report_nobody_ends_falls_silent_and_clears_nothing(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at))
    calm_tale.quiet(at + 10 * MINUTE, at + 30 * HOUR, calm)
    reasons = [reason for _, _, reason in calm_tale.told("ava")]
    assert "blind" in reasons
    assert "cleared" not in reasons
    assert reasons[-1] == "expired"
    assert state(calm_tale).sources == {}
    assert state(calm_tale).incidents == {}
    assert not calm_tale.state.core.domains["rill"].by_hand.reports


def test_a_report_confirmed_again_stands_longer(calm_tale, calm, start):
    at = start + HOUR
    calm_tale.give(at, said(calm_tale, at))
    calm_tale.quiet(at + 10 * MINUTE, at + 5 * HOUR, calm)
    calm_tale.give(at + 5 * HOUR, said(calm_tale, at + 5 * HOUR, act="confirm", about="stm-1", by="li"))
    calm_tale.quiet(at + 5 * HOUR + 10 * MINUTE, at + 9 * HOUR, calm)
    assert "blind" not in [reason for _, _, reason in calm_tale.told("ava")]


def test_a_late_report_does_not_warn_where_it_has_passed(calm_tale, start):
    at = start + 12 * HOUR
    calm_tale.give(at, said(calm_tale, at, starts_at=at - 7 * HOUR))
    assert calm_tale.told("ava") == []
    assert calm_tale.told("cam") == [("alert", "orange", "first")]
