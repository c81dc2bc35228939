"""Speed of travel footprints and of finding the jurisdiction of a point: the part `travel` of `footprint_speed.py`.

3,000 cities with a gravity model, beside scipy's and networkx's Dijkstra on the same matrix; and points in a coverage of 2,870 districts
with wriggling borders (as many as China has counties), full and simplified, beside shapely's own query. Processor time stands beside the figures that have an aim:
on a busy machine the clock on the wall says how busy it is.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from tests.benchmarks.footprint_rows import Row, timed_ms
from topology.base import CityPlace, Conditions, Places, Source
from topology.effective_distance import shortest_from
from topology.jurisdiction import build_locator, locate_index, simplified
from topology.travel import build, footprint

if TYPE_CHECKING:
    from topology.travel import TravelGraph

SEED = 11
NOW = 1_700_000_000_000
TOLERANCE_DEG = 0.03


def run(small: bool) -> list[Row]:
    """The rows; small: a tenth of the cities and districts."""
    return [*travel_rows(small=small), *jurisdiction_rows(small=small)]


def world(count: int) -> TravelGraph:
    """Cities of very unequal size strewn over a country, travel by the gravity model."""
    rng = np.random.default_rng(SEED)
    latitude, longitude, people = rng.uniform(20, 45, count), rng.uniform(80, 120, count), rng.lognormal(12, 1, count)
    cities = tuple(CityPlace(f"c{n}", float(latitude[n]), float(longitude[n]), 5.0, int(people[n])) for n in range(count))
    return build(Places(cities), {"min_probability": 0.05})


def asked(city: int) -> Source:
    return Source("s/cases", f"c{city}", 30.0, 110.0, "", 0.0, NOW, NOW, None, 5000.0, 1.0)


def travel_rows(*, small: bool) -> list[Row]:
    count, questions = (300, 5) if small else (3000, 15)
    graph = world(count)
    sources = list(range(0, count, count // questions))
    what = f"travel, {count:,} cities: "
    matrix = csr_array(np.where(np.isfinite(graph.lengths), graph.lengths, 0.0))
    ours, scipys = shortest_from(graph.lengths, sources[1]).distance, dijkstra(matrix, indices=sources[1])
    assert np.allclose(ours, scipys), "two ways to the same distances"

    def first(city: int) -> object:
        graph.ways.from_origin.cache_clear()
        return footprint(graph, asked(city), Conditions(NOW))

    began = time.process_time()
    first(sources[2])
    note = f"{(time.process_time() - began) * 1e3:.0f} ms of processor time"
    rows = [
        Row(f"{what}footprint, source asked for the first time", "tocsin", *timed_ms(first, sources), aim="< 100 ms", note=note),
        Row(
            f"{what}footprint, source remembered", "tocsin", *timed_ms(lambda city: footprint(graph, asked(city), Conditions(NOW)), sources)
        ),
        Row(f"{what}effective distances from one city", "tocsin", *timed_ms(lambda city: shortest_from(graph.lengths, city), sources)),
        Row(
            f"{what}effective distances from one city",
            "scipy.sparse.csgraph",
            *timed_ms(lambda city: dijkstra(matrix, indices=city), sources[:5]),
        ),
    ]
    few = min(count, 300)
    dense = nx.from_numpy_array(np.where(np.isfinite(graph.lengths), graph.lengths, 0.0)[:few, :few], create_using=nx.DiGraph)
    took = timed_ms(lambda city: nx.single_source_dijkstra_path_length(dense, city), range(3))
    rows.append(
        Row(f"travel, {few:,} cities: effective distances from one city", "networkx", *took, note="smaller: it takes minutes to build")
    )
    return rows


def districts(count: int) -> dict[str, shapely.Polygon]:
    """A coverage of Voronoi cells whose common borders wriggle, about 300 vertices each."""
    rng = np.random.default_rng(SEED)
    cells = shapely.voronoi_polygons(shapely.multipoints(rng.uniform(0, 30, (count, 2))), extend_to=shapely.box(0, 0, 30, 30))
    inside = shapely.intersection(np.array(list(cells.geoms), dtype=object), shapely.box(-1, -1, 31, 31))
    dense = shapely.segmentize(inside, 0.01)
    wriggled = shapely.transform(dense, lambda xy: xy.round(6) + 0.004 * np.sin(200.0 * xy[:, ::-1].round(6)))
    return {f"d{n}": area for n, area in enumerate(wriggled)}


def jurisdiction_rows(*, small: bool) -> list[Row]:
    count, points = (287, 20_000) if small else (2870, 1_000_000)
    rng = np.random.default_rng(SEED)
    latitude, longitude = rng.uniform(0, 30, (2, points))
    full = districts(count)
    began = time.perf_counter()
    fewer = simplified(full, TOLERANCE_DEG)
    simplify_ms = (time.perf_counter() - began) * 1e3
    what = f"jurisdiction, {count:,} districts: "
    rows, found = [Row(f"{what}simplify the coverage, once", "tocsin", simplify_ms)], []
    for name, areas in (("full borders", full), (f"simplified by {TOLERANCE_DEG:g} degrees", fewer)):
        locator = build_locator([CityPlace(one, 0.0, 0.0, 1.0) for one in areas], areas)
        locate_index(locator, latitude[:1000], longitude[:1000])  # prepared geometries index themselves at the first question
        batch_ms, _ = timed_ms(lambda one: locate_index(one, latitude, longitude), [locator])
        vertices = int(shapely.get_num_coordinates(np.array(list(areas.values()), dtype=object)).sum())
        began = time.process_time()
        locate_index(locator, latitude, longitude)
        note = f"{vertices:,} vertices; {(time.process_time() - began) * 1e6 / points:.2f} us of processor time"
        rows.append(Row(f"{what}a point of {points:,}, {name}", "tocsin", batch_ms * 1e3 / points, unit="us", aim="< 2 us", note=note))
        found.append(np.array([*locator.area_ids, ""], dtype=object)[locate_index(locator, latitude, longitude)])
    moved = float((found[0] != found[1]).mean())
    rows.append(Row(f"{what}points that change sides by simplifying", "tocsin", 100.0 * moved, unit="%"))
    tree = shapely.STRtree(list(full.values()))
    few = shapely.points(longitude[:2000], latitude[:2000])
    one_ms, _ = timed_ms(lambda _: tree.query(few, predicate="intersects"), [0])
    rows.append(Row(f"{what}a point of 2,000, full borders", "shapely query", one_ms * 1e3 / 2000, unit="us", note="predicate in the tree"))
    return rows
