"""Inhibition: what a city is spared while it stands under something worse that it was sent itself."""

from __future__ import annotations

import pytest

from stream.records.instants import DAY, HOUR, MINUTE
from stream.records.journal import Command
from stream.region.load import load
from tests.decide.conftest import make_bundle
from tests.decide.small_river import POLLUTANT, RULES, City


@pytest.fixture
def two(story, files, start):
    """Flood and ammonia on one river; a red flood mutes what the ammonia rule says."""

    def tell(equal="city", level_to="yellow", level_from="red"):
        stations = files["stations.csv"].replace(",red\n", ",red,limit\n").replace("2,3,4,5\n", "2,3,4,5,\n")
        stations += (
            "upper,ammonia,rill,mg/l,ava,30.0,110.0,r1,0,600,UTC,,,,,,,1.0\nlower,ammonia,rill,mg/l,cam,29.6,110.2,r3,0,600,UTC,,,,,,,1.0\n"
        )
        reaches = files["reaches.csv"].replace(",1,,,\n", ",1,0.5,,\n")
        changed = {"stations.csv": stations, "reaches.csv": reaches, "hazards/pollutant.toml": POLLUTANT}
        city = City(
            story(changed | {"inhibitions.toml": RULES.format(equal=equal, level_to=level_to).replace('"red"', f'"{level_from}"')}), start
        )
        city.values |= {"upper/ammonia": 0.1, "lower/ammonia": 0.1}
        return city

    return tell


def of_hazard(city, name, hazard):
    return [(one["msg_type"], one["level"], one["reason"]) for one in city.tale.messages(name) if one["hazard"] == hazard]


def test_a_red_flood_mutes_the_notice_of_the_same_city_and_ends_with_the_flood(two, start):
    city = two()
    city.until(start + 30 * MINUTE, upper_stage=5.5)
    city.until(start + 2 * HOUR, lower_ammonia=1.1)
    level = city.standing("cam", "pollutant")["level"]
    assert level in ("blue", "yellow")
    assert of_hazard(city, "cam", "flood")[0] == ("alert", "red", "first")
    assert of_hazard(city, "cam", "pollutant") == []
    assert city.standing("cam", "pollutant")["muted_by"] == ["inhibition:flood-first"]
    (muted,) = city.incident("pollutant")["muted"]
    assert (muted["muted_by"], "the flood comes first" in muted["why"], muted["until_at"]) == ("inhibition:flood-first", True, None)
    city.until(start + 4 * DAY, step=HOUR // 2, upper_stage=1.0)
    ended = next(one for one in city.tale.messages("cam") if one["hazard"] == "flood" and one["msg_type"] == "all_clear")
    sent = next(one for one in city.tale.messages("cam") if one["hazard"] == "pollutant")
    assert (sent["msg_type"], sent["reason"], sent["sent_at"]) == ("alert", "unmuted", ended["sent_at"])


def test_a_flood_that_is_not_red_enough_mutes_nothing(two, start):
    city = two()
    city.until(start + 30 * MINUTE, upper_stage=4.5)
    city.until(start + 2 * HOUR, lower_ammonia=1.1)
    assert of_hazard(city, "cam", "pollutant")[0][2] == "first"


def test_a_flood_that_the_city_was_not_sent_itself_mutes_nothing_there(two, start):
    city = two()
    city.until(start + 30 * MINUTE, lower_stage=5.5)  # red at cam, the lowest city: nobody else is warned
    city.until(start + 2 * HOUR, upper_ammonia=1.1)
    assert of_hazard(city, "ava", "flood") == []
    assert of_hazard(city, "ava", "pollutant")[0][2] == "first"


def test_a_rule_for_the_domain_spares_notices_everywhere_but_nothing_more(two, start):
    city = two("domain", "blue")
    city.until(start + 30 * MINUTE, lower_stage=5.5)
    city.until(start + 2 * HOUR, upper_ammonia=1.1)
    standing = city.standing("ava", "pollutant")
    assert (of_hazard(city, "ava", "pollutant") == []) == (standing["level"] == "blue")
    city.until(start + 4 * HOUR, upper_ammonia=50.0)
    assert of_hazard(city, "ava", "pollutant")[-1][1] == "red"


def activated(city, folder, files):
    """The city's tale after a region of these files became active."""
    region = load(make_bundle(files, folder))
    city.tale.regions[region.region_hash] = region
    city.tale.give(city.at, Command("activate", region.name, region.region_hash))
    city.tale.region = region


@pytest.fixture
def under_a_flood(two, start):
    city = two()
    city.until(start + 30 * MINUTE, upper_stage=5.5)
    city.until(start + 2 * HOUR, lower_ammonia=1.1)
    assert city.standing("cam", "pollutant")["muted_by"] == ["inhibition:flood-first"]
    return city


def test_a_new_version_of_the_region_or_a_restart_lets_nothing_out_that_is_muted(under_a_flood, tmp_path):
    files = under_a_flood.tale.files
    activated(under_a_flood, tmp_path / "second", files | {"region.toml": files["region.toml"].replace("synthetic", "invented")})
    fold = under_a_flood.tale.fold
    under_a_flood.tale.state = fold.restore(fold.snapshot(under_a_flood.tale.state))
    under_a_flood.until(under_a_flood.at + HOUR)
    assert of_hazard(under_a_flood, "cam", "pollutant") == []


def test_a_region_that_drops_the_rule_sends_what_stands(under_a_flood, tmp_path):
    files = {name: text for name, text in under_a_flood.tale.files.items() if name != "inhibitions.toml"}
    activated(under_a_flood, tmp_path / "second", files)
    ((msg_type, _, reason),) = of_hazard(under_a_flood, "cam", "pollutant")
    assert (msg_type, reason) == ("alert", "unmuted")


@pytest.mark.parametrize("silenced", [False, True])
def test_only_what_a_city_was_sent_spares_it_a_lesser_danger(two, start, silenced):
    city = two(level_from="orange")
    if silenced:
        city.silence("orange", "cam", hazard="flood")
    city.until(start + 30 * MINUTE, upper_stage=4.5)
    assert (of_hazard(city, "cam", "flood") == []) == silenced
    city.until(start + 2 * HOUR, lower_ammonia=1.1)
    assert (of_hazard(city, "cam", "pollutant") == []) == (not silenced)


def test_a_silence_of_every_danger_is_over_for_the_one_whose_event_ended_and_lasts_for_the_other(two, start):
    city = two()
    city.silence("yellow", "ava", hours=150)
    city.until(start + 30 * MINUTE, upper_stage=2.5, upper_ammonia=1.1)
    assert city.heard("ava") == []
    city.until(start + 5 * HOUR, upper_stage=1.0)
    city.until(start + 6 * HOUR, upper_stage=2.5)
    assert of_hazard(city, "ava", "flood") == [("alert", "blue", "first")]
    assert of_hazard(city, "ava", "pollutant") == []
