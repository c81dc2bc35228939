"""Cascades: what is read, and every rule they can break, one at a time."""

from __future__ import annotations

import pytest

from detectors.base import Level
from stream.region.cascades import Delay, rings
from tests.region.sound import FILES, examined

FILE = "cascades/flood-ammonia.toml"
GOOD = """\
cause = "flood"
effect = "pollutant"
where = "listed"
cities = ["downton"]
min_level = "orange"
level_drop = 2
probability = 0.3
weight = 0.5
lasts_h = 240
domain = "rill"
[delay]
p10_h = 6
p50_h = 24
p90_h = 72
[texts]
zh = "洪水会冲刷污染物"
en = "floods wash out what lies on the fields"
"""

BROKEN: dict[str, tuple[str, str, int, str, str]] = {
    "no_toml": ("[delay]", "[delay", 11, "", "no TOML"),
    "unknown_cause": ('cause = "flood"', 'cause = "floot"', 1, "cause", 'nearest known one is "flood"'),
    "unknown_effect": ('"pollutant"', '"polutant"', 2, "effect", 'nearest known one is "pollutant"'),
    "follows_itself": ('"pollutant"', '"flood"', 2, "effect", "would follow itself"),
    "unknown_where": ('"listed"', '"everywhere"', 3, "where", "no such place"),
    "unknown_city": ('"downton"', '"dowton"', 4, "cities", 'nearest known one is "downton"'),
    "cities_where_none_are_asked": ('"listed"', '"same"', 4, "cities", "where = 'same'"),
    "no_cities": ('cities = ["downton"]\n', "", 0, "cities", "is missing"),
    "unknown_level": ('"orange"', '"amber"', 5, "min_level", "no such level"),
    "drop_beyond_red": ("level_drop = 2", "level_drop = 5", 6, "level_drop", "out of range"),
    "no_probability": ("probability = 0.3\n", "", 0, "probability", "is missing"),
    "impossible": ("probability = 0.3", "probability = 1.3", 7, "probability", "out of range"),
    "negative_weight": ("weight = 0.5", "weight = -1", 8, "weight", "out of range"),
    "never_ends": ("lasts_h = 240\n", "", 0, "lasts_h", "is missing"),
    "unknown_domain": ('domain = "rill"', 'domain = "ril"', 10, "domain", 'nearest known one is "rill"'),
    "domain_of_another_family": ('domain = "rill"', 'domain = "haze"', 10, "domain", "has no 'water'"),
    "no_delay": ("[delay]\np10_h = 6\np50_h = 24\np90_h = 72\n", "", 0, "delay", "is missing"),
    "quantile_missing": ("p50_h = 24\n", "", 11, "delay.p50_h", "is missing"),
    "quantiles_fall": ("p90_h = 72", "p90_h = 7", 14, "delay.p90_h", "is before the 24 h of p50_h"),
    "one_language": ('zh = "洪水会冲刷污染物"\n', "", 15, "texts.zh", "is missing"),
    "unknown_key": ("lasts_h", "lasts_d", 9, "lasts_d", 'nearest known one is "lasts_h"'),
}


def test_a_cascade_is_read():
    region, findings = examined({**FILES, FILE: GOOD})
    assert findings.problems == []
    [one] = region.cascades
    assert (one.name, one.cause, one.effect, one.where, one.cities) == ("flood-ammonia", "flood", "pollutant", "listed", ("downton",))
    assert (one.min_level, one.level_drop, one.probability, one.weight, one.lasts_h) == (Level.ORANGE, 2, 0.3, 0.5, 240)
    assert one.delay == Delay(6, 24, 72)
    assert one.domain == "rill"
    assert set(one.texts) == {"zh", "en"}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_cascade_says_what_and_where(rule):
    old, new, line, field, words = BROKEN[rule]
    assert GOOD.count(old) >= 1
    region, findings = examined({**FILES, FILE: GOOD.replace(old, new, 1)})
    assert region is None
    told = [(one.file, one.line, one.field, one.problem + one.fix) for one in findings.problems]
    assert any(file == FILE and at == line and name == field and words in text for file, at, name, text in told), told


def test_a_cascade_below_needs_a_footprint():
    flat = {**FILES, "hazards/pollutant.toml": FILES["hazards/pollutant.toml"].replace('footprint = "river_solute"\n', "")}
    below = GOOD.replace('where = "listed"\ncities = ["downton"]', 'where = "below"')
    assert examined({**FILES, FILE: below})[0] is not None
    assert "no footprint that could say where" in str(examined({**flat, FILE: below})[1].problems[0])


def test_a_ring_of_cascades_is_noted_once():
    back = GOOD.replace('cause = "flood"', 'cause = "pollutant"').replace('effect = "pollutant"', 'effect = "flood"')
    region, findings = examined({**FILES, FILE: GOOD, "cascades/ammonia-flood.toml": back})
    assert [one.name for one in region.cascades] == ["ammonia-flood", "flood-ammonia"]
    assert rings(region.cascades) == (("flood", "pollutant"),)
    assert [str(note) for note in findings.notes if "is a ring" in str(note)] != []


def test_a_stray_file_beside_the_cascades_is_a_problem():
    region, findings = examined({**FILES, "cascades/readme.md": "words"})
    assert region is None
    assert "no such file" in findings.problems[0].problem
