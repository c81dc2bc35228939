"""The explanation of every warning of the shipped histories, in both languages, and what single ones must say."""

from __future__ import annotations

import string
from functools import cache
from zoneinfo import ZoneInfo

import msgspec
import pytest

from stream.errors import TocsinError
from stream.records.instants import from_text
from stream.records.warning import CityWarning, Lane, MsgType
from stream.region.load import load_folder
from stream.review import inputs, journal_file, replay
from stream.review.explain import Told, as_fields, explain
from stream.review.explain_asked import asked, chosen
from stream.review.explain_facts import Facts, Kept, Missing, facts, window
from stream.review.explain_replayed import kept_of
from stream.review.explain_sentences import SENTENCES
from stream.review.explain_verdicts import VERDICTS
from stream.review.explain_voice import Voice
from stream.review.explain_words import LANGUAGES, NOTES, WORDS
from stream.settings import Settings
from tests.region.shared import REGIONS


@cache
def history(name: str) -> tuple:
    """The region, and everything its history leads to."""
    region = load_folder(REGIONS / name)
    settings = Settings(prefix="why.", lane=Lane.TEST, clock="observed", partitions=1)
    made = replay.journal_of([region], inputs.in_feed_order(inputs.read_files(region, [REGIONS / name / "history.csv"])), settings)
    return region, kept_of([region], journal_file.Header(Lane.TEST, "observed", 1), made.records)


def known(name: str, warning: CityWarning, kept: Kept | None = None) -> Facts:
    region, all_kept = history(name)
    return facts(warning, kept or all_kept, {region.region_hash: region}.get)


def told(language: str, found: Facts, **how: object) -> Told:
    return explain(Voice(language, found.region, **how), found)  # type: ignore[arg-type]


def lines(one: Told, step: str) -> str:
    return "\n".join(line for each in one.steps if each.step == step for line in each.lines)


def first_of(name: str, city_id: str, hazard: str) -> CityWarning:
    return next(one for one in history(name)[1].warnings if (one.city_id, one.hazard, one.revision) == (city_id, hazard, 1))


@pytest.mark.parametrize("name", ["songhua", "example"])
def test_every_warning_of_a_history_can_be_explained_in_both_languages_without_holes(name: str) -> None:
    _, kept = history(name)
    for warning in kept.warnings:
        found = known(name, warning)
        for language in LANGUAGES:
            one = told(language, found)
            everything = [*one.head, *one.short, *(line for step in one.steps for line in step.lines)]
            assert one.short, (warning.warning_id, warning.revision)
            assert all(line.strip() and "{" not in line and "None" not in line and "?" not in line for line in everything), everything
            needed = {"measured", "decision", "told", "unknown"} | ({"believed"} if warning.evidence else set())
            assert {step.step for step in one.steps} >= needed
            if language == "zh":
                assert all(any("\u4e00" <= letter <= "\u9fff" for letter in step.title) for step in one.steps)


def test_the_sentences_of_both_languages_use_the_same_fields() -> None:
    for key, both in (SENTENCES | VERDICTS | WORDS | NOTES).items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in both]
        assert len(both) == len(LANGUAGES), key
        assert fields[0] - {"hash", "city"} == fields[1] - {"hash", "city"}, key


def test_the_chain_of_a_spill_leads_from_the_measurement_to_the_decision() -> None:
    one = told("en", known("songhua", first_of("songhua", "jiamusi", "pollutant")), year=2005)
    assert one.head[0] == "RED (I) for Jiamusi: nitrobenzene in the river"
    assert one.short[0] == "sujiatun: nitrobenzene 0.5805 mg/l, 34 times its lowest limit, 468 km up the river."
    assert one.short[1].startswith("It should reach Jiamusi on 5 Dec 03:18Z, in 10 d 11 h (between 1 Dec 04:00Z and 11 Dec 12:28Z)")
    assert "sujiatun (in Harbin; songhua, km 0): nitrobenzene 0.5805 mg/l at 24 Nov 16:00Z" in lines(one, "measured")
    assert "Passed the quality tests: sujiatun." in lines(one, "believed")
    assert "1 of 8 series" in lines(one, "believed")
    assert "none → RED" in lines(one, "found")
    assert "BLUE 0.017 mg/l, YELLOW 0.034 mg/l, ORANGE 0.085 mg/l, RED 0.17 mg/l" in lines(one, "found")
    assert "(odds 1 to 9)" in lines(one, "sure")
    assert "From sujiatun it is 468 km down the river to Jiamusi." in lines(one, "way")
    assert "0.52 m/s on average" in lines(one, "way")
    assert "RED: the highest level found at sujiatun" in lines(one, "decision")
    assert "91 % is above the 10 %" in lines(one, "decision")
    assert "Also under warning: Harbin RED" in lines(one, "told")
    assert any("OLD revision" in line for line in one.head)


def test_the_same_chain_in_chinese_and_in_the_time_of_beijing() -> None:
    one = told("zh", known("songhua", first_of("songhua", "jiamusi", "pollutant")), zone=ZoneInfo("Asia/Shanghai"), year=2005)
    assert one.head[0] == "佳木斯：江水硝基苯污染 红色预警（I级）"
    assert "预计 12月5日 11:18+08 到达佳木斯" in one.short[1]
    assert "自 sujiatun 沿河下行468公里到佳木斯。" in lines(one, "way")
    assert one.foot == "时间均为 Asia/Shanghai (UTC+08)。"


def test_the_odds_that_are_told_multiply_to_the_probability() -> None:
    _, kept = history("example")
    for incident in kept.incidents:
        region, _ = history("example")
        prior = next(one for one in region.hazards if one.hazard == incident.hazard).fusion.prior
        odds = prior / (1 - prior)
        for one in incident.evidence:
            odds *= 2.718281828459045**one.log_odds
        if incident.evidence:
            assert odds / (1 + odds) == pytest.approx(incident.probability, abs=2e-6)


def test_what_came_after_the_decision_is_no_part_of_its_chain() -> None:
    _, kept = history("example")
    for warning in kept.warnings[::7]:
        found = known("example", warning)
        at = from_text(warning.sent_at)
        assert all(sample.observed_at <= at for some in found.measured.values() for sample in some)
        assert all(from_text(one.as_of_at) <= at for some in found.evidence.values() for one in some)
        assert found.incident is not None
        assert from_text(found.incident.as_of_at) <= at


def test_what_is_no_longer_kept_is_named_and_the_rest_is_told() -> None:
    _, kept = history("example")
    warning = next(one for one in kept.warnings if one.hazard == "flood" and one.revision > 2 and one.msg_type is MsgType.UPDATE)
    bare = Kept(warnings=[warning])
    found = facts(warning, bare, lambda _: None)
    assert set(found.missing) == {Missing.REGION, Missing.REVISIONS, Missing.INCIDENT, Missing.EVIDENCE, Missing.MEASUREMENTS}
    for language in LANGUAGES:
        one = told(language, found)
        assert lines(one, "unknown").count("\n") >= 4
        assert lines(one, "measured"), "what the warning itself carries is told all the same"
    late = [one for one in kept.incidents if one.incident_id == warning.incident_id][-1:]
    found = facts(warning, Kept(warnings=[warning], incidents=late), lambda _: None)
    assert Missing.INCIDENT_THEN in found.missing


def test_an_all_clear_says_by_which_rule_it_is_over_and_asks_nothing() -> None:
    _, kept = history("example")
    over = next(one for one in kept.warnings if one.msg_type is MsgType.ALL_CLEAR and one.hazard == "flood" and one.path)
    one = told("en", known("example", over))
    assert one.short == ("Fresh measurements stayed below every level for 3 h: it is over.",)
    assert not lines(one, "way")


def test_a_warning_is_found_by_its_id_by_the_identifier_of_its_alert_and_by_its_city() -> None:
    _, kept = history("songhua")
    now = from_text("2005-12-01T00:00:00Z")
    newest = chosen(asked("jiamusi"), kept.warnings, now)
    assert chosen(asked(newest.warning_id), kept.warnings, now) == newest
    assert chosen(asked(f"{newest.warning_id}-2"), kept.warnings, now).revision == 2
    assert chosen(asked("jiamusi", 1), kept.warnings, now).revision == 1
    with pytest.raises(TocsinError, match=r"has no revision 99 that is still kept; there are 1, 2"):
        chosen(asked(newest.warning_id, 99), kept.warnings, now)
    with pytest.raises(TocsinError, match=r"there is no warning 'wrn-0', and no city of that id was warned; the newest are wrn-"):
        chosen(asked("wrn-0"), kept.warnings, now)


def test_a_script_gets_the_records_and_the_sentences_of_both_languages() -> None:
    warning = first_of("songhua", "harbin", "pollutant")
    found = known("songhua", warning)
    made = msgspec.json.decode(msgspec.json.encode(as_fields(found, {one: told(one, found) for one in LANGUAGES})))
    assert made["warning"]["warning_id"] == warning.warning_id
    assert made["measured"]["sujiatun/nitrobenzene"][-1]["value"] == 0.5805
    assert made["evidence"]["sujiatun/nitrobenzene"][-1]["detector"] == "concentration"
    assert set(made["text"]) == set(LANGUAGES)
    assert made["missing"] == []


def test_the_journal_is_read_from_some_intervals_before_the_evidence_to_the_decision() -> None:
    warning = first_of("songhua", "jiamusi", "pollutant")
    from_at, until_at = window(warning, warning.evidence, history("songhua")[0])
    assert from_at < from_text(warning.evidence[0].observed_at) <= until_at == from_text(warning.sent_at)
