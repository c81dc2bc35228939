"""The plot of the Songhua benchmark: where the front was seen, and when each bulletin's forecast expected it further down."""

from __future__ import annotations

from datetime import datetime

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt

from tests.benchmarks.songhua_data import CST, bounds, fronts


def draw(told, file):
    """Distance against time: one colour a bulletin, a bar from P5 to P95 and a dot at P50; observed fronts as crosses, bounds as arrows."""
    figure, axes = plt.subplots(figsize=(10, 7))
    at = {one: datetime.fromtimestamp(one / 1000, CST) for item in told for one in (item.p5, item.p50, item.p95)}
    for number in sorted({one.detections for one in told}):
        of = [one for one in told if one.detections == number]
        shift = 4.0 * (number - 3)
        colour = f"C{number}"
        axes.hlines([one.km + shift for one in of], [at[one.p5] for one in of], [at[one.p95] for one in of], color=colour)
        axes.plot(
            [at[one.p50] for one in of],
            [one.km + shift for one in of],
            "o",
            color=colour,
            label=f"after {of[0].newest.section}'s detection",
        )
    seen = fronts()
    axes.plot(
        [datetime.fromtimestamp(one.at / 1000, CST) for one in seen], [one.km for one in seen], "kx", markersize=9, label="front observed"
    )
    for bound in bounds():
        for limit, mark in ((bound.after, ">"), (bound.before, "<")):
            if limit is not None:
                axes.plot([datetime.fromtimestamp(limit / 1000, CST)], [bound.km], mark, color="grey")
    axes.set(
        xlabel="2005, China Standard Time",
        ylabel="km below Sujiatun",
        title="Songhua 2005: P5 to P95 of the front as each bulletin would have it",
    )
    axes.invert_yaxis()
    axes.legend()
    figure.autofmt_xdate()
    figure.tight_layout()
    figure.savefig(file, dpi=100)
    plt.close(figure)
