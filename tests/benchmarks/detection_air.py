"""Early warning of high 24-hour means of fine particles in Beijing: `python tests/benchmarks/detection_air.py [--small] [--out FOLDER]`.

Everything is tuned on hours before July 2014 and scored on the year after; that year had been looked at while the ridge regressions were made, the
detector's form and settings were chosen on the hours before it. Contestants: the hourly value, NowCast, a ridge regression with weather, one
that sees the mean of all stations too, and the detector `air_forecast` as it is shipped, which is told the mean of the other stations; beside it the
same told nothing, and its form with wind. Prints every setting tried; writes detection_air.csv and detection_air.png. Events,
warnings, scores: tests/benchmarks/air_scoring.py. Tuning: tests/benchmarks/air_contestants.py, air_recursive.py. The same
24-hour warnings are scored for at least 6 and at least 12 hours ahead, each tuned for itself.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import air_contestants, air_data, air_recursive
from tests.benchmarks.air_scoring import VALID_H, by_week, csi, paired_interval

if TYPE_CHECKING:
    from tests.benchmarks.air_contestants import Contestant

AHEAD_H = (6, 12)
COLUMNS = (
    "ahead_h",
    "contestant",
    "hits",
    "misses",
    "false",
    "pod",
    "csi",
    "csi_115",
    "csi_150",
    "csi_250",
    "ours_minus",
    "lower",
    "upper",
)


def contestants(air, ahead_h, fits, ours, context) -> list[Contestant]:
    """Everyone, tuned for this lead; ours last. Without `context` what it gives to ours is not asked."""
    return [
        air_contestants.simple(air, "hourly value", air.hourly, ahead_h),
        air_contestants.simple(air, "NowCast", air.nowcast, ahead_h),
        air_contestants.ridge(air, "ridge with weather", fits["weather"], ahead_h),
        air_contestants.ridge_chance(air, "ridge with weather and network", fits["network"], ahead_h),
        *([] if context is None else [air_recursive.with_wind(air, context, ours, ahead_h), air_recursive.alone(air, ours, ahead_h)]),
        ours,
    ]


def rows_of(air, field, ahead_h):
    """One row of the table for each contestant, scored on the later year."""
    weeks = [by_week(one.alarms, air.events, air.scored, ahead_h) for one in field]
    for one, counts in zip(field, weeks, strict=True):
        total = counts.sum(axis=0)
        by_limit = [_of_limit(air, one, limit, ahead_h) for limit in air_data.LIMITS]
        interval = paired_interval(weeks[-1], counts) if one is not field[-1] else ("", "", "")
        pod = total[0] / max(total[0] + total[1], 1)
        yield (ahead_h, one.name, *(int(n) for n in total), pod, float(csi(total)), *by_limit, *interval)


def _of_limit(air, one, limit, ahead_h):
    mine = {key: value for key, value in air.events.items() if key[0] == limit}
    return float(csi(by_week(one.alarms, mine, air.scored, ahead_h).sum(axis=0)))


def reliability(air, one):
    """(forecast probability, observed share, number) in ten bins over all sites of the scored year, for the lowest limit of ours."""
    hours = np.arange(air.scored.start, air.scored.end - one.lead_h)
    chance = np.concatenate([chances[hours].ravel() for chances in one.chances.values()])
    later = air.mean24[hours + one.lead_h].ravel()
    happened = np.concatenate([np.where(np.isnan(later), np.nan, later >= limit) for limit in one.chances])
    known = ~np.isnan(chance) & ~np.isnan(happened)
    bins = np.minimum((chance[known] * 10).astype(int), 9)
    return [
        (float(chance[known][bins == k].mean()), float(happened[known][bins == k].mean()), int((bins == k).sum()))
        for k in range(10)
        if (bins == k).any()
    ]


def plot(path, table, curves):
    """CSI of everyone beside the reliability of our probabilities."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    names = list(dict.fromkeys(row[1] for row in table))
    for at, name in enumerate(names):
        heights = [row[6] for row in table if row[1] == name]
        left.bar(np.arange(len(heights)) + at * 0.12, heights, 0.11, label=name)
    left.set_xticks(np.arange(len(AHEAD_H)) + 0.36, [f"at least {ahead} h ahead" for ahead in AHEAD_H])
    left.set_ylabel("CSI, July 2014 to June 2015")
    left.legend(fontsize=8)
    for ahead_h, curve in curves.items():
        right.plot([p for p, _, _ in curve], [seen for _, seen, _ in curve], "o-", label=f"tuned for {ahead_h} h")
    right.plot([0, 1], [0, 1], "k:", linewidth=1)
    right.set_xlabel("forecast probability that the 24-hour mean exceeds")
    right.set_ylabel("share that did")
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def tell(field, ahead_h):
    """Print every setting tried, the chosen one marked."""
    for one in field:
        for tried in one.tried:
            mark = "*" if tried is one.chosen else " "
            triggers = " ".join(f"{limit:g}:{trigger:g}" for limit, trigger in tried.triggers.items())
            print(f"{mark} {ahead_h:2d} h {one.name:32s} {tried.setting:52s} training CSI {tried.csi:.3f}  triggers {triggers}")


def run(*, small):
    """(table, reliability by lead, fields by lead)."""
    air = air_data.load(3, 6000) if small else air_data.load()
    print(f"{len(air.sites)} sites; tuned on {air.tuned.end - air.tuned.start} hours, scored on {air.scored.end - air.scored.start}")
    print(f"a warning is valid for {VALID_H} h; events to score:", end=" ")
    first = {key: [one for one, _ in found if one >= air.scored.start] for key, found in air.events.items()}
    print({limit: sum(len(found) for key, found in first.items() if key[0] == limit) for limit in air_data.LIMITS})
    how = {"leads_h": (10, 15), "penalties": (1000.0,)} if small else {}
    kinds = ("wind",) if small else ("none", "wind", "all")
    fits = {
        "weather": list(air_contestants.fitted(air, network=False, weather="all", **how)),
        "network": [fit for weather in kinds for fit in air_contestants.fitted(air, network=True, weather=weather, **how)],
    }
    settings = {6: [(10, 0.35)], 12: [(15, 0.25)]} if small else air_recursive.SETTINGS
    context = air_recursive.around(air)
    ours = air_recursive.shipped(air, settings, context)
    print(air_recursive.FORM_TRIED)
    table, curves, fields = [], {}, {}
    for ahead_h in AHEAD_H:
        fields[ahead_h] = contestants(air, ahead_h, fits, ours[ahead_h], None if small else context)
        tell(fields[ahead_h], ahead_h)
        table += rows_of(air, fields[ahead_h], ahead_h)
        curves[ahead_h] = reliability(air, fields[ahead_h][-1])
    return table, curves, fields


def main(arguments=None):
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="three sites, the last year and a half, few settings: under a minute")
    parser.add_argument("--out", type=Path, default=Path("benchmark_results"), help="folder for the table and the plot")
    options = parser.parse_args(arguments)
    table, curves, _ = run(small=options.small)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "detection_air.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([f"{cell:.4f}" if isinstance(cell, float) else cell for cell in row] for row in table)
    plot(options.out / "detection_air.png", table, curves)
    print("\n" + "  ".join(COLUMNS))
    for row in table:
        print("  ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    for ahead_h, curve in curves.items():
        print(f"reliability, tuned for {ahead_h} h: " + ", ".join(f"{p:.2f}->{seen:.2f} ({n})" for p, seen, n in curve))
    print(f"written: {options.out / 'detection_air.csv'}, {options.out / 'detection_air.png'}")


if __name__ == "__main__":
    main()
