"""Rules of inhibition: what is read, and every way in which one could hide a danger or be mistyped, one at a time."""

from __future__ import annotations

import pytest

from detectors.base import Level
from tests.region.sound import FILES, examined

GOOD = """\
[flood-first]
equal = "city"
[flood-first.source]
hazards = ["flood"]
level_from = "orange"
[flood-first.target]
hazards = ["pollutant"]
level_to = "yellow"
[flood-first.why]
zh = "先防洪"
en = "the flood comes first"
"""

BROKEN: dict[str, tuple[str, str, int, str, str]] = {
    "no_toml": ("[flood-first]\n", "[flood-first\n", 1, "", "no TOML"),
    "no_id": ("[flood-first", '["Flood First"', 1, "Flood First", "no id of a rule"),
    "unknown_hazard": ('["pollutant"]', '["polutant"]', 7, "flood-first.target.hazards", 'nearest known one is "pollutant"'),
    "no_source": ('[flood-first.source]\nhazards = ["flood"]\nlevel_from = "orange"\n', "", 1, "flood-first.source", "is missing"),
    "no_target": ('[flood-first.target]\nhazards = ["pollutant"]\nlevel_to = "yellow"\n', "", 1, "flood-first.target", "is missing"),
    "no_hazards": ('hazards = ["flood"]\n', "", 3, "flood-first.source.hazards", "is missing"),
    "unknown_level": ('"orange"', '"amber"', 5, "flood-first.source.level_from", "no such level"),
    "nothing_in_common": ('"city"', '"country"', 2, "flood-first.equal", "nothing two warnings have in common"),
    "red_is_muted": ('"yellow"', '"red"', 8, "flood-first.target.level_to", "nothing red is ever muted"),
    "a_milder_one_mutes": ('"orange"', '"yellow"', 8, "flood-first.target.level_to", "would be muted by yellow ones"),
    "a_whole_domain_mutes_more_than_notices": ('"city"', '"domain"', 8, "flood-first.target.level_to", "more than a notice"),
    "no_why": ('[flood-first.why]\nzh = "先防洪"\nen = "the flood comes first"\n', "", 1, "flood-first.why", "is missing"),
    "why_in_one_language": ('zh = "先防洪"\n', "", 9, "flood-first.why.zh", "is missing"),
    "unknown_key": ("equal =", "eqaul =", 2, "flood-first.eqaul", 'nearest known one is "equal"'),
    "unknown_key_of_a_side": ("level_to =", "level =", 8, "flood-first.target.level", "no such key"),
}


def read(text: str):
    return examined({**FILES, "inhibitions.toml": text})


def test_a_rule_is_read_as_it_was_written():
    region, findings = read(GOOD)
    assert region is not None, findings.problems
    (rule,) = region.inhibitions
    assert (rule.rule_id, rule.source_hazards, rule.source_from) == ("flood-first", ("flood",), Level.ORANGE)
    assert (rule.target_hazards, rule.target_to, rule.equal) == (("pollutant",), Level.YELLOW, "city")
    assert rule.why == {"zh": "先防洪", "en": "the flood comes first"}
    assert findings.sorted_notes() == ()


def test_without_levels_only_red_mutes_and_only_notices_are_muted():
    region, _ = read(GOOD.replace('level_from = "orange"\n', "").replace('level_to = "yellow"\n', ""))
    assert region is not None
    (rule,) = region.inhibitions
    assert (rule.source_from, rule.target_to) == (Level.RED, Level.BLUE)


def test_a_region_without_the_file_mutes_nothing():
    region, _ = examined(FILES)
    assert region is not None
    assert region.inhibitions == ()


def test_the_rules_change_the_hash_of_a_region():
    ruled, plain = read(GOOD)[0], examined(FILES)[0]
    assert ruled is not None
    assert plain is not None
    assert ruled.region_hash != plain.region_hash


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_refused_with_file_line_field_and_fix(name: str):
    old, new, line, field, problem = BROKEN[name]
    assert old in GOOD
    region, findings = read(GOOD.replace(old, new))
    assert region is None
    found = [one for one in findings.sorted_problems() if one.file == "inhibitions.toml"]
    assert any((one.line, one.field) == (line, field) and problem in f"{one.problem}; {one.fix}" for one in found), found
    assert all(one.fix for one in found)


def test_a_notice_is_never_muted_for_those_to_whom_the_same_danger_comes():
    own = GOOD.replace('"city"', '"domain"').replace('["pollutant"]', '["flood"]').replace('"yellow"', '"blue"')
    region, findings = read(own)
    assert region is None
    (one,) = findings.sorted_problems()
    assert (one.field, "those to whom it comes" in one.problem) == ("flood-first.target.hazards", True)


def test_dangers_that_never_meet_in_a_domain_are_said_to_mute_nothing():
    region, findings = read(GOOD.replace('["pollutant"]', '["air"]'))
    assert region is not None
    (one,) = findings.sorted_notes()
    assert "flood and air meet in no domain" in one.problem


def test_an_empty_file_is_a_mistake():
    region, findings = read("# nothing\n")
    assert region is None
    assert [one.problem for one in findings.problems] == ["the file holds no rule"]
