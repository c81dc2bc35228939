"""Which stations can speak for a station."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np

from stream.decide.neighbours import NEIGHBOURS, NOBODY, neighbours
from topology.geodesy import distance_km

if TYPE_CHECKING:
    from stream.region.model import SeriesTable

NAN = float("nan")


def table(places, *, quantity=None, domain=None, reach=None, km=None) -> SeriesTable:
    n = len(places)
    latitude, longitude = np.array(places, dtype=np.float64).reshape(n, 2).T
    return cast(
        "SeriesTable",
        SimpleNamespace(
            domain=np.array(domain or [0] * n, np.int32),
            quantity=tuple(quantity or ["stage"] * n),
            reach=tuple(reach or [""] * n),
            latitude=latitude,
            longitude=longitude,
            reach_km=np.array(km or [NAN] * n),
        ),
    )


def of(series, n):
    return neighbours(series, np.arange(n), np.ones(n, np.bool_))


def test_the_nearest_come_first_and_agree_with_the_geodesic():
    rng = np.random.default_rng(0)
    places = np.column_stack([rng.uniform(28, 32, 60), rng.uniform(108, 114, 60)])
    found = of(table(places), 60)
    for one in range(60):
        exact = distance_km(places[one, 0], places[one, 1], places[:, 0], places[:, 1])
        exact[one] = np.inf
        np.testing.assert_allclose(exact[found[one]], np.sort(exact)[:NEIGHBOURS], rtol=0.01)


def test_only_the_same_quantity_in_the_same_domain_counts():
    found = of(table([(30, 110)] * 4, quantity=["stage", "stage", "discharge", "stage"], domain=[0, 0, 0, 1]), 4)
    assert found[0].tolist() == [1, NOBODY, NOBODY, NOBODY]
    assert found[2].tolist() == found[3].tolist() == [NOBODY] * NEIGHBOURS


def test_on_one_reach_the_way_along_the_river_counts_also_without_coordinates():
    found = of(table([(NAN, NAN)] * 4, reach=["r", "r", "r", "s"], km=[0.0, 90.0, 10.0, 1.0]), 4)
    assert found[0].tolist() == [2, 1, NOBODY, NOBODY]
    assert found[3].tolist() == [NOBODY] * NEIGHBOURS


def test_ties_go_by_the_order_of_the_series_and_unwanted_rows_get_none():
    series = table([(30, 110)] * 9)
    found = neighbours(series, np.arange(9), np.arange(9) == 8)
    assert found[8].tolist() == [0, 1, 2, 3]
    assert (found[:8] == NOBODY).all()
