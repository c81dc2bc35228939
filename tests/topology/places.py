"""Small inputs and plain oracles shared by the tests of footprints."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from topology.base import CityPlace, Conditions, Places, Reach, Source

NOW = 1_700_000_000_000
HOUR = 3_600_000
QUIET = Conditions(now=NOW)


def source(**given) -> Source:
    fields = {
        "series": "st/q",
        "city_id": "",
        "latitude": 30.0,
        "longitude": 110.0,
        "reach": "",
        "reach_km": 0.0,
        "onset_at": NOW,
        "observed_at": NOW,
        "ended_at": None,
        "value": 100.0,
        "score": 1.0,
    }
    return Source(**{**fields, **given})


def river_city(city_id: str, *river: tuple[str, float]) -> CityPlace:
    return CityPlace(city_id, 30.0, 110.0, 5.0, 100_000, river)


@st.composite
def rivers(draw, *, splits: bool):
    """A random network (tree, or DAG with splits), cities on it, and a source position: (Places, reach, km)."""
    count = draw(st.integers(2, 9))
    rows: list[Reach] = []
    for i in range(count):
        length_km = draw(st.integers(1, 50)) * 1.0
        speed = draw(st.sampled_from([float("nan"), 0.01, 0.5, 1.0, 2.0]))
        residence_h = draw(st.sampled_from([float("nan"), float("nan"), 12.0]))
        # Only the next few: branches then meet again often.
        below = [f"r{j}" for j in range(i + 1, min(i + 4, count))] + ([""] if i > count - 3 else [])
        chosen = draw(st.lists(st.sampled_from(below), min_size=1, max_size=2 if splits else 1, unique=True))
        first = draw(st.sampled_from([0.25, 0.5, 0.9])) if len(chosen) > 1 else 1.0
        for to, fraction in zip(chosen, (first, 1.0 - first), strict=False):
            rows.append(
                Reach(
                    f"r{i}",
                    to,
                    length_km,
                    fraction,
                    celerity_m_per_s=speed,
                    velocity_m_per_s=speed,
                    residence_h=residence_h,
                    line=len(rows) + 2,
                )
            )
    length = {row.reach: row.length_km for row in rows}
    spots = st.sampled_from(sorted(length)).flatmap(lambda r: st.tuples(st.just(r), st.integers(0, int(length[r])).map(float)))
    cities = tuple(river_city(f"c{n}", *draw(st.lists(spots, min_size=0, max_size=2))) for n in range(draw(st.integers(1, 6))))
    reach, km = draw(spots)
    return Places(cities, tuple(draw(st.permutations(rows)))), reach, km


def all_ways(places: Places, reach: str, km: float, hours: dict[str, float]) -> dict[str, list[tuple[float, float, float]]]:
    """Brute force: for every city, (km, hours, share) of every path from the source to every one of its positions, one by one."""
    rows: dict[str, list[Reach]] = {}
    for row in places.reaches:
        rows.setdefault(row.reach, []).append(row)
    ways: dict[str, list[tuple[float, float, float]]] = {}

    def part(here: str, run_km: float) -> float:
        return 0.0 if run_km == 0 else hours[here] * run_km / rows[here][0].length_km

    def walk(here: str, entry: float, gone_km: float, gone_h: float, share: float) -> None:
        for city in places.cities:
            for on, at in city.river:
                if on == here and at >= entry:
                    ways.setdefault(city.city_id, []).append((gone_km + at - entry, gone_h + part(here, at - entry), share))
        run_km = rows[here][0].length_km - entry
        for row in rows[here]:
            if row.downstream:
                walk(row.downstream, 0.0, gone_km + run_km, gone_h + part(here, run_km), share * row.fraction)

    walk(reach, km, 0.0, 0.0, 1.0)
    return ways


def hours_of(row: Reach, own_m_per_s: float, default_m_per_s: float) -> float:
    """Hours through a reach, said slowly: still water has only its residence time, if that."""
    resident = not math.isnan(row.residence_h)
    if (row.velocity_m_per_s if math.isnan(own_m_per_s) else own_m_per_s) <= 0.011:
        return row.residence_h if resident else math.inf
    speed = default_m_per_s if math.isnan(own_m_per_s) else own_m_per_s
    return row.length_km * 1000.0 / speed / 3600.0 + (row.residence_h if resident else 0.0)
