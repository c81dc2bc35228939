"""River footprints on a generated tree: quickness beside graph libraries in one process; load, build and memory in another.

A question is a random reach; the answer is every city below it with distance and hours. All contestants must give the same cities and times.
Ours is asked three ways: as arrays, as records of each city, and as whole `Impact`s of a flood wave.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from tests.benchmarks.footprint_river_world import check_same, city_places, columns, sources, world
from tests.benchmarks.footprint_rows import Row, timed_ms
from topology import river_wave
from topology.arrival import HOUR_MS
from topology.base import Conditions, Passage, Places
from topology.downstream import Start, ways_below
from topology.network import network_of
from topology.network_file import load_network, save_network
from topology.river import cities_below
from topology.upstream import Belief, Clean, suspects

SMALL, FULL = (20_000, 2_000), (1_000_000, 100_000)
QUESTIONS = 400


def run(small: bool) -> list[Row]:
    """The rows of this part."""
    size = SMALL if small else FULL
    with tempfile.TemporaryDirectory(prefix="tocsin-footprint-") as folder:
        path = Path(folder) / "network.npz"
        w = world(*size)
        rows = _building(w, path)
        rows += _memory(path, size)
        rows += _questions(w, path, small=small)
    return rows


def _building(w, path: Path) -> list[Row]:
    of = f"{len(w.down):,} reaches"
    began = time.perf_counter()
    table = columns(w)
    network = network_of(table)
    built = time.perf_counter() - began
    check_same(network, w)
    save_network(network, path)
    began = time.perf_counter()
    load_network(path)
    return [
        Row(f"network checked and built from columns, {of}", "tocsin", built, unit="s", aim="a few seconds"),
        Row(f"network loaded from npz, hash checked, {of}", "tocsin", time.perf_counter() - began, unit="s", aim="< 1 s"),
    ]


def _memory(path: Path, size: tuple[int, int]) -> list[Row]:
    """Resident memory of a process that does nothing but load the network, lay out its cities and answer."""
    command = [sys.executable, __file__, str(path), str(size[0]), str(size[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ready_s, before_mb, after_mb = map(float, done.stdout.split())
    of = f"{size[0]:,} reaches, {size[1]:,} cities"
    return [
        Row(f"flood wave ready from npz and city records, {of}", "tocsin", ready_s, unit="s", note="load, cities, clock"),
        Row(f"resident memory, {of}", "tocsin", after_mb, unit="MB", aim="< 400 MB", note=f"{before_mb:.0f} MB of it Python and imports"),
    ]


def _questions(w, path: Path, *, small: bool) -> list[Row]:
    # Imported here: the other process of this file must not hold them.
    from tests.benchmarks.footprint_river_peers import PEERS

    network = load_network(path)
    graph = river_wave.build(Places(city_places(w), network=network), {"attenuation_per_km": 0.0, "min_share": 0.0})
    cities, clock = graph.cities, graph.wave_clock
    asked = sources(w, QUESTIONS)

    # Reach numbers for everybody; the records and impacts below find theirs by id.
    starts = [Start(network.index[source.reach], 0.0) for _, source in asked]

    def arrays(start):
        ways = ways_below(network, clock, cities.points, start)
        return cities.points.city[ways.point], ways.hours

    found = [arrays(start) for start in starts]
    counts = sorted(len(city) for city, _ in found)
    of = f"{len(w.down):,} reaches, {len(w.city_reach):,} cities"
    note = f"median {counts[len(counts) // 2]} cities an answer, at most {counts[-1]}"
    aim = "p50 < 0.3, p99 < 2"
    rows = [Row(f"river footprint as arrays, {of}", "tocsin", *timed_ms(arrays, starts), aim=aim, note=note)]
    rows.append(Row(f"the same as city records, {of}", "tocsin", *timed_ms(lambda q: cities_below(cities, clock, q[1]), asked)))
    now = Conditions(now=0)
    rows.append(
        Row(f"the same as impacts, nothing faded, {of}", "tocsin", *timed_ms(lambda q: river_wave.footprint(graph, q[1], now), asked))
    )
    usual = river_wave.build(Places(city_places(w), network=network), {})
    rows.append(Row(f"impacts with the usual fading, {of}", "tocsin", *timed_ms(lambda q: river_wave.footprint(usual, q[1], now), asked)))
    best = np.inf
    for name, make in PEERS.items():
        began = time.perf_counter()
        answer = make(w)
        built = time.perf_counter() - began
        for question, (city, hours) in zip(asked[:20], found, strict=False):
            theirs = answer(question[0])
            assert theirs[0].tolist() == city.tolist(), f"{name} reaches other cities"
            np.testing.assert_allclose(theirs[1], hours, rtol=1e-9)
        took = timed_ms(lambda q, answer=answer: answer(q[0]), asked if small else asked[:100])
        best = min(best, took[0])
        rows.append(Row(f"river footprint as arrays, {of}", name, *took, note=f"built in {built:.2f} s"))
        del answer
    rows.append(_suspects(network, clock, of))
    rows.append(Row("how many times quicker than the best of them (p50)", "tocsin", best / rows[0].p50, unit="x", aim=">= 10"))
    return rows


def _suspects(network, clock, of: str) -> Row:
    """Detections below some 350 reaches, one place above found clean an hour before."""
    chosen = np.argsort(np.abs(network.tree.size - 350), kind="stable")[:50].tolist()
    asked = [
        (Passage(network.reaches[at], 0.0, HOUR_MS), Clean(network.reaches[at + network.tree.size.item(at) // 2], 0.0, 0)) for at in chosen
    ]
    took = timed_ms(lambda places: suspects(network, clock, [places[0]], [places[1]], Belief()), asked)
    return Row(f"where it came from: upstream suspects, {of}", "tocsin", *took, note=f"{network.tree.size.item(chosen[0])} reaches above")


def _resident_mb() -> float:
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1000


def _alone(path: Path, reaches: int, cities: int) -> None:
    """What the process that measures memory does."""
    before_mb = _resident_mb()
    w = world(reaches, cities)
    places, asked = city_places(w), [source for _, source in sources(w, 100)]
    del w
    began = time.perf_counter()
    graph = river_wave.build(Places(places, network=load_network(path)), {})
    ready_s = time.perf_counter() - began
    for source in asked:
        river_wave.footprint(graph, source, Conditions(now=0))
    print(ready_s, before_mb, _resident_mb())


if __name__ == "__main__":
    _alone(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
