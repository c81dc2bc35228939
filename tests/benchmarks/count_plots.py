"""The two plots of the count benchmarks: detection against false positives, and whether p-values mean what they say."""

from __future__ import annotations

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt


def detection(curves, published, file):
    """Probability of detection against false-positive rate a week; published results as points."""
    figure, axes = plt.subplots(figsize=(8, 6))
    for name, (rates, detected) in curves.items():
        axes.plot(rates, detected, label=name, linewidth=2.5 if name == "tocsin" else 1.2)
    for name, (rate, value) in published.items():
        axes.plot([rate], [value], "o", label=name)
    axes.set(xscale="log", xlabel="false-positive rate a week", ylabel="probability of detection", title="28 simulated scenarios")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    save(figure, file)


def reliability(p_values, file):
    """Share of quiet weeks with a p-value at or below each level; on the diagonal it is what it says."""
    figure, axes = plt.subplots(figsize=(8, 6))
    levels = np.geomspace(1e-4, 1.0, 80)
    for name, values in p_values.items():
        below = np.searchsorted(np.sort(values), levels, side="right") / len(values)
        axes.plot(levels, np.maximum(below, 1e-6), label=name, linewidth=1.2)
    axes.plot(levels, levels, "k--", label="exact")
    axes.set(
        xscale="log", yscale="log", ylim=(1e-5, 1), xlabel="p-value said", ylabel="share of quiet weeks", title="Reliability of p-values"
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend(fontsize=8)
    save(figure, file)


def save(figure, file):
    figure.tight_layout()
    figure.savefig(file)
    plt.close(figure)
