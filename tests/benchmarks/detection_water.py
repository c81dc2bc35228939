"""Water detection against what is used today: `python tests/benchmarks/detection_water.py [--small] [--out FOLDER]`.

B4: events of 2 years on the upper Danube, levels and settings learned on 1959-1979, scored on 1980-1989. B3: nominal against achieved false
alarms of the CUSUM. Cost: quality control and all water detectors on 10,000 series beside a bare copy, a plain loop and peers. Tables
are printed and written to FOLDER/detection_water.md, with a plot beside it. `--small` shortens everything; its figures mean little.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import water_cost, water_data, water_rates
from tests.benchmarks.water_contestants import CONTESTANTS

OURS = next(iter(CONTESTANTS))
PLAIN_TIMES = 20.0
AIM_US = 0.2
ARLS_DAYS = (365.25, 1000.0, 3652.5)
LONG = 5000
BUDGETS = (0.1, 0.2, 0.5, 1.0, 2.0)


def detection(river, contestants, lines):
    """B4: every setting tried, the one chosen on the training years, its score there and later; the chosen scores of all settings for the plot."""
    train, test = slice(365, river.split), slice(river.split, None)
    first = f"## B4: {len(river.names)} gauges with at least {water_data.UPSTREAM_MIN} upstream; learned to 1979, scored on 1980-1989"
    lines += [
        first,
        "",
        "| contestant, chosen setting | on the day or before | a day or more before | false a gauge-year | CSI, a day before | median lead, days | events |",
    ]
    lines += ["|---|---|---|---|---|---|---|"]
    tried, curves, chosen = [], {}, {}
    for name, contestant in contestants.items():
        settings = [(setting, water_data.score(river, warned, train), warned) for setting, warned in contestant(river)]
        setting, _, warned = max(settings, key=lambda one: one[1].csi)
        result = water_data.score(river, warned, test)
        chosen[name] = warned
        curves[name] = [
            (one.false / one.gauge_years, one.early / one.events) for one in (water_data.score(river, w, test) for _, _, w in settings)
        ]
        lines.append(f"| {name}: {setting} | {result.row} |")
        tried += [f"- {name}: {one}: CSI {score.csi:.3f}" for one, score, _ in settings]
    for name in [one for one in chosen if one != OURS]:
        low, middle, high = difference(river, chosen[OURS], chosen[name], test)
        lines.append(f"\nCSI, ours less {name}: {middle:+.3f} (95 % interval of years drawn with replacement {low:+.3f} to {high:+.3f})")
    lines += ["", "Settings tried, scored on the training years:", *tried, ""]
    return curves


def difference(river, ours, theirs, test, draws=1000):
    """Paired by year: the 95 % interval of our CSI less theirs."""
    years = np.array_split(np.arange(test.start, len(river.at)), round(river.years))
    pieces = [[water_data.score(river, one, slice(int(year[0]), int(year[-1]) + 1)) for year in years] for one in (ours, theirs)]
    table = np.array([[(one.early, one.events + one.false) for one in piece] for piece in pieces], dtype=np.float64)
    drawn = np.random.default_rng(0).integers(0, len(years), (draws, len(years)))
    sums = table[:, drawn].sum(axis=2)
    csi = sums[..., 0] / sums[..., 1]
    return np.quantile(csi[0] - csi[1], (0.025, 0.5, 0.975)).tolist()


def rates(river, days, lines):
    """B3: nominal against achieved; the p-values' reliability for the plot, and whether every pool is within the factor."""
    found, below = water_rates.simulated(np.tile(water_rates.autocorrelations(river), 1 if days < LONG else 3), days, ARLS_DAYS)
    pool = replace(
        found[0],
        name="pooled",
        expected=sum(r.expected for r in found),
        counted=sum(r.counted for r in found),
        series_years=sum(r.series_years for r in found),
    )
    real = [] if days < LONG else [one for each in (False, True) for one in water_rates.replayed(river, BUDGETS, each=each)]
    lines += ["## B3: nominal against achieved false alarms of CUSUM", ""]
    lines += [
        f"| series | series-years | expected | counted | ratio (95 % Poisson) | within {water_rates.FACTOR} and 30 or more expected |",
        "|---|---|---|---|---|---|",
    ]
    lines += [f"| {one.row} |" for one in (*found, pool, *real)]
    lines += [
        "",
        "Gauges of one river alarm together: the intervals of the Danube rows are too narrow.",
        "",
        "| p-value at most | share of quiet samples |",
        "|---|---|",
    ]
    lines += [f"| {p} | {share:.4f} |" for p, share in zip(water_rates.P_GRID, below, strict=True)] + [""]
    return below, pool.passed


def cost(series, steps, lines):
    """Microseconds a measurement; whether the ratio to the plain loop is met."""
    spent, sizes, copy = water_cost.ours(series, steps, np.arange(series))
    shuffled = sum(water_cost.ours(series, steps, np.random.default_rng(1).permutation(series))[0].values())
    plain = water_cost.plain_loop(20, 150)
    total = sum(spent.values())
    ratio = plain / total
    lines += [f"## Cost on {series} series, one process", "", "| | microseconds a measurement | bytes of state a series |", "|---|---|---|"]
    lines += [f"| {name} | {us:.3f} | {sizes[name]} |" for name, us in spent.items()]
    lines += [
        f"| **all** | **{total:.3f}** | **{sum(sizes.values())}** |",
        f"| all, the series reporting in any order | {shuffled:.3f} | |",
        f"| bare numpy copy of the same arrays | {copy:.3f} | |",
        f"| plain Python loop (the scalar twins) | {plain:.1f} | |",
    ]
    lines += [f"| {name} | {us:.2f} | |" for name, us in water_cost.peers(2000 if series < 10_000 else 20_000).items()]
    verdict = "passed" if ratio >= PLAIN_TIMES else "missed"
    aim = "reached" if total <= AIM_US else "not reached"
    lines += ["", f"{ratio:.0f} times the plain loop (asked for: {PLAIN_TIMES:.0f}, {verdict}); aim {AIM_US} microseconds: {aim}.", ""]
    return ratio >= PLAIN_TIMES


def plot(curves, below, file):
    """POD against false alarms of every setting, and the reliability of the p-values."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
    for name, points in curves.items():
        left.plot(*zip(*sorted(points), strict=True), "o", label=name, markersize=4)
    left.set(
        xlabel="false warnings a gauge-year", ylabel="2-year events warned a day or more before", title="Danube 1980-1989", xlim=(0, 8)
    )
    left.legend(fontsize=8)
    grid = np.array(water_rates.P_GRID)
    right.loglog(grid, grid, "k:", label="as it says")
    right.loglog(grid, below, "o-", label="CUSUM on quiet series")
    right.set(xlabel="p-value at most", ylabel="share of quiet samples", title="Reliability of p-values")
    right.legend()
    figure.savefig(file, dpi=100)
    plt.close(figure)


def shorter(river, gauges=3, before=1500, after=1500):
    """A few gauges and years around the split, levels as learned from all of it."""
    days = slice(river.split - before, river.split + after)
    return replace(
        river, names=river.names[:gauges], at=river.at[days], flow=river.flow[days, :gauges], level=river.level[:gauges], split=before
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="shorter; its figures mean little")
    parser.add_argument("--out", type=Path, help="folder for the table and the plot (default: a new temporary one)")
    chosen = parser.parse_args()
    folder = chosen.out or Path(tempfile.mkdtemp(prefix="detection-water-"))
    folder.mkdir(parents=True, exist_ok=True)
    lines, river = ["# Water detection", ""], water_data.load()
    curves = detection(shorter(river) if chosen.small else river, CONTESTANTS, lines)
    below, kept = rates(river, 1000 if chosen.small else 20_000, lines)
    quick = cost(1000 if chosen.small else 10_000, 30 if chosen.small else 200, lines)
    plot(curves, below, folder / "detection_water.png")
    (folder / "detection_water.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"written to {folder}")
    return 0 if chosen.small or (kept and quick) else 1


if __name__ == "__main__":
    raise SystemExit(main())
