"""Which detections are believed: a first sample is late when nobody had looked before, and water can really be held up."""

from __future__ import annotations

import pytest

from tests.topology.places import HOUR, NOW, river_city, source
from topology import river_solute, river_wave
from topology.base import Conditions, Passage, Places, Reach

LATER = 10**15
H_PER_KM = 1.0 / 3.6
CITY = river_city("end", ("r", 600.0))
# Both fronts run at 1 m/s.
PLACES = Places((CITY,), (Reach("r", "", 600.0, celerity_m_per_s=1.0, velocity_m_per_s=0.89),))
SAMPLED, WATCHED = river_solute.build(PLACES, {"floor_h": 1.0}), river_wave.build(PLACES, {"floor_h": 1.0, "log_sd": 0.4})


def ask(module, graph, passages, onset_h: float = 0.0, km: float = 0.0):
    known = tuple(Passage("r", at_km, NOW + round(h * HOUR)) for at_km, h in passages)
    asked = source(reach="r", reach_km=km, onset_at=NOW + round(onset_h * HOUR))
    (ahead,) = module.forecasts(graph, asked, Conditions(LATER, passages=known))
    return ahead


def end(*passages: tuple[float, float], onset_h: float = 0.0):
    """By samples for a pollutant."""
    return ask(river_solute, SAMPLED, passages, onset_h)


def crest(*passages: tuple[float, float], onset_h: float = 0.0, km: float = 0.0):
    """By gauges."""
    return ask(river_wave, WATCHED, passages, onset_h, km)


def after_h(ahead) -> float:
    return (ahead.at(0.0) - NOW) / HOUR


def test_a_section_first_sampled_long_after_the_front_is_doubted_and_changes_nothing_else() -> None:
    believed, doubtful = end((100.0, 28.0)), end((100.0, 28.0), (150.0, 120.0))
    assert doubtful.at(0.0) == believed.at(0.0)
    assert doubtful.reasons == (*believed.reasons, "passage_doubted")


def test_a_detection_that_comes_too_early_exposes_the_one_above_it() -> None:
    # As on the Songhua: Bayangang's value of 28 November was the peak's, and Mulan's front came ten hours later, 58 km below.
    exposed = end((100.0, 28.0), (150.0, 60.0), (200.0, 58.0))
    assert exposed.at(0.0) == pytest.approx(end((100.0, 28.0), (200.0, 58.0)).at(0.0), abs=HOUR / 100)
    assert "from:r@200" in exposed.reasons
    assert "passage_doubted" in exposed.reasons


def test_a_source_found_in_the_middle_of_the_slick_is_not_measured_from() -> None:
    late_source = end((200.0, 56.0), (300.0, 84.0), onset_h=50.0)
    assert late_source.legs == 1
    assert after_h(late_source) == pytest.approx(84.0 + 300 * 28.0 / 100, rel=0.01)


def test_water_that_was_really_held_up_is_believed_once_a_second_detection_agrees() -> None:
    doubted = end((100.0, 28.0), (200.0, 300.0))
    agreed = end((100.0, 28.0), (200.0, 300.0), (300.0, 328.0))
    assert "passage_doubted" in doubted.reasons
    assert "passage_doubted" not in agreed.reasons
    assert agreed.legs == 2, "the stretch on which it was held up teaches no speed"
    assert after_h(agreed) == pytest.approx(328.0 + 300 * 28.0 / 100, rel=0.02)


def test_two_times_for_one_place_count_once_by_the_earlier() -> None:
    assert end((100.0, 28.0), (100.0, 40.0)).at(0.0) == end((100.0, 28.0)).at(0.0)
    own = end((0.0, -5.0))
    assert own.start_at == NOW - 5 * HOUR
    assert end((0.0, 5.0)).start_at == NOW


def test_a_gauge_below_that_rises_too_early_rises_by_other_water_and_is_left_out() -> None:
    plain = crest()
    for early_h in (-30.0, 2.0):
        found = crest((200.0, early_h))
        assert found.at(0.0) == plain.at(0.0)
        assert found.reasons == ("passage_doubted",)
    assert "from:r@300" in crest((200.0, 2.0), (300.0, 85.0)).reasons


def test_a_city_above_a_gauge_that_rose_by_other_water_is_still_to_be_reached() -> None:
    graph = river_wave.build(Places((river_city("town", ("r", 150.0)),), PLACES.reaches), {})
    alone, above_it, above_the_wave = (ask(river_wave, graph, passages) for passages in ((), ((200.0, -30.0),), ((200.0, 30.0),)))
    assert above_it.arrival() == alone.arrival()
    assert above_the_wave.arrival().p90_at <= NOW + 30 * HOUR < alone.arrival().p90_at


def test_a_gauge_that_is_asked_about_counts_from_itself_whatever_stands_above_it() -> None:
    plain = crest(onset_h=10.0, km=200.0)
    for above_h in (9.0, -400.0):
        found = crest((100.0, above_h), onset_h=10.0, km=200.0)
        assert (found.at(0.0), found.start_at, found.legs) == (plain.at(0.0), plain.start_at, 0)
    assert crest((100.0, -20.0), onset_h=10.0, km=200.0).legs == 1


def test_gauges_that_agree_on_a_delay_are_believed_too() -> None:
    assert "passage_doubted" in crest((200.0, 300.0)).reasons
    agreed = crest((200.0, 300.0), (300.0, 328.0))
    assert agreed.legs == 1
    assert "from:r@300" in agreed.reasons


INF = float("inf")


def looked(*passages: tuple[float, float, float], onset_gap_h: float = 0.0):
    """By samples: km, hours from now, and the gap before."""
    known = tuple(Passage("r", km, NOW + round(h * HOUR), gap_h) for km, h, gap_h in ((0.0, 0.0, onset_gap_h), *passages))
    (ahead,) = river_solute.forecasts(SAMPLED, source(reach="r"), Conditions(LATER, passages=known))
    return ahead


def test_a_front_that_came_between_two_samples_is_taken_to_have_come_in_the_middle_give_or_take() -> None:
    sharp, blunt = looked((200.0, 56.0, 0.0)), looked((200.0, 66.0, 20.0))
    assert blunt.start_at == sharp.start_at
    assert blunt.at(0.0) == pytest.approx(sharp.at(0.0), abs=HOUR)
    assert blunt.at(1.28) - blunt.at(-1.28) > sharp.at(1.28) - sharp.at(-1.28)
    assert blunt.at(-6.0) >= NOW + 46 * HOUR, "not before it was last looked for in vain"


def test_a_gap_within_the_usual_error_changes_nothing() -> None:
    assert looked((200.0, 56.0, 2.0)).at(0.0) == looked((200.0, 56.0, 0.0)).at(0.0)


def test_a_first_look_that_already_finds_it_says_no_more_than_not_later() -> None:
    nothing = looked()
    late, early = looked((200.0, 90.0, INF)), looked((200.0, 40.0, INF))
    assert late.at(0.0) == nothing.at(0.0)
    assert "passage_doubted" in late.reasons
    assert early.start_at == NOW + 40 * HOUR
    assert early.legs == 0, "how fast it really ran to there is not known"
    assert early.at(0.0) < nothing.at(0.0)


def test_the_way_from_a_place_where_nobody_had_looked_before_teaches_nothing() -> None:
    taught, untaught = (looked((100.0, 20.0, 0.0), (200.0, 40.0, 0.0), onset_gap_h=gap_h) for gap_h in (0.0, INF))
    assert (taught.legs, untaught.legs) == (2, 1)
    assert untaught.start_at == taught.start_at == NOW + 40 * HOUR


def test_a_wide_gap_teaches_little() -> None:
    slow = [after_h(looked((200.0, 70.0 + gap_h / 2, gap_h))) for gap_h in (0.0, 30.0, 120.0)]
    assert slow == sorted(slow, reverse=True), "from 70 h for 200 km towards the prior's 56"


def test_detections_that_are_all_late_alike_are_blurred_and_not_shifted() -> None:
    sharp, daily = looked((200.0, 56.0, 0.0)), looked((200.0, 56.0, 24.0), onset_gap_h=24.0)
    assert daily.start_at == sharp.start_at
    assert daily.at(-6.0) >= daily.start_at
    assert daily.at(1.28) - daily.at(-1.28) > sharp.at(1.28) - sharp.at(-1.28)


def test_two_daily_values_of_one_day_are_no_reason_to_doubt_a_river() -> None:
    # 30 km in 8 h, seen in the same daily mean at both gauges, then a day later 100 km below.
    known = tuple(Passage("r", km, NOW + round(h * HOUR), 24.0) for km, h in ((0.0, 0.0), (30.0, 0.0), (130.0, 24.0)))
    (found,) = river_wave.forecasts(WATCHED, source(reach="r"), Conditions(LATER, passages=known))
    assert "passage_doubted" not in found.reasons
    assert "from:r@130" in found.reasons
