from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from topology.base import CityPlace, TopologyError
from topology.geodesy import distance_km
from topology.jurisdiction import build_locator, locate, locate_index, simplified

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


@given(
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 900)), min_size=1, max_size=8),
    st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=8),
)
def test_circles_are_found_as_by_measuring_every_distance_also_at_the_poles_and_across_the_meridian(circles, points) -> None:
    cities = tuple(CityPlace(f"c{n}", lat, lon, radius) for n, (lat, lon, radius) in enumerate(circles))
    found = locate(build_locator(cities, {}), [p[0] for p in points], [p[1] for p in points])
    for (lat, lon), name in zip(points, found, strict=True):
        away = [float(distance_km(lat, lon, c.latitude, c.longitude)) for c in cities]
        inside = [(km, c.city_id) for km, c in zip(away, cities, strict=True) if km <= c.radius_km]
        assert name == (min(inside)[1] if inside else "")


def coverage(count: int) -> dict[str, Polygon]:
    """Voronoi cells with wriggling common borders: a coverage as real districts are."""
    rng = np.random.default_rng(7)
    cells = shapely.voronoi_polygons(shapely.multipoints(rng.uniform(0, 10, (count, 2))), extend_to=box(0, 0, 10, 10))
    dense = shapely.segmentize(np.array(list(cells.geoms), dtype=object), 0.05)
    # The same vertex moves alike in every cell that has it.
    wriggled = shapely.transform(dense, lambda xy: xy.round(6) + 0.01 * np.sin(40.0 * xy[:, ::-1].round(6)))
    return {f"c{n}": cell for n, cell in enumerate(wriggled)}


def test_a_simplified_coverage_has_fewer_vertices_no_gap_and_moves_few_points() -> None:
    full = coverage(40)
    fewer = simplified(full, 0.05)
    assert shapely.coverage_is_valid(list(fewer.values()))
    vertices = [sum(shapely.get_num_coordinates(list(one.values()))) for one in (full, fewer)]
    assert vertices[1] < vertices[0] / 2
    cities = tuple(CityPlace(name, 0.0, 0.0, 1.0) for name in full)
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(1, 9, (2, 5000))
    before, after = (locate(build_locator(cities, areas), lat, lon) for areas in (full, fewer))
    assert "" not in after
    assert np.mean([a != b for a, b in zip(before, after, strict=True)]) < 0.03


def test_areas_that_overlap_are_no_coverage_and_stay_as_they_are() -> None:
    assert simplified(AREAS, 0.1) is AREAS
    assert simplified({}, 0.1) == {}


def test_positions_count_areas_before_circles() -> None:
    locator = build_locator(CITIES, AREAS)
    names = (*locator.area_ids, *locator.circle_ids)
    found = locate_index(locator, [30.7, 30.5, 0.0], [110.7, 113.04, 0.0])
    assert [names[i] if i >= 0 else "" for i in found] == ["inner", "disc", ""]
