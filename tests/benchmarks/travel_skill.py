"""How well travel footprints order arrivals: `python tests/benchmarks/travel_skill.py [--small] [--out FOLDER]`.

For each outbreak: rank correlation (Spearman, Kendall's tau-b) of what was told with the order in which places really had their first case,
with a 95 % interval (places drawn again), beside plain distance and population. And for the times: how many first cases fell between
the 10 % and the 90 % told. Nothing is tuned to these outbreaks: every parameter is the module's default, but what the table names.
A place that never had a case counts as last; equal days are ties. What is known of an arrival is the first *reported* case.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
from scipy.stats import kendalltau, spearmanr

from tests.benchmarks.travel_outbreaks import Outbreak, coronavirus, measles
from topology.base import CityPlace, Conditions, Places, Source, Travel
from topology.geodesy import distance_km
from topology.travel import build, footprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
DAY = 86_400_000
ORDER_EXPONENT = 2.0
"""Travel between districts falls with the order of neighbourhood as gravity does with distance: fixed beforehand."""
SEED = 20_200_224
DISEASE = {
    "measles": {"serial_interval_days": 11.7, "horizon_days": 365.0},
    "coronavirus": {"serial_interval_days": 4.7, "reproduction_number": 2.5, "horizon_days": 60.0},
}
"""Times also with published properties of the disease: serial intervals of Vink et al. (Am. J. Epidemiol. 180:865, 2014) and Nishiura et al.
(Int. J. Infect. Dis. 93:284, 2020); reproduction number 2.5 as WHO's mission of February 2020 gave it (2 to 2.5)."""


class Told(NamedTuple):
    """What a contestant says: the smaller, the earlier. `confidence` is what it states of itself, NaN where it states none."""

    name: str
    earlier: NDArray[np.float64]
    confidence: float


class Skill(NamedTuple):
    """Rank correlation with what happened, and 95 % intervals."""

    spearman: float
    spearman_interval: tuple[float, float]
    kendall: float
    kendall_interval: tuple[float, float]


def graph_of(outbreak: Outbreak, given: Mapping[str, float]):
    """The travel graph: by the module's own models, or counted travel where only the order of neighbourhood is known."""
    people = np.nan_to_num(outbreak.population, nan=200_000.0)
    where = np.nan_to_num(np.column_stack([outbreak.latitude, outbreak.longitude]))
    cities = tuple(CityPlace(f"c{n}", *where[n].tolist(), 10.0, int(people[n])) for n in range(len(people)))
    rows = ()
    if outbreak.order is not None:
        weight = np.where(outbreak.order > 0, outbreak.order, np.inf) ** -ORDER_EXPONENT
        flow = 0.01 * people[:, None] * weight / weight.sum(axis=1, keepdims=True)
        pairs = [(a, b) for a in range(len(people)) for b in range(len(people)) if a != b]
        rows = tuple(Travel(f"c{a}", f"c{b}", float(flow[a, b])) for a, b in pairs)
    return build(Places(cities, travel=rows), {"min_probability": 0.0, **given})


def arrivals(outbreak: Outbreak, given: Mapping[str, float]):
    """The footprint at the beginning of the outbreak, and (P10, P50, P90) by place in days (NaN: not told)."""
    graph = graph_of(outbreak, given)
    cases = outbreak.cases
    source = Source("outbreak/cases", f"c{outbreak.source}", 0.0, 0.0, "", 0.0, 0, 0, None, cases, 1.0)
    impacts = footprint(graph, source, Conditions(0))
    days = np.full((len(outbreak.places), 3), np.nan)
    for impact in impacts:
        if impact.arrival:
            times = (impact.arrival.p10_at, impact.arrival.p50_at, impact.arrival.p90_at)
            days[graph.index[impact.city_id]] = [at / DAY for at in times]
    chance = {graph.index[impact.city_id]: impact.probability for impact in impacts}
    return graph, impacts, days, np.array([chance.get(n, 0.0) for n in range(len(outbreak.places))])


def contestants(outbreak: Outbreak) -> list[Told]:
    told = []
    models = {"gravity": 0.0, "radiation": 1.0} if outbreak.order is None else {"order of neighbourhood": 0.0}
    for name, radiation in models.items():
        graph, impacts, _, chance = arrivals(outbreak, {"radiation": radiation})
        # Where travel was made up from the order of neighbourhood, the footprint believes it counted: what it then states is not its own.
        stated = float(np.mean([impact.confidence for impact in impacts])) if outbreak.order is None else float("nan")
        # Nearer in time is likelier within the horizon: the chance orders also those whose median lies close together.
        told.append(Told(f"tocsin travel, {name}", -chance, stated))
        told.append(Told(f"effective distance, {name}", graph.ways(outbreak.source).distance, float("nan")))
    if outbreak.order is None:
        at = (outbreak.latitude[outbreak.source], outbreak.longitude[outbreak.source])
        told.append(Told("plain distance", distance_km(*at, outbreak.latitude, outbreak.longitude), float("nan")))
        if np.ptp(outbreak.population) > 0.0:
            told.append(Told("population, largest first", -outbreak.population, float("nan")))
    else:
        told.append(Told("plain order of neighbourhood", outbreak.order[outbreak.source], float("nan")))
    return told


def skill(earlier: NDArray[np.float64], happened: NDArray[np.float64], draws: int) -> Skill:
    """Rank correlations of two columns (inf = last), and their 95 % intervals when the places are drawn again."""
    happened = _last_as_a_number(happened)
    both = np.array([(spearmanr(earlier[some], happened[some])[0], _tau(earlier, happened, some)) for some in _drawn(len(happened), draws)])
    low, high = np.nanquantile(both, [0.025, 0.975], axis=0)
    every = np.arange(len(happened))
    return Skill(float(spearmanr(earlier, happened)[0]), (low[0], high[0]), _tau(earlier, happened, every), (low[1], high[1]))


def advantage(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], happened: NDArray[np.float64], draws: int
) -> tuple[float, float, float]:
    """Kendall's tau of ours minus that of theirs on the same places, with its 95 % interval."""
    happened = _last_as_a_number(happened)
    different = [_tau(ours, happened, some) - _tau(theirs, happened, some) for some in _drawn(len(happened), draws)]
    every = np.arange(len(happened))
    low, high = np.nanquantile(different, [0.025, 0.975])
    return _tau(ours, happened, every) - _tau(theirs, happened, every), float(low), float(high)


def _drawn(count: int, draws: int) -> list[NDArray[np.int64]]:
    rng = np.random.default_rng(SEED)
    return [rng.integers(0, count, count) for _ in range(draws)]


def _tau(earlier: NDArray[np.float64], happened: NDArray[np.float64], some: NDArray[np.int64]) -> float:
    return float(kendalltau(earlier[some], happened[some])[0])


def _last_as_a_number(happened: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(happened), happened, happened[np.isfinite(happened)].max() + 1.0)


def judged(outbreak: Outbreak, draws: int) -> list[tuple[Told, Skill]]:
    others = np.arange(len(outbreak.places)) != outbreak.source
    return [(told, skill(told.earlier[others], outbreak.arrived_day[others], draws)) for told in contestants(outbreak)]


def coverage(outbreak: Outbreak, given: Mapping[str, float]) -> tuple[int, int, float]:
    """(first cases between the 10 % and the 90 % told, places with both, median error of the 50 % in days: early is negative)."""
    _, _, days, _ = arrivals(outbreak, given)
    known = np.isfinite(days[:, 1]) & np.isfinite(outbreak.arrived_day)
    known[outbreak.source] = False
    came = outbreak.arrived_day[known]
    inside = (days[known, 0] <= came) & (came <= days[known, 2])
    return int(inside.sum()), int(known.sum()), float(np.median(days[known, 1] - came)) if known.any() else float("nan")


def report(outbreak: Outbreak, draws: int) -> list[tuple[Told, Skill]]:
    reached = int(np.isfinite(outbreak.arrived_day).sum())
    print(
        f"\n{outbreak.name}: from {outbreak.places[outbreak.source]} ({outbreak.cases:g} cases), {reached} of {len(outbreak.places)} places reached"
    )
    print(f"  {outbreak.note}; {int((outbreak.arrived_day <= 0).sum()) - 1} others had a case in the first period already: ties")
    print(f"  {'told by':<42} {'Spearman [95 %]':<26} {'Kendall [95 %]':<26} stated confidence")
    found = judged(outbreak, draws)
    for told, it in found:
        ours = "" if np.isnan(told.confidence) else f"{told.confidence:.2f}"
        first = f"{it.spearman:5.2f} [{it.spearman_interval[0]:5.2f}, {it.spearman_interval[1]:5.2f}]"
        second = f"{it.kendall:5.2f} [{it.kendall_interval[0]:5.2f}, {it.kendall_interval[1]:5.2f}]"
        print(f"  {told.name:<42} {first:<26} {second:<26} {ours}")
    ours, plain = (next(told for told, _ in found if told.name.startswith(name)) for name in ("tocsin", "plain"))
    others = np.arange(len(outbreak.places)) != outbreak.source
    more, low, high = advantage(ours.earlier[others], plain.earlier[others], outbreak.arrived_day[others], draws)
    print(f"  {ours.name} above {plain.name}, Kendall: {more:+.2f} [{low:+.2f}, {high:+.2f}]")
    disease = DISEASE[outbreak.name.split()[0]]
    for what, settings in (("defaults", {}), (", ".join(f"{name} {value:g}" for name, value in disease.items()), disease)):
        inside, of, error = coverage(outbreak, settings)
        print(f"  times, {what}: {inside} of {of} first cases between 10 % and 90 %; median error of the 50 % {error:+.1f} days")
    return found


def plot(outbreaks: list[Outbreak], folder: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(outbreaks), figsize=(5 * len(outbreaks), 4.5))
    for axis, outbreak in zip(np.atleast_1d(axes), outbreaks, strict=True):
        graph = graph_of(outbreak, {})
        others = np.arange(len(outbreak.places)) != outbreak.source
        axis.scatter(graph.ways(outbreak.source).distance[others], outbreak.arrived_day[others], s=14)
        axis.set(title=outbreak.name, xlabel="effective distance", ylabel="first case, days after the source")
        axis.title.set_fontsize(9)
    figure.tight_layout()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "travel_skill.png", dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few draws for the intervals")
    parser.add_argument("--out", type=Path, help="also draw what was told against what came")
    given = parser.parse_args()
    draws = 50 if given.small else 2000
    outbreaks = [measles(DATA), measles(DATA, 53, 52), coronavirus(DATA), coronavirus(DATA, 10.0)]
    print(
        f"travel by order of neighbourhood falls with its power {ORDER_EXPONENT:g}; {draws} draws for the intervals; all else as by default"
    )
    for outbreak in outbreaks:
        report(outbreak, draws)
    if given.out:
        plot(outbreaks, given.out)


if __name__ == "__main__":
    main()
