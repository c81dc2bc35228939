"""Wind footprints: the shape of a cloud against 100,000 polygons, the ensemble against cities, and distances against pyproj.

Contestants of one question are measured in the same process, and must agree: the tree with the same test on every polygon, the ensemble
with a plain loop over members, releases and legs, our distances with pyproj's geodesics.
"""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import shapely
from pyproj import Geod

from tests.benchmarks.footprint_rows import Row, timed_ms
from topology.base import CityPlace, Conditions, Places, Source, WindGrid, Winds
from topology.cloud import follow
from topology.geodesy import bearing_deg, destination, distance_km, to_xy
from topology.outline import outline
from topology.plume import dilution
from topology.puffs import Cities, spread_m, touches
from topology.wind import PARAMETERS, build, footprint

NOW, HOUR = 1_700_000_000_000, 3_600_000
HERE = (30.0, 110.0)
SMALL, FULL = 2_000, 100_000


def run(small: bool) -> list[Row]:
    """The rows of this part."""
    return [
        *_cone(SMALL if small else FULL, tries=2 if small else 20),
        *_ensemble(3 if small else 30),
        *_distances(SMALL if small else 1_000_000),
    ]


def source() -> Source:
    return Source("st/pm25", "", *HERE, "", 0.0, NOW - 6 * HOUR, NOW, None, 200.0, 1.0, "inc-1")


def station_winds(stations: int) -> Winds:
    """Six hours of hourly west wind, a little different at every station."""
    rng = np.random.default_rng(5)
    at = np.repeat(NOW - np.arange(7) * HOUR, stations)
    latitude, longitude = (np.tile(one + rng.uniform(-1.0, 1.0, stations), 7) for one in HERE)
    return Winds(at, latitude, longitude, 5.0 + rng.uniform(-1.0, 1.0, at.size), 270.0 + rng.normal(0.0, 8.0, at.size))


def forecast() -> WindGrid:
    """A day in hours on half a degree: a west wind that turns to the south."""
    latitude, longitude = np.arange(24.0, 36.1, 0.5), np.arange(104.0, 116.1, 0.5)
    hours = np.arange(25)
    shape = (hours.size, latitude.size, longitude.size)
    angle = np.radians(hours * 3.0)[:, None, None]
    return WindGrid(
        NOW + hours * HOUR, latitude, longitude, np.broadcast_to(5.0 * np.cos(angle), shape), np.broadcast_to(5.0 * np.sin(angle), shape)
    )


def cities(count: int, farthest_km: float) -> tuple[CityPlace, ...]:
    rng = np.random.default_rng(6)
    places = zip(*destination(*HERE, rng.uniform(0, 360, count), farthest_km * np.sqrt(rng.uniform(0, 1, count))), strict=True)
    return tuple(CityPlace(f"c{n}", float(lat), float(lon), 5.0) for n, (lat, lon) in enumerate(places))


def _cone(count: int, tries: int) -> list[Row]:
    """Which of that many polygons the cloud's outline meets."""
    rng = np.random.default_rng(7)
    side = math.ceil(math.sqrt(count))
    west, south = (one.ravel()[:count] for one in np.meshgrid(np.linspace(90.0, 130.0, side), np.linspace(15.0, 45.0, side)))
    size = rng.uniform(0.5, 1.0, count) * 40.0 / side
    squares = shapely.box(west, south, west + size, south + size)
    tree = shapely.STRtree(squares)
    cloud = shapely.Polygon(outline(source(), Conditions(NOW, station_winds(1)), PARAMETERS)[0])
    shapely.prepare(cloud)
    found = tree.query(cloud, predicate="intersects")
    assert sorted(found.tolist()) == np.flatnonzero(shapely.intersects(squares, cloud)).tolist()
    question = f"cloud's outline x {count:,} polygons ({found.size} met)"
    return [
        Row(question, "tocsin (STRtree)", *timed_ms(lambda _: tree.query(cloud, predicate="intersects"), range(tries)), aim="< 3 ms"),
        Row(question, "every polygon", *timed_ms(lambda _: shapely.intersects(squares, cloud), range(tries)), note="prepared, vectorised"),
    ]


def _ensemble(tries: int) -> list[Row]:
    rows = []
    for wind, conditions in (
        ("1 station", Conditions(NOW, station_winds(1))),
        ("8 stations", Conditions(NOW, station_winds(8))),
        ("forecast grid", Conditions(NOW, station_winds(1), wind_grid=forecast())),
    ):
        for count, farthest_km in ((12, 60.0), (100, 200.0)):
            graph = build(Places(cities(count, farthest_km)), {})
            met = len(footprint(graph, source(), conditions))
            question = f"128 members, {wind}, {count} cities ({met} met)"
            rows.append(Row(question, "tocsin", *timed_ms(anew(graph, conditions), range(tries)), aim="< 30 ms"))
            again = timed_ms(lambda _, graph=graph, conditions=conditions: footprint(graph, source(), conditions), range(tries))
            rows.append(Row(question, "tocsin", *again, note="asked again before anything new is known"))
    graph = build(Places(cities(SMALL * 50, 2000.0)), {})
    question = "128 members, 1 station, 100,000 cities within 2,000 km"
    rows.append(Row(question, "tocsin", *timed_ms(anew(graph, Conditions(NOW, station_winds(1))), range(tries))))
    return [*rows, *_beside_a_loop()]


def anew(graph, conditions: Conditions):
    """The question of an incident never asked about before: nothing of the answer is at hand."""
    numbers = itertools.count()
    return lambda _: footprint(graph, replace(source(), incident_id=f"inc-{next(numbers)}"), conditions)


def _beside_a_loop() -> list[Row]:
    """The touches of 12 cities: ours, and the same in a bare loop over every leg of every puff of every member."""
    cloud = follow(source(), Conditions(NOW, station_winds(1)), PARAMETERS)
    assert cloud is not None
    places = cities(12, 60.0)
    latitude, longitude = (np.array([getattr(one, name) for one in places]) for name in ("latitude", "longitude"))
    circles = Cities(*to_xy(*HERE, latitude, longitude), np.full(12, 5.0))
    plain = loop_share(cloud, circles)
    ours = np.isfinite(touches(cloud.tracks, circles, cloud.growth).first_ms).any(axis=2).mean(axis=1).tolist()
    assert plain == ours, (plain, ours)
    question = "who of 128 members touches 12 cities"
    return [
        Row(question, "tocsin", *timed_ms(lambda _: touches(cloud.tracks, circles, cloud.growth), range(3))),
        Row(question, "bare loop", *timed_ms(lambda _: loop_share(cloud, circles), range(1), tries=1), note="same shares"),
    ]


def loop_share(cloud, circles: Cities) -> list[float]:
    """Share of members that touch each city, leg by leg."""
    tracks, growth = cloud.tracks, cloud.growth
    shares = []
    for x, y, radius in zip(*(one.tolist() for one in circles), strict=True):
        hits = 0
        for member in range(tracks.gone_km.shape[0]):
            hits += any(
                _leg_touches(tracks, growth, (member, release, k), (x, y, radius))
                for release in range(tracks.gone_km.shape[1])
                for k in range(release, tracks.at_ms.size - 1)
            )
        shares.append(hits / tracks.gone_km.shape[0])
    return shares


def _leg_touches(tracks, growth, leg: tuple[int, int, int], circle: tuple[float, float, float]) -> bool:
    member, release, k = leg
    x0, y0, x1, y1 = (float(one[member, release, k + step]) for step in (0, 1) for one in (tracks.east_km, tracks.north_km))
    squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
    part = min(1.0, max(0.0, ((circle[0] - x0) * (x1 - x0) + (circle[1] - y0) * (y1 - y0)) / squared)) if squared else 0.0
    edge_m = 1000.0 * max(0.0, math.hypot(circle[0] - x0 - part * (x1 - x0), circle[1] - y0 - part * (y1 - y0)) - circle[2])
    gone_m = 1000.0 * (float(tracks.gone_km[member, release, k]) + part * math.sqrt(squared))
    at_ms = tracks.at_ms[k] + part * (tracks.at_ms[k + 1] - tracks.at_ms[k])
    if gone_m > growth.far_m or at_ms - tracks.at_ms[release] > growth.longest_ms:
        return False
    wide_m = float(
        spread_m(np.asarray(gone_m), np.asarray((at_ms - tracks.near_at_ms[member, release]) / 1000.0 * tracks.speed[member]), growth)
    )
    strength = float(dilution(gone_m, wide_m, growth.air)) * math.exp(-0.5 * (edge_m / wide_m) ** 2)
    return edge_m <= growth.sigmas * wide_m and strength >= growth.min_strength


def _distances(count: int) -> list[Row]:
    rng = np.random.default_rng(8)
    latitude, longitude = np.degrees(np.arcsin(rng.uniform(-1, 1, count))), rng.uniform(-180, 180, count)
    to_latitude, to_longitude = destination(latitude, longitude, rng.uniform(0, 360, count), rng.uniform(0, 2000, count))
    geod = Geod(ellps="WGS84")
    pairs = (latitude, longitude, to_latitude, to_longitude)
    exact_m = geod.inv(longitude, latitude, to_longitude, to_latitude)[2]
    error_m = float(np.abs(distance_km(*pairs) * 1000.0 - exact_m).max())
    question = f"{count:,} distances up to 2,000 km"
    return [
        Row(question, "tocsin (Lambert)", timed_ms(lambda _: distance_km(*pairs), range(1))[0], note=f"error {error_m:.1f} m at most"),
        Row(question + ", and bearings", "tocsin", timed_ms(lambda _: (distance_km(*pairs), bearing_deg(*pairs)), range(1))[0]),
        Row(
            question + ", and bearings", "pyproj", timed_ms(lambda _: geod.inv(longitude, latitude, to_longitude, to_latitude), range(1))[0]
        ),
    ]
