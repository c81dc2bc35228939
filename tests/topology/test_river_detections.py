"""Which detections are believed: a first sample is late when nobody had looked before, and water can really be held up."""

from __future__ import annotations

import pytest

from tests.topology.places import HOUR, NOW, river_city, source
from topology import river_wave
from topology.base import Conditions, Passage, Places, Reach

LATER = 10**15
H_PER_KM = 1.0 / 3.6
CITY = river_city("end", ("r", 600.0))
GRAPH = river_wave.build(Places((CITY,), (Reach("r", "", 600.0, celerity_m_per_s=1.0),)), {"floor_h": 1.0})


def end(*passages: tuple[float, float], onset_h: float = 0.0):
    known = tuple(Passage("r", km, NOW + round(h * HOUR)) for km, h in passages)
    asked = source(reach="r", onset_at=NOW + round(onset_h * HOUR))
    (ahead,) = river_wave.forecasts(GRAPH, asked, Conditions(LATER, passages=known))
    return ahead


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
