"""The plot of the skill on real floods: CSI_1 of the contestants, and whether stated probabilities come true."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from tests.benchmarks.flood_data import csi, drawn


def plot(path, results, bins):
    """`results[return years][contestant]` outcomes; `bins[window]` (stated, came true, days)."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5))
    names = list(next(iter(results.values())))
    for number, (years, found) in enumerate(results.items()):
        low, high = np.quantile(drawn(list(found.values()), 2000, 1), [0.025, 0.975], axis=0)
        value = np.array([csi(one.total) for one in found.values()])
        spread = np.maximum([value - low, high - value], 0.0)
        left.errorbar(np.arange(len(names)) + 0.15 * number, value, spread, fmt="o", capsize=4, label=f"{years:g}-year events")
    left.set_xticks(range(len(names)), names, rotation=15)
    left.set_ylim(0, 1)
    left.set_ylabel("CSI_1, 1980-1989, 95 % over years")
    left.legend()
    right.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    for window, found in bins.items():
        right.plot([one[0] for one in found], [one[1] for one in found], marker="o", label=f"within {window} d")
    right.set_xlabel("stated probability")
    right.set_ylabel("share that came true")
    right.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
