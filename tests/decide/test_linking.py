"""One danger brings another in another domain: less certain, of its own, linked to its cause, over by itself, and never in a ring."""

from __future__ import annotations

import json

import pytest

from stream.records.instants import HOUR, MINUTE, SECOND, from_text
from stream.records.output import Kind
from tests.decide.chains import QUIET, START, Chain, final, messages, region_with

SHORT = {
    "cascades/flood-waterborne.toml": lambda text: text.replace("lasts_h = 336", "lasts_h = 12").replace("p10_h = 48", "p10_h = 1")
    .replace("p50_h = 120", "p50_h = 2").replace("p90_h = 288", "p90_h = 4"),
    "hazards/waterborne.toml": lambda text: text.replace("hold_s = 86400", "hold_s = 3600").replace("grid_step_s = 86400", "grid_step_s = 3600"),
}  # fmt: skip
DAY = 24 * HOUR


def flood(at: int) -> dict[str, float]:
    """Six hours of orange at Shuikou, which passes the cities below."""
    return {"shuikou/stage": 5.5 if START + 3 * HOUR <= at < START + 9 * HOUR else 2.0}


@pytest.fixture(scope="module")
def story() -> Chain:
    tale = Chain(region_with(SHORT))
    tale.run(START, START + 6 * DAY, flood)
    return tale


def test_a_flood_makes_its_cities_watch_for_disease_less_surely_and_lower(story):
    [cause, *_] = [one for one in story.said("shuikou", "flood") if one["level"] == "orange"]
    [first, *_] = story.said("shuikou", "waterborne")
    assert (first["msg_type"], first["level"], first["certainty"], first["path"]) == ("alert", "blue", "Possible", "linked")
    assert first["probability"] <= 0.3 < cause["probability"]
    assert first["domain"] == "lan-clinics"
    came = from_text(cause["arrives_at_p50"])
    assert [from_text(first[f"arrives_at_{name}"]) - came for name in ("p10", "p50", "p90")] == [1 * HOUR, 2 * HOUR, 4 * HOUR]


def test_the_cities_below_are_told_as_early_as_the_flood_is_forecast_there(story):
    [flood_below, *_] = story.said("hecheng", "flood")
    [below, *_] = story.said("hecheng", "waterborne")
    assert from_text(below["arrives_at_p50"]) == from_text(flood_below["arrives_at_p50"]) + 2 * HOUR
    assert from_text(below["sent_at"]) - from_text(flood_below["sent_at"]) < 10 * SECOND


def test_the_text_says_what_may_follow_from_what_how_likely_and_why(story):
    text = story.said("shuikou", "waterborne")[0]["text"]
    assert "water-borne outbreak may follow from flood (chance 19%)" in text["en"]
    assert "disinfect drinking water" in text["en"]
    assert "洪水之后可能出现水源性疾病" in text["zh"]
    assert "measured" not in text["en"]


def test_the_effect_is_an_incident_of_its_own_linked_to_its_cause(story):
    [cause] = {one["incident_id"] for one in story.incidents("flood")}
    assert {one["incident_id"] for one in story.incidents("waterborne")}.isdisjoint({cause})
    assert {tuple(one["linked_to"]) for one in story.incidents("waterborne") if one["state"] == "open"} == {(cause,)}


def test_when_nothing_follows_it_ends_by_itself_after_its_cause(story):
    last = story.said("shuikou", "waterborne")[-1]
    over = max(from_text(one["sent_at"]) for one in story.said("shuikou", "flood") if one["level"] == "orange")
    assert last["msg_type"] in ("all_clear", "update")
    assert last["reason"] in ("cleared", "expired", "left")
    assert over < from_text(last["sent_at"])
    assert final(story.outputs)["shuikou", "waterborne", "lan-clinics"] == ("clear", "none")
    assert story.incidents("waterborne")[-1]["state"] == "closed"


def test_a_lease_is_renewed_a_few_times_not_at_every_measurement(story):
    assert 1 < len(story.links()) <= 20


def test_offline_all_domains_together_say_the_same(story):
    together = story.together()
    for city in ("shuikou", "hecheng", "haimen"):
        for hazard in ("flood", "waterborne"):
            assert messages(together, city, hazard) == story.said(city, hazard)


def test_below_the_least_level_nothing_follows():
    tale = Chain(region_with(SHORT))
    tale.run(START, START + DAY, lambda at: {"shuikou/stage": 4.5 if at > START + 3 * HOUR else 2.0})
    assert tale.said("shuikou", "flood") != []
    assert tale.links() == []


def test_a_cause_that_was_wrong_takes_back_what_followed():
    tale = Chain(region_with(SHORT))
    tale.run(START, START + 3 * HOUR, lambda _: {})
    at = START + 3 * HOUR
    tale.measure(at, {"shuikou/stage": 5.5})
    tale.tick(at + 5 * SECOND)
    assert [one["level"] for one in tale.said("shuikou", "waterborne")] == ["blue"]
    tale.measure(at + MINUTE, {"shuikou/stage": 2.0}, observed_at=at)
    for pause in (2, 3, 4):
        tale.tick(at + pause * MINUTE)
    assert [one["msg_type"] for one in tale.said("shuikou", "flood")][-1] == "cancel"
    assert [one["msg_type"] for one in tale.said("shuikou", "waterborne")] == ["alert", "cancel"]


def test_what_an_officer_took_back_is_not_brought_back_by_the_next_lease():
    tale = Chain(region_with(SHORT))
    tale.run(START, START + 5 * HOUR, lambda _: {"shuikou/stage": 5.5})
    [first, *_] = tale.said("shuikou", "waterborne")
    tale.cancel(START + 5 * HOUR, "lan-clinics", "lan", first["warning_id"])
    revisions = len(tale.links())
    tale.run(START + 5 * HOUR, START + 3 * DAY, lambda _: {"shuikou/stage": 5.5})
    assert len(tale.links()) > revisions
    assert [one["msg_type"] for one in tale.said("shuikou", "waterborne")][-1] == "cancel"


def test_a_cause_that_an_officer_took_back_takes_back_what_followed():
    tale = Chain(region_with(SHORT))
    tale.run(START, START + 5 * HOUR, lambda _: {"shuikou/stage": 5.5})
    [first, *_] = tale.said("shuikou", "flood")
    tale.cancel(START + 5 * HOUR, "lan-river", "shuikou", first["warning_id"])
    tale.run(START + 5 * HOUR, START + 6 * HOUR, lambda _: {"shuikou/stage": 5.5})
    for city in ("shuikou", "hecheng", "haimen"):
        assert [one["msg_type"] for one in tale.said(city, "waterborne")] == ["alert", "cancel"]


def test_own_cases_take_over_from_the_forecast_of_them():
    tale = Chain(region_with(SHORT))
    tale.run(START - 40 * DAY, START, lambda _: {}, step=DAY)
    tale.run(START, START + 9 * HOUR, flood)
    tale.run(START + DAY, START + DAY + HOUR, lambda _: {"shuikou/diarrhoea": 60.0})
    last = tale.said("shuikou", "waterborne")[-1]
    assert (last["path"], last["certainty"]) == ("same_place", "Observed")
    assert last["level"] != "blue"


def test_a_spill_endangers_only_cities_with_an_intake_when_it_passes_there():
    tale = Chain(region_with())
    tale.run(START, START + 8 * HOUR, lambda at: {"shuikou/ammonia": 6.0 if at >= START + 3 * HOUR else 0.2})
    [spill, *_] = tale.said("hecheng", "spill")
    [intake, *_] = tale.said("hecheng", "intake")
    assert from_text(intake["arrives_at_p50"]) == from_text(spill["arrives_at_p50"]) + HOUR
    assert tale.said("shuikou", "intake") == tale.said("haimen", "intake") == []


def test_a_dam_in_danger_warns_what_lies_below_it_at_the_waves_own_speed():
    tale = Chain(region_with())
    tale.run(START, START + 4 * HOUR, lambda at: {"lan-dam/seepage": 100.0 if at >= START + 2 * HOUR else 5.0})
    came = [from_text(tale.said(city, "flood")[0]["arrives_at_p50"]) for city in ("shuikou", "hecheng", "haimen")]
    assert came == sorted(set(came))
    assert came[0] > START + 2 * HOUR + 3 * HOUR
    assert {tale.said(city, "flood")[0]["level"] for city in ("shuikou", "hecheng", "haimen")} == {"yellow"}


BACK = """\
cause = "waterborne"
effect = "flood"
min_level = "blue"
probability = 1
lasts_h = 12
[delay]
p10_h = 0
p50_h = 0
p90_h = 1
[texts]
zh = "（测试）"
en = "a ring, for the test"
"""


def test_a_ring_ends_where_it_began():
    tale = Chain(region_with(SHORT, {"cascades/waterborne-flood.toml": BACK}))
    tale.run(START, START + 4 * DAY, flood)
    core = tale.states[tale.partition("lan-river")].core
    assert set(core.counts.links_refused) == {"loop"}
    assert [one.hop for one in tale.links() if one.to_hazard == "flood"] != []
    assert {state for state, _ in final(tale.outputs).values()} <= {"clear", "unknown"}
    assert all(one["state"] == "closed" for one in (tale.incidents("flood")[-1], tale.incidents("waterborne")[-1]))


def also_in(text: str) -> str:
    """The gauge of Shuikou serves a second basin, too."""
    head, *rows = text.splitlines()
    return "\n".join([head + ",also_in", *(row + (",lan-delta" if row.startswith("shuikou,stage") else ",") for row in rows)])


DELTA = {
    "region.toml": lambda text: text.replace("[domains.lan-air]", '[domains.lan-delta]\nfamilies = ["water"]\n\n[domains.lan-air]'),
    "stations.csv": also_in,
}


def test_a_station_of_two_domains_is_evidence_in_both_and_counts_once_in_each():
    tale = Chain(region_with(DELTA), partitions=7)
    tale.run(START, START + 14 * HOUR, flood)
    bodies = [json.loads(one.value) for one in tale.outputs if one.kind is Kind.INCIDENTS]
    there = [one for one in bodies if one["domain"] == "lan-delta"]
    assert {one["hazard"] for one in there} == {"flood"}
    [of] = {one["incident_id"] for one in bodies if one["domain"] == "lan-river" and one["hazard"] == "flood"}
    assert there[-1]["linked_to"] in ([], [of])
    assert {tuple(one["linked_to"]) for one in there} >= {(of,)}
    assert [(one["series"], one["counts_as"]) for one in there[0]["evidence"]] == [("shuikou/stage", "shuikou")]
    assert {one["domain"] for one in tale.said("shuikou", "flood")} == {"lan-river", "lan-delta"}


def test_a_station_whose_alarm_was_wrong_is_taken_back_in_the_other_domain():
    tale = Chain(region_with(DELTA), partitions=7)
    tale.run(START, START + 3 * HOUR, lambda _: {})
    at = START + 3 * HOUR
    tale.measure(at, {"shuikou/stage": 5.5})
    tale.tick(at + 5 * SECOND)
    tale.measure(at + MINUTE, {"shuikou/stage": 2.0}, observed_at=at)
    for pause in (2, 3, 4):
        tale.tick(at + pause * MINUTE)
    there = [one["msg_type"] for one in tale.said("shuikou", "flood") if one["domain"] == "lan-delta"]
    assert there == ["alert", "cancel"]


def test_a_station_that_falls_silent_blinds_the_other_domain_and_clears_nothing():
    tale = Chain(region_with(DELTA), partitions=7)
    tale.run(START, START + 3 * HOUR, lambda _: {"shuikou/stage": 5.5})
    for hour in range(3, 18):
        at = START + hour * HOUR
        tale.measure(at, {series: value for series, value in QUIET.items() if series != "shuikou/stage"})
        tale.tick(at + 5 * SECOND)
    there = [one["reason"] for one in tale.said("shuikou", "flood") if one["domain"] == "lan-delta"]
    assert there[0] == "first"
    assert "blind" in there
    assert not {"cleared", "left", "better", "cancelled"}.intersection(there)
