"""The life of a warning, told as stories on a small river: three cities ten hours apart at one metre a second."""

from __future__ import annotations

import pytest

from stream.records.instants import DAY, HOUR, MINUTE, SECOND, from_text


def test_a_calm_river_warns_nobody_and_says_clear(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)

    assert tale.told("ava") == []
    assert [tale.status(city) for city in ("ava", "bor", "cam")] == ["clear"] * 3


def test_before_any_measurement_every_city_is_unknown(story):
    tale = story()

    assert [tale.status(city) for city in ("ava", "bor", "cam")] == ["unknown"] * 3


def test_a_rise_upstream_warns_the_city_there_and_those_below_at_once_and_in_order_of_arrival(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 3.5})

    assert tale.told("ava") == [("alert", "yellow", "first")]
    assert tale.told("bor") == [("alert", "yellow", "first")]
    (ava,), (bor,), (cam,) = (tale.messages(city) for city in ("ava", "bor", "cam"))
    assert (ava["path"], bor["path"], ava["certainty"]) == ("same_place", "river", "Observed")
    assert ava["incident_id"] == bor["incident_id"]
    assert from_text(bor["arrives_at_p50"]) == pytest.approx(start + 11 * HOUR, abs=HOUR)
    assert bor["arrives_at_p10"] < bor["arrives_at_p50"] < bor["arrives_at_p90"] < cam["arrives_at_p50"]
    assert bor["region_hash"] == tale.region.region_hash


def test_a_rise_downstream_does_not_warn_upstream(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 4.5})

    assert tale.told("cam") == [("alert", "orange", "first")]
    assert tale.told("ava") == tale.told("bor") == []


def test_a_worse_level_is_told_at_once_and_a_lower_one_only_after_the_hold(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 2.5})
    tale.measure(start + HOUR + 10 * MINUTE, {"lower": 5.5})
    assert tale.told("cam") == [("alert", "blue", "first"), ("update", "red", "worse")]

    tale.quiet(start + HOUR + 20 * MINUTE, start + HOUR + 60 * MINUTE, {**calm, "lower": 2.5})
    assert len(tale.told("cam")) == 2
    tale.quiet(start + 2 * HOUR, start + 4 * HOUR, {**calm, "lower": 2.5})
    assert tale.told("cam")[2:] == [("update", "blue", "better")]


def test_another_way_by_which_it_comes_is_told_while_a_higher_level_is_held(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 5.5})
    tale.quiet(start + HOUR + 10 * MINUTE, start + HOUR + 40 * MINUTE, {**calm, "lower": 2.5})
    assert tale.told("cam") == [("alert", "red", "first")]
    tale.measure(start + HOUR + 40 * MINUTE, {**calm, "middle": 2.5, "lower": 2.5})

    assert tale.told("cam")[1:] == [("update", "red", "surer")]
    assert tale.messages("cam")[-1]["paths"] == ["same_place", "river"]
    tale.quiet(start + HOUR + 50 * MINUTE, start + 3 * HOUR, {**calm, "middle": 2.5, "lower": 2.5})
    assert tale.told("cam")[2:] == [("update", "blue", "better")], "the hold is not prolonged by it"


def test_the_end_is_an_all_clear_after_the_hold_and_the_incident_closes(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 2.5})
    tale.quiet(start + HOUR + 10 * MINUTE, start + 4 * HOUR, calm)

    assert tale.told("cam") == [("alert", "blue", "first"), ("all_clear", "blue", "cleared")]
    assert tale.status("cam") == "clear"
    assert tale.state.core.domains["rill"].hazards["flood"].incidents == {}


def test_a_wave_under_way_keeps_the_city_below_warned_until_it_has_passed(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"upper": 3.5})
    tale.quiet(start + HOUR + 10 * MINUTE, start + 8 * HOUR, calm)

    assert tale.told("ava")[-1] == ("all_clear", "yellow", "cleared")
    assert tale.told("bor")[-1][0] != "all_clear"
    tale.quiet(start + 8 * HOUR, start + 4 * DAY, calm)
    assert tale.told("bor")[-1][0] == "all_clear"
    passed_at = from_text(tale.messages("bor")[0]["arrives_at_p90"])
    assert from_text(tale.messages("bor")[-1]["sent_at"]) >= passed_at


def test_silence_never_reads_as_clear_and_never_lowers_a_warning(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 4.5})
    for minute in range(10, 6 * 60, 10):
        tale.tick(start + HOUR + minute * MINUTE)

    assert [tale.status(city) for city in ("ava", "bor", "cam")] == ["unknown", "unknown", "warned"]
    assert {level for _, level, _ in tale.told("cam")} == {"orange"}
    assert ("update", "orange", "blind") in tale.told("cam")
    assert "all_clear" not in {kind for kind, _, _ in tale.told("cam")}


def test_a_blind_warning_ends_as_expired_not_as_all_clear(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 4.5})
    for minute in range(10, 3 * 24 * 60, 10):
        tale.tick(start + HOUR + minute * MINUTE)

    assert tale.told("cam")[-1] == ("update", "orange", "expired")
    assert "not an all clear" in tale.messages("cam")[-1]["text"]["en"]
    assert tale.status("cam") == "unknown"


def test_a_lasting_danger_is_extended_while_evidence_is_fresh(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 13 * HOUR, {**calm, "lower": 4.5})

    reasons = [reason for _, _, reason in tale.told("cam")]
    assert set(reasons[1:]) == {"extended"}
    assert 3 <= len(reasons) <= 6
    assert all(body["expires_at"] > body["sent_at"] for body in tale.messages("cam"))


def test_nothing_clears_while_the_doors_are_not_read(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.measure(start + HOUR, {"lower": 2.5})
    for minute in range(10, 4 * 60, 10):
        at = start + HOUR + minute * MINUTE
        tale.measure(at, calm)
        tale.tick(at + SECOND, doors_written_at=start + HOUR)

    assert tale.told("cam") == [("alert", "blue", "first"), ("update", "blue", "blind")]
    assert tale.status("ava") == "unknown"
    tale.tick(start + 5 * HOUR + SECOND)
    tale.quiet(start + 5 * HOUR + 10 * MINUTE, start + 7 * HOUR, calm)
    assert tale.told("cam")[-1] == ("all_clear", "blue", "cleared")
    assert tale.status("ava") == "clear"


def test_flapping_raises_and_clears_once(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    for minute in range(0, 120, 10):
        tale.measure(start + HOUR + minute * MINUTE, {**calm, "lower": 2.3 if minute % 20 == 0 else 1.7})
        tale.tick(start + HOUR + minute * MINUTE + SECOND)
    tale.quiet(start + 3 * HOUR, start + 6 * HOUR, calm)

    kinds = [kind for kind, _, _ in tale.told("cam")]
    assert kinds.count("alert") == kinds.count("all_clear") == 1
    assert len(kinds) <= 4


def test_revisions_count_up_by_one_and_supersede_the_one_before(story, calm, start):
    tale = story()
    tale.quiet(start, start + HOUR, calm)
    tale.quiet(start + HOUR, start + 9 * HOUR, {**calm, "upper": 2.5})
    tale.quiet(start + 9 * HOUR, start + 20 * HOUR, {**calm, "upper": 4.5})

    revisions = [(body["revision"], body["supersedes"]) for body in tale.messages("bor")]
    assert revisions == [(n, n - 1 or None) for n in range(1, len(revisions) + 1)]
    assert len({body["warning_id"] for body in tale.messages("bor")}) == 1
    sent = [from_text(body["sent_at"]) for body in tale.messages("bor")]
    assert sent == sorted(sent)


def test_a_new_episode_is_a_new_incident(story, calm, start):
    tale = story()
    for day in range(2):
        tale.quiet(start + day * DAY, start + day * DAY + HOUR, calm)
        tale.measure(start + day * DAY + HOUR, {"lower": 2.5})
        tale.quiet(start + day * DAY + HOUR + 10 * MINUTE, start + (day + 1) * DAY, calm)

    first, second = (body for body in tale.messages("cam") if body["msg_type"] == "alert")
    assert first["incident_id"] != second["incident_id"]
    assert first["warning_id"] != second["warning_id"]


def test_late_data_raise_nothing_live_but_a_wave_that_still_lies_ahead_is_told(story, calm, start):
    tale = story()
    tale.quiet(start, start + 3 * HOUR, {"middle": 1.0, "lower": 1.0})
    tale.measure(start + 3 * HOUR, {"upper": 4.5}, observed_at=start + 30 * MINUTE, flags=1)

    assert tale.told("ava") == []
    assert tale.told("bor") == [("alert", "orange", "first")]
    assert tale.messages("bor")[0]["evidence"][0]["observed_at"] < tale.messages("bor")[0]["sent_at"]
