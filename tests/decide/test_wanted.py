"""What several claims on one city come to."""

from __future__ import annotations

import numpy as np
import pytest

from stream.decide.wanted import CRESTS_MEET, Claim, Lines, remote_level, together
from stream.records.instants import HOUR
from topology.base import Arrival, Impact, Path

APART = Lines(np.eye(4, dtype=bool))


def lines(*below, drop=0.0):
    """Sources 0 to 3, with pairs (upper, lower) on one line of water."""
    passes = np.eye(4, dtype=bool)
    for upper, lower in below:
        passes[upper, lower] = True
    return Lines(passes, drop)


def claim(source, probability=0.5, hours=(5, 6, 7), *, level=2, intensity=0.4, path=Path.RIVER):
    arrival = Arrival(*(hour * HOUR for hour in hours)) if hours else None
    impact = Impact("c", path, probability, arrival, intensity, 0.6, reasons=("default_speed",))
    return Claim(impact, level, level, f"s{source}/stage", source)


def test_crests_of_two_branches_at_about_the_same_time_add_up_and_say_so():
    wanted = together("c", [claim(0, 0.5), claim(1, 0.4, (7, 8, 9), intensity=0.3)], APART)
    assert wanted.reasons == ("default_speed", CRESTS_MEET)
    assert wanted.intensity == pytest.approx(0.7)
    assert wanted.probability == pytest.approx(1 - 0.5 * 0.6)
    assert wanted.series == ("s0/stage", "s1/stage")


def test_crests_that_pass_one_after_the_other_do_not_meet():
    wanted = together("c", [claim(0, 0.5), claim(1, 0.4, (8, 9, 10), intensity=0.3)], APART)
    assert CRESTS_MEET not in wanted.reasons
    assert (wanted.intensity, wanted.probability) == (0.4, pytest.approx(0.7)), "either may still reach the city"


def test_two_gauges_on_one_line_see_the_same_water_once():
    wanted = together("c", [claim(0, 0.5), claim(1, 0.4)], lines((0, 1)))
    assert (wanted.probability, wanted.intensity, wanted.reasons) == (0.5, 0.4, ("default_speed",))


def test_crests_that_a_gauge_below_both_has_seen_are_not_added_again():
    met = [claim(0, level=3), claim(1), claim(2, 0.8)]
    assert CRESTS_MEET in together("c", met[:2], lines((0, 2), (1, 2))).reasons
    assert CRESTS_MEET not in together("c", met, lines((0, 2), (1, 2))).reasons


def test_three_branches_add_up():
    assert together("c", [claim(0), claim(1), claim(2)], APART).intensity == pytest.approx(1.2)


def test_what_is_measured_in_the_city_leads_and_nothing_is_added_to_it():
    here = claim(0, 1.0, (0, 0, 0), intensity=1.0, path=Path.SAME_PLACE)
    wanted = together("c", [claim(1), claim(2), here], APART)
    assert (wanted.path, wanted.intensity, wanted.probability) == ("same_place", 1.0, 1.0)
    assert CRESTS_MEET not in wanted.reasons


def test_an_unknown_arrival_meets_nothing():
    assert CRESTS_MEET not in together("c", [claim(0), claim(1, hours=None)], APART).reasons


def test_winds_of_two_sources_are_no_crests():
    claims = [claim(0, path=Path.WIND), claim(1, path=Path.WIND)]
    wanted = together("c", claims, APART)
    assert (wanted.intensity, wanted.probability) == (0.4, 0.75)
    assert CRESTS_MEET not in wanted.reasons


def test_crests_that_meet_may_reach_a_level_that_none_reaches_alone():
    faint = [Claim(claim(source, intensity=0.4).impact, 4, 4, f"s{source}/stage", source) for source in (0, 1)]
    alone = [Claim(one.impact, remote_level(4, 0.4, 1.5), 4, one.series, one.source) for one in faint]
    assert together("c", alone[:1], lines(drop=1.5)).level == 3
    assert together("c", alone, lines(drop=1.5)).level == 4
