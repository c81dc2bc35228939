"""Nominal against achieved false alarms of every statistical detector: `python tests/benchmarks/false_alarms.py [--small] [--out FOLDER]`.

Pooled per detector over at least 30 expected alarms, with Poisson 95 % intervals, passed within a factor 1.5. Quiet series are simulated with the
autocorrelation, seasons and dispersion of real ones; the Danube's later decade is real. EARS runs beside them; what Farrington, Noufaily and
a Poisson model achieve is published. The table goes to FOLDER/false_alarms.md, the reliability of the p-values is plotted beside it.
Nothing is tuned here: thresholds follow from the nominal rate. `--small` shortens everything; its figures mean little.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import air_rates, detection_counts, water_data, water_rates
from tests.benchmarks.detection_water import ARLS_DAYS, BUDGETS
from tests.benchmarks.water_rates import FACTOR, P_GRID, Rate

ARLS_H = (500.0, 2000.0, 8766.0)
SEED = 200_001
HEADER = [
    f"| series and nominal rate | series-years | expected | counted | ratio (95 % Poisson) | within {FACTOR} and 30 or more expected |",
    "|---|---|---|---|---|---|",
]


def pooled(name, rates):
    """All rates of one detector as one."""
    return Rate(name, sum(r.expected for r in rates), sum(r.counted for r in rates), sum(r.series_years for r in rates))


def water(small, lines):
    """The CUSUM of water levels: simulated quiet series, and thresholds learned before 1980 counted on the 1980s."""
    river = water_data.load()
    found, below = water_rates.simulated(
        np.tile(water_rates.autocorrelations(river), 1 if small else 3), 1000 if small else 20_000, ARLS_DAYS
    )
    pool = pooled("cusum, simulated quiet, pooled", found)
    real = [] if small else [one for each in (False, True) for one in water_rates.replayed(river, BUDGETS, each=each)]
    together = [
        pooled(f"cusum, Danube 1980-1989, pooled, {how}", real[k : k + len(BUDGETS)])
        for k, how in ((0, "alike"), (len(BUDGETS), "by itself"))
    ]
    lines += ["## cusum (water)", "", *HEADER, *(f"| {one.row} |" for one in (*found, pool, *real, *(together if real else ()))), ""]
    lines += ["Gauges of one river alarm together, so the Danube's intervals are too narrow.", ""]
    return below, all(one.passed for one in (pool, *(together if real else ())))


def air(small, lines):
    """The CUSUM of air concentrations."""
    rho, sd, course = air_rates.fitted()
    times = 1 if small else 6
    found, below = air_rates.simulated((np.tile(rho, times), np.tile(sd, times), course), 1500 if small else 9000, ARLS_H)
    pool = pooled("air_cusum, simulated quiet, pooled", found)
    lines += ["## air_cusum", "", *HEADER, *(f"| {one.row} |" for one in (*found, pool)), ""]
    return below, pool.passed


def counts(small, lines):
    """The two count detectors and EARS on quiet weeks; what was published of others."""
    plotted, passed = detection_counts.benchmark_3(SEED, 2 if small else 20, lines)
    lines += ["Achieved / nominal of published methods (rate a week in 28 scenarios at the nominal one):", ""]
    lines += ["| method | " + " | ".join(map(str, detection_counts.NOMINAL)) + " |", "|---|" + "---|" * len(detection_counts.NOMINAL)]
    for name, rates in detection_counts.PUBLISHED_NOMINAL.items():
        lines.append(
            f"| {name} | "
            + " | ".join(f"{rate / nominal:.1f}" for rate, nominal in zip(rates, detection_counts.NOMINAL, strict=True))
            + " |"
        )
    lines.append("")
    grid = np.array(P_GRID)
    return {name: (p[:, None] <= grid).mean(axis=0) for name, p in plotted.items()}, passed


def plot(shares, file):
    """How often p-values were at or below what they say."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 6))
    axes.loglog(P_GRID, P_GRID, "k:", label="as it says")
    for name, share in shares.items():
        axes.loglog(P_GRID, np.maximum(share, 1e-5), "--" if name.startswith("ears") else "o-", label=name, markersize=3)
    axes.set(xlabel="p-value at most", ylabel="share of quiet samples", title="Reliability of p-values")
    axes.legend(fontsize=7)
    figure.savefig(file, dpi=100)
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="shorter; its figures mean little")
    parser.add_argument("--out", type=Path, help="folder for the table and the plot (default: a new temporary one)")
    given = parser.parse_args(arguments)
    folder = given.out or Path(tempfile.mkdtemp(prefix="false-alarms-"))
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# False alarms, nominal against achieved", ""]
    of_water, calm_water = water(given.small, lines)
    of_air, calm_air = air(given.small, lines)
    of_counts, calm_counts = counts(given.small, lines)
    passed = calm_water and calm_air and calm_counts
    lines.append(f"Every statistical detector within a factor {FACTOR}: {'passed' if passed else 'FAILED'}")
    plot({"cusum": of_water, "air_cusum": of_air, **of_counts}, folder / "reliability.png")
    (folder / "false_alarms.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"written to {folder}")
    return 0 if given.small or passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
