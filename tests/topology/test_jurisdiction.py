from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from topology.base import CityPlace, TopologyError
from topology.jurisdiction import build_hierarchy, build_locator, locate, lowest_common_ancestor


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12), st.data())
def test_the_lowest_common_ancestor_contains_all_and_nothing_lower_does(picks, data) -> None:
    parents = {f"n{i}": "" if i == 0 or pick % 7 == 0 else f"n{pick % i}" for i, pick in enumerate(picks)}
    tree = build_hierarchy(parents)
    chosen = data.draw(st.lists(st.sampled_from(sorted(parents)), min_size=1, max_size=4))

    def line(one: str) -> list[str]:
        up = [one]
        while parents[up[-1]]:
            up.append(parents[up[-1]])
        return up

    lines = [line(one) for one in chosen]
    common = [one for one in lines[0] if all(one in other for other in lines)]
    assert lowest_common_ancestor(tree, chosen) == (common[0] if common else None)
    assert all(tree.above[one] == tuple(line(one)[1:]) for one in parents)


def test_circles_and_unknown_parents_are_all_refused() -> None:
    with pytest.raises(TopologyError) as refused:
        build_hierarchy({"leaf": "x", "x": "y", "y": "x", "self": "self", "lost": "nowhere"})
    problems = [f.problem for f in refused.value.faults]
    assert len(problems) == 3
    assert any("x -> y -> x" in p for p in problems)
    assert any("self -> self" in p for p in problems)
    assert any("'nowhere'" in p for p in problems)


def test_nobody_has_no_common_ancestor_and_an_unknown_id_is_an_error() -> None:
    tree = build_hierarchy({"a": ""})
    assert lowest_common_ancestor(tree, []) is None
    with pytest.raises(KeyError):
        lowest_common_ancestor(tree, ["b"])


CITIES = (
    *tuple(CityPlace(c, 30.0, 110.0, 0.0) for c in ("outer", "inner", "ring")),
    CityPlace("disc", 30.5, 113.0, 20.0),
    CityPlace("spot", 30.5, 113.1, 20.0),
)
AREAS = {
    "outer": box(110.0, 30.0, 112.0, 32.0),
    "inner": box(110.5, 30.5, 111.0, 31.0),
    "ring": Polygon([(114, 30), (116, 30), (116, 32), (114, 32)], [[(114.5, 30.5), (115.5, 30.5), (115.5, 31.5), (114.5, 31.5)]]),
}


def test_points_find_the_innermost_area_then_the_nearest_circle() -> None:
    locator = build_locator(CITIES, AREAS)
    where = {
        (30.7, 110.7): "inner",
        (31.5, 111.5): "outer",
        (30.5, 110.5): "inner",
        (31.0, 114.2): "ring",
        (31.0, 115.0): "",
        (30.5, 113.04): "disc",
        (30.5, 113.06): "spot",
        (30.9, 113.0): "",
    }
    points = np.array(list(where))
    assert locate(locator, points[:, 0], points[:, 1]) == tuple(where.values())
    assert locate(locator, float("nan"), 110.0) == ("",)


def test_a_thousand_points_are_where_shapely_puts_them_one_by_one() -> None:
    locator = build_locator(CITIES, AREAS)
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(29.5, 32.5, 1000), rng.uniform(109.5, 112.5, 1000)
    expected = tuple(
        next((name for name in ("inner", "outer") if AREAS[name].covers(Point(x, y))), "") for y, x in zip(lat, lon, strict=True)
    )
    assert locate(locator, lat, lon) == expected
    assert set(expected) == {"inner", "outer", ""}


def test_a_region_of_circles_only_and_one_of_areas_only_both_work() -> None:
    assert locate(build_locator(CITIES[3:], {}), 30.5, 113.0) == ("disc",)
    assert locate(build_locator(CITIES[:3], AREAS), [31.5, 0.0], [111.5, 0.0]) == ("outer", "")


def test_a_circle_reaches_across_the_antimeridian() -> None:
    locator = build_locator((CityPlace("taveuni", -16.8, -179.99, 10.0),), {})
    assert locate(locator, -16.8, 179.95) == ("taveuni",)


def test_a_polygon_that_crosses_itself_is_refused_with_its_city() -> None:
    with pytest.raises(TopologyError, match=r"city 'bow'.*Self-intersection"):
        build_locator((CityPlace("bow", 0, 0, 1),), {"bow": Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])})
