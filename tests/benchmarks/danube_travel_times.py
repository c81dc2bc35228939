"""Travel times of flood waves on the upper Danube: `python tests/benchmarks/danube_travel_times.py [--small] [--out FOLDER]`.

Learned on 1959-1979 between neighbouring gauges (as `tocsin calibrate` does), they foretell the crest times of 1980-1989; beside them a
constant velocity: the region's own guess, and the one that does best on the learning years. Per pair, pooled, and over ways of several
stretches; and how high the crest below becomes. Tables are printed and written to FOLDER, with a plot. `--small` takes every fourth pair.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import travel_times as times
from topology.base import Lag
from topology.lags import expected_crest, regressions

NOMINAL = 0.8
FLOORS_H = (1, 2, 3, 4, 6, 8, 12)
VELOCITIES = (1.0, 1.3, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0)
GUESS = 1.7
GUESS_FLOOR_H = 12
COLUMNS = "crests | median error, h | mean error, h | inside P10-P90 | median width, h"


def windows(region, pairs):
    return [times.predict(region, *pair) for pair in pairs]


def choose(pairs, given, lags_csv, lines):
    """The contestants' regions, with the settings tried on the learning years."""
    floors = {floor: times.score(windows(times.region_with(lags_csv, floor_h=floor), pairs), given) for floor in FLOORS_H}
    floor = min(floors, key=lambda one: abs(float(np.mean(floors[one].inside)) - NOMINAL))
    guesses = {
        one: times.score(windows(times.region_with(None, celerity_m_per_s=one, floor_h=GUESS_FLOOR_H), pairs), given) for one in VELOCITIES
    }
    best = min(guesses, key=lambda one: float(np.median(guesses[one].errors)))
    lines += ["Settings tried on the learning years:"]
    lines += [f"- learned lags, floor_h {one}: {score.row}" for one, score in floors.items()]
    lines += [f"- constant {one} m/s, floor_h {GUESS_FLOOR_H}: {score.row}" for one, score in guesses.items()]
    return {
        f"learned lags (floor_h {floor})": times.region_with(lags_csv, floor_h=floor),
        f"constant {GUESS} m/s": times.region_with(None, celerity_m_per_s=GUESS, floor_h=GUESS_FLOOR_H),
        f"constant {best} m/s (best on the learning years)": times.region_with(None, celerity_m_per_s=best, floor_h=GUESS_FLOOR_H),
    }


def per_pair(danube, pairs, given, contestants):
    """A row a pair: ours, then the first guess."""
    ours, guess = list(contestants.values())[:2]
    rows = [
        f"## Per pair, 1980-1989\n\n| pair | km | P10, P50, P90, h | {COLUMNS} | median error of {GUESS} m/s |\n|---|---|---|---|---|---|---|---|---|"
    ]
    for pair, one in zip(pairs, given, strict=True):
        window = times.predict(ours, *pair)
        plain = times.score([times.predict(guess, *pair)], [one])
        said = ", ".join(f"{hours:.1f}" for hours in window)
        row = times.score([window], [one]).row
        rows.append(f"| {' to '.join(pair)} | {times.way_km(danube, *pair):.1f} | {said} | {row} | {np.median(plain.errors):.1f} |")
    return rows


def long_ways(pairs):
    """Ways of two stretches and more, all of them learned."""
    below, found = dict(pairs), []
    for upper, _ in pairs:
        lower = below[upper]
        while lower in below:
            lower = below[lower]
            found.append((upper, lower))
    return found


def heights(danube, lags_csv, pairs):
    """Of the later crests: errors of the foretold value (share of it) and whether it lies inside P10-P90."""
    rows = csv.DictReader(io.StringIO(lags_csv.decode()))
    learned = [
        Lag((), (), 0.0, 0.0, int(row["events"]), row["upstream"], row["downstream"], *(float(row[name]) for name in ("intercept", "slope", "residual_sd")))
        for row in rows
    ]  # fmt: skip
    chain = regressions(learned)
    errors, inside = [], []
    for upper, lower in pairs:
        matched = times.scored(danube, times.events(danube, upper, lower), later=True)
        for at_h, lag_h in zip(matched.at_h, matched.lag_h, strict=True):
            above, there = (danube.flow[round(h / 24.0), danube.names.index(gauge)] for h, gauge in ((at_h, upper), (at_h + lag_h, lower)))
            said = expected_crest(chain, f"{upper}/discharge", float(above), {f"{lower}/discharge"})
            errors.append(abs(there - said.p50) / there)
            inside.append(said.p10 <= there <= said.p90)
    return np.array(errors), np.array(inside)


def tables(danube, *, small):
    """Everything as lines, and our score by pair for the plot."""
    lags_csv = times.learned_lags(danube)
    pairs = times.pairs_of(lags_csv)[:: 4 if small else 1]
    found = {pair: times.events(danube, *pair) for pair in pairs}
    train, test = ([times.scored(danube, found[pair], later=later) for pair in pairs] for later in (False, True))
    lines = [
        "# Travel times on the upper Danube",
        "",
        f"{len(pairs)} pairs of neighbouring gauges learned on 1959-1979, of {len(danube.edges)}.",
        "",
    ]
    tried = []
    contestants = choose(pairs, train, lags_csv, tried)
    lines += [f"## Pooled, 1980-1989\n\n| contestant | {COLUMNS} |\n|---|---|---|---|---|---|"]
    scores = {name: times.score(windows(region, pairs), test) for name, region in contestants.items()}
    lines += [f"| {name} | {score.row} |" for name, score in scores.items()]
    ways = [] if small else long_ways(pairs)
    ahead = [times.scored(danube, times.events(danube, *way), later=True) for way in ways]
    if ways:
        lines += ["", f"## {len(ways)} ways of two stretches and more, 1980-1989\n\n| contestant | {COLUMNS} |\n|---|---|---|---|---|---|"]
        lines += [f"| {name} | {times.score(windows(region, ways), ahead).row} |" for name, region in contestants.items()]
    errors, inside = heights(danube, lags_csv, pairs)
    lines += ["", f"Heights of {len(errors)} later crests: median error {np.median(errors):.1%}, inside P10-P90 {inside.mean():.1%}.", ""]
    lines += [*per_pair(danube, pairs, test, contestants), "", *tried, ""]
    return lines, scores, (pairs, test, next(iter(contestants.values())))


def plot(told, file):
    """Windows and later crests of each pair."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    pairs, given, region = told
    figure, axes = plt.subplots(figsize=(10, 6))
    for at, (pair, one) in enumerate(zip(pairs, given, strict=True)):
        low, middle, high = times.predict(region, *pair)
        axes.plot(np.full(len(one.lag_h), at), one.lag_h, ".", color="grey", markersize=3)
        axes.errorbar(at, middle, [[middle - low], [high - middle]], fmt="o", color="tab:blue", markersize=4)
    axes.set_xticks(range(len(pairs)), [" to ".join(pair) for pair in pairs], rotation=90, fontsize=7)
    axes.set(ylabel="hours from the crest above to the one below", title="Learned on 1959-1979 (P10, P50, P90), crests of 1980-1989")
    figure.tight_layout()
    figure.savefig(file, dpi=100)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="every fourth pair; its figures mean little")
    parser.add_argument("--out", type=Path, help="folder for the table and the plot (default: a new temporary one)")
    chosen = parser.parse_args()
    folder = chosen.out or Path(tempfile.mkdtemp(prefix="danube-travel-times-"))
    folder.mkdir(parents=True, exist_ok=True)
    lines, _, told = tables(times.read(), small=chosen.small)
    plot(told, folder / "danube_travel_times.png")
    (folder / "danube_travel_times.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"written to {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
