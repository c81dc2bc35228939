"""What operators report - gates, closures, breaches, ice - changes what lies below, from when it acts, and is said."""

from __future__ import annotations

import pytest

from tests.topology.places import HOUR, NOW, river_city, source
from topology import river_solute, river_wave
from topology.base import Act, Conditions, Intervention, Passage, Places, Reach

CITIES = tuple(river_city(f"c{km}", ("r", float(km))) for km in (100, 200, 300))
PLACES = Places(CITIES, (Reach("up", "r", 36.0, celerity_m_per_s=1.0), Reach("r", "", 360.0, celerity_m_per_s=1.0, velocity_m_per_s=0.5)))
WAVE = river_wave.build(PLACES, {"attenuation_per_km": 0.0})
LATER = 10**15


def report(act: Act, km: float = 150.0, starts_h: float = -1.0, ends_h: float | None = None, **given) -> Intervention:
    ends_at = None if ends_h is None else NOW + round(ends_h * HOUR)
    return Intervention(act, "r", km, NOW + round(starts_h * HOUR), ends_at, **given)


def told(*acts: Intervention, now: int = NOW, passages: tuple[Passage, ...] = (), module=river_wave, graph=WAVE):
    found = module.footprint(graph, source(reach="r"), Conditions(now, interventions=acts, passages=passages))
    return {impact.city_id: impact for impact in found}


PLAIN = told()


def later_h(impacts, city: str) -> float:
    return (impacts[city].arrival.p50_at - PLAIN[city].arrival.p50_at) / HOUR


def test_a_gate_delays_and_weakens_only_what_lies_below_it() -> None:
    found = told(report(Act.DELAY, hours=6.0, factor=0.5))
    assert found["c100"] == PLAIN["c100"]
    for city in ("c200", "c300"):
        assert later_h(found, city) == pytest.approx(6.0)
        assert found[city].intensity == pytest.approx(0.5)
        assert found[city].probability < PLAIN[city].probability
        assert found[city].reasons == ("delay:r@150",)


def test_a_gate_that_closes_after_the_front_went_through_delays_nothing() -> None:
    gate = report(Act.DELAY, km=50.0, starts_h=20.0, hours=6.0)
    passed = (Passage("r", 60.0, NOW + 17 * HOUR),)
    without = told(now=LATER, passages=passed)
    assert told(gate, now=LATER, passages=passed) == without
    assert later_h(told(report(Act.DELAY, km=50.0, starts_h=20.0, hours=6.0), now=NOW + 21 * HOUR), "c200") == 0.0, (
        "expected there at 13.9 h"
    )


def test_what_a_gate_held_back_is_not_learned_as_a_slow_river() -> None:
    passed = (Passage("r", 100.0, NOW + round((100 / 3.6 + 12.0) * HOUR)),)
    known = told(report(Act.DELAY, km=50.0, hours=12.0), now=LATER, passages=passed)
    unknown = told(now=LATER, passages=passed)
    assert later_h(known, "c300") == pytest.approx(12.0, abs=0.1)
    assert later_h(unknown, "c300") > 20.0


def test_a_closed_river_brings_nothing_until_further_notice_and_says_so() -> None:
    found = told(report(Act.BLOCKED))
    assert found["c100"] == PLAIN["c100"]
    for city in ("c200", "c300"):
        assert found[city].arrival is None
        assert found[city].unknown_because == "the river is closed until further notice (blocked:r@150)"
        assert found[city].confidence == 0.1


def test_a_river_closed_for_a_time_lets_nothing_pass_before_its_end() -> None:
    found = told(report(Act.BLOCKED, ends_h=100.0))
    rest_h = 50.0 / 3.6
    window = found["c200"].arrival
    assert (window.p50_at - NOW) / HOUR == pytest.approx(100.0 + rest_h)
    assert (window.p10_at - NOW) / HOUR >= 100.0
    assert window.p10_at <= window.p50_at <= window.p90_at
    assert told(report(Act.BLOCKED, ends_h=5.0))["c200"].arrival == PLAIN["c200"].arrival, "open again before the front is there"


def test_closures_in_a_row_do_not_add_up_when_one_wait_covers_the_other() -> None:
    both = told(report(Act.BLOCKED, ends_h=100.0), report(Act.BLOCKED, km=160.0, ends_h=101.0))
    assert (both["c200"].arrival.p50_at - NOW) / HOUR == pytest.approx(max(100.0 + 50 / 3.6, 101.0 + 40 / 3.6))


def test_a_breach_takes_water_from_a_wave_and_leaves_a_concentration_as_it_is() -> None:
    act = report(Act.BREACH, factor=0.25)
    assert told(act)["c300"].intensity == pytest.approx(0.25)
    assert told(act)["c300"].arrival == PLAIN["c300"].arrival
    graph = river_solute.build(PLACES, {})
    with_breach, without = (told(*acts, module=river_solute, graph=graph)["c300"] for acts in ((act,), ()))
    assert with_breach.intensity == without.intensity
    assert with_breach.probability < without.probability


def test_ice_slows_its_reach_and_widens_the_window_until_passages_have_taught_the_speed() -> None:
    ice = report(Act.ICE, km=7.0)
    found = told(ice)
    for km in (100, 200, 300):
        hours = (found[f"c{km}"].arrival.p50_at - NOW) / HOUR
        assert hours == pytest.approx(km / 3.6 / 0.76)
        assert found[f"c{km}"].reasons == ("ice:r@7",)
    spread, plain = (
        river_wave.forecasts(WAVE, source(reach="r"), Conditions(NOW, interventions=acts))[-1].way.log_sd for acts in ((ice,), ())
    )
    assert spread**2 == pytest.approx(plain**2 + 0.15**2)
    passed = (Passage("r", 100.0, NOW + round(100 / 3.6 / 0.76 * HOUR)),)
    learned, no_ice = told(ice, now=LATER, passages=passed), told(now=LATER, passages=passed)
    assert learned["c300"].arrival.p50_at == pytest.approx(no_ice["c300"].arrival.p50_at, abs=6 * HOUR), (
        "either way it was seen how fast it runs"
    )


def test_ice_counts_only_where_and_while_it_lies() -> None:
    above = Intervention(Act.ICE, "up", 0.0, NOW - HOUR)
    melted = report(Act.ICE, starts_h=-100.0, ends_h=-1.0)
    expected = report(Act.DELAY, starts_h=50.0, hours=6.0)
    assert told(above) == told(melted) == told(expected) == PLAIN
    twice = told(report(Act.ICE), report(Act.ICE, km=1.0))
    assert twice["c300"].arrival == told(report(Act.ICE))["c300"].arrival, "one river does not freeze twice"


def test_reports_about_places_that_do_not_exist_are_left_out() -> None:
    assert told(Intervention(Act.BLOCKED, "gone", 0.0, NOW - HOUR), report(Act.BLOCKED, km=999.0)) == PLAIN
