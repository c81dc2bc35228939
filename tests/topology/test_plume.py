from __future__ import annotations

import math

import numpy as np
import pytest

from tests.topology.plume_sources import (
    BRIGGS_EXAMPLES,
    CHAMA,
    LB_PER_MIN_G_S,
    MILE_M,
    RMP_RURAL_10_MIN,
    RMP_RURAL_60_MIN,
    RMP_URBAN_10_MIN,
    TURNER_M,
    TURNER_SIGMA_Y,
    VALLERO_EXAMPLE,
)
from topology.plume import (
    Air,
    Stability,
    concentration_g_m3,
    dilution,
    sigma_y_m,
    sigma_z_m,
    stability_class,
    sun_elevation_deg,
    virtual_distance_m,
)


def test_a_worked_example_of_a_textbook_comes_out_as_printed() -> None:
    for _, sigma_z, sigma_y, expected in VALLERO_EXAMPLE:
        assert float(concentration_g_m3(0.37, 2.0, 0.0, 0.0, (sigma_y, sigma_z), 40.0)) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(("name", "urban", "x_m", "across", "upwards"), BRIGGS_EXAMPLES)
def test_spreads_are_those_of_briggs(name, urban, x_m, across, upwards) -> None:
    assert float(sigma_y_m(x_m, Stability[name], urban=urban)) == pytest.approx(across)
    assert float(sigma_z_m(x_m, Stability[name], urban=urban)) == pytest.approx(upwards)


@pytest.mark.parametrize("name", list("ABCDEF"))
def test_spreads_agree_with_two_other_published_fits_of_the_same_curves(name: str) -> None:
    a, b, c, upward, bend = CHAMA[name]
    x_m = np.array(TURNER_M)
    across = sigma_y_m(x_m, Stability[name], urban=False)
    assert across == pytest.approx(a * x_m / (1 + x_m / b) ** c, rel=0.2)
    turner = np.array(TURNER_SIGMA_Y[name])
    assert across[: turner.size] == pytest.approx(turner, rel=0.2)
    if name != "A":  # of very unstable air the fits upwards have nothing in common beyond 1 km
        assert sigma_z_m(x_m, Stability[name], urban=False) == pytest.approx(upward * x_m / (1 + x_m / b) ** bend, rel=0.27)


def needed(miles: float, *, urban: bool, minutes: int) -> float:
    """Release rate over endpoint ((lb/min)/(mg/l)) at which the endpoint is that far, stability F, wind 1.5 m/s."""
    x_m = miles * MILE_M
    # An average over more than 10 minutes sees a meandering plume: the fifth root of the times (Turner 1970, eq. 5.12).
    spread = sigma_y_m(x_m, Stability.F, urban=urban) * (minutes / 10.0) ** 0.2, sigma_z_m(x_m, Stability.F, urban=urban)
    return 1.0 / float(concentration_g_m3(1.0, 1.5, 0.0, 0.0, spread)) / LB_PER_MIN_G_S


def test_the_worst_case_tables_of_the_epa_are_reproduced() -> None:
    hour = [(miles, rate / needed(miles, urban=False, minutes=60)) for rate, miles in RMP_RURAL_60_MIN]
    print("\nRMP, rural, 60 min: " + ", ".join(f"{miles} mi {ratio:.2f}" for miles, ratio in hour))
    assert all(abs(ratio - 1.0) < 0.04 for miles, ratio in hour if 0.8 <= miles <= 6.0)
    assert all(0.8 < ratio < 1.25 for _, ratio in hour)
    ten = [rate / needed(miles, urban=False, minutes=10) for rate, miles in RMP_RURAL_10_MIN]
    assert all(0.95 < ratio < 1.4 for ratio in ten)
    # Of the city's table ours is always half: EPA assumes a worse night in cities than Briggs measured. On the unsafe side, so it is said here.
    city = [rate / needed(miles, urban=True, minutes=10) for rate, miles in RMP_URBAN_10_MIN]
    assert all(0.45 < ratio < 0.56 for ratio in city)


@pytest.mark.parametrize("urban", [False, True])
@pytest.mark.parametrize("stability", list(Stability))
def test_the_virtual_source_is_as_far_away_as_makes_the_plume_as_wide_as_the_place(stability: Stability, urban: bool) -> None:
    for radius_km in (0.05, 1.0, 20.0):
        back_m = virtual_distance_m(radius_km, stability, urban=urban)
        assert float(sigma_y_m(back_m, stability, urban=urban)) == pytest.approx(radius_km * 1000 / 2.15, rel=1e-6)


@pytest.mark.parametrize("stability", list(Stability))
def test_a_plume_thins_along_its_way_from_what_it_is_at_the_source(stability: Stability) -> None:
    air = Air(stability, urban=False, mixing_height_m=1000.0, virtual_m=virtual_distance_m(1.0, stability, urban=False))
    way = np.linspace(0.0, 100_000.0, 200)
    thinned = dilution(way, sigma_y_m(way + air.virtual_m, stability, urban=False), air)
    assert thinned[0] == pytest.approx(1.0)
    assert np.all(np.diff(thinned) <= 0.0)
    # Mixed up to the lid, only the width still grows.
    assert thinned[-1] > 0.0


def test_stability_follows_pasquills_table() -> None:
    rows = [stability_class(wind, sun).name for wind in (1.0, 2.5, 4.0, 5.5, 7.0) for sun in (70.0, 45.0, 20.0, -5.0)]
    assert "".join(rows) == "ABBFBBCFBCCECDDDCDDD"


def test_the_sun_stands_where_it_does() -> None:
    """Beijing (39.9 N, 116.4 E): culmination at about 04:14 UTC; 26.7 degrees at the winter solstice, 73.5 at the summer one."""
    winter, summer = 1_703_131_200_000, 1_718_942_400_000  # 2023-12-21 and 2024-06-21, 04:00 UTC
    noon_ms = 14 * 60_000
    assert sun_elevation_deg(winter + noon_ms, 39.9, 116.4) == pytest.approx(26.7, abs=1.0)
    assert sun_elevation_deg(summer + noon_ms, 39.9, 116.4) == pytest.approx(73.5, abs=1.0)
    assert sun_elevation_deg(winter + 12 * 3_600_000, 39.9, 116.4) < -60.0
    assert math.isclose(sun_elevation_deg(winter, 39.9, 116.4), sun_elevation_deg(winter, 39.9, 476.4), abs_tol=1e-6)
