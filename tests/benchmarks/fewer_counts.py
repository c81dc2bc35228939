"""Case counts of twenty counties on a grid: warnings of single series beside those of the space-time scan, at the same share of outbreaks found.

After the comparison of the temporal and the space-time model of China's CIDARS (pubmed 21569721): how many signals each needs for the same
sensitivity. Counts are negative binomial around a level, a season and chance; outbreaks begin in a county and take in 0 to 3 of its neighbours,
some smaller than a single county could tell from chance. Baselines are those that the product's own detector learned, for all methods.

Two questions: is every county of an outbreak warned (what the neighbour asks), or any of them (what a centre asks)? Fusion is for the first.
Tried on seeds from 10001 on: chance that a neighbour has it, too, 0.05, 0.1, 0.2 *, 0.3, 0.5 (false warnings saved at 80 % of counties 35, 42, 43,
43, 40 %); a county's evidence as -ln p * or as its log likelihood ratio (29 % at 0.2). * taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.base import Samples, detector
from stream.decide.space_time import scan, zones_of
from tests.benchmarks.count_runs import SIMULATED_WEEK_MS, parameters

ACROSS, DOWN = 5, 4
PLACES = ACROSS * DOWN
LEARNED, SCORED, LASTS = 260, 104, 4
OUTBREAKS, MOST_AROUND, PHI = 6, 3, 1.5
ZONE_MOST, WINDOW = 5, 3
CORROBORATED_BY = 1.0
SPREADS = 0.2
SINGLE, METHODS = "single county", ("single county", "2 of n", "log-odds with neighbours", "space-time scan")
COUNTY, OUTBREAK = "every county of an outbreak", "any county of an outbreak"


@dataclass(frozen=True)
class Run:
    """`scores` by method (weeks, places): -log10 of what a warning asks for; `outbreaks`: (places, first week, week after the last)."""

    scores: dict[str, np.ndarray]
    outbreaks: list[tuple[list[int], int, int]]


def distances():
    across, down = np.arange(PLACES) % ACROSS, np.arange(PLACES) // ACROSS
    return (np.abs(across[:, None] - across) + np.abs(down[:, None] - down)).astype(float)


def simulate(seed):
    """(counts (weeks, places), outbreaks as places, first week, week after the last; weeks counted from the scored ones)."""
    chance = np.random.default_rng(seed)
    weeks = np.arange(LEARNED + SCORED)
    level = chance.lognormal(1.6, 0.5, PLACES)
    mean = level * np.exp(0.4 * np.cos(2 * np.pi * weeks[:, None] / 52 + chance.uniform(0, 6.28)))
    size = mean / (PHI - 1)
    counts = chance.negative_binomial(size, 1 / PHI).astype(float)
    distance, found = distances(), []
    for start in LEARNED + np.sort(chance.choice(SCORED // 8, OUTBREAKS, replace=False)) * 8 + chance.integers(0, 8 - LASTS, OUTBREAKS):
        first = int(chance.integers(PLACES))
        around = chance.permutation(np.flatnonzero(distance[first] == 1))[: chance.integers(0, MOST_AROUND + 1)]
        places = [first, *around.tolist()]
        for place in places:
            expected = chance.uniform(1.0, 2.5) * np.sqrt(PHI * mean[start, place])
            counts[start : start + LASTS, place] += chance.poisson(expected, LASTS)
        found.append((places, int(start) - LEARNED, int(start) - LEARNED + LASTS))
    return counts, found


def play(seed):
    """One run through the detector, the k of n rule and the scan."""
    counts, outbreaks = simulate(seed)
    module = detector("negative_binomial")
    given = parameters(module, PLACES, period_s=SIMULATED_WEEK_MS / 1000.0)
    state = module.initial(given)
    rows, flag, in_order = np.arange(PLACES, dtype=np.intp), np.ones(PLACES, np.uint8), np.ones(PLACES, np.bool_)
    mean, phi, p_value, log_lr = (np.full(counts.shape, np.nan) for _ in range(4))
    for week, row in enumerate(counts):
        at = np.full(PLACES, (week + 1) * SIMULATED_WEEK_MS)
        found = module.step(given, state, Samples(rows, at, row, flag, in_order))
        mean[week], phi[week], p_value[week], log_lr[week] = state["expected"], state["phi"], found.p_value, found.log_lr
    own = -np.log10(np.clip(np.where(np.isnan(p_value), 1.0, p_value), 1e-300, 1.0))[LEARNED:]
    near = distances() == 1
    beside = np.array([[own[week][near[place]].max() for place in range(PLACES)] for week in range(SCORED)])
    scanned, zones = np.zeros((SCORED, PLACES)), zones_of(distances(), ZONE_MOST)
    for week in range(SCORED):
        past = slice(LEARNED + week - WINDOW + 1, LEARNED + week + 1)
        cluster = scan(counts[past], mean[past], phi[LEARNED + week], zones)
        scanned[week, list(zones[cluster.zone])] = -np.log10(max(cluster.p_value, 1e-300))
    ratio = np.where(np.isnan(log_lr), 0.0, log_lr)[LEARNED:]
    fused = own * np.log(10) + np.log(1 - SPREADS + SPREADS * np.exp(np.minimum(ratio, 50))) @ near
    return Run(dict(zip(METHODS, (own, np.minimum(own, beside + CORROBORATED_BY), fused, scanned), strict=True)), outbreaks)


def units(run, question):
    """What is to be found: (places, first week, week after the last)."""
    if question == OUTBREAK:
        return run.outbreaks
    return [([place], start, end) for places, start, end in run.outbreaks for place in places]


def at_detection(runs, method, question, share):
    """(warnings, false warnings, quiet county-weeks, mean weeks until found) at the threshold that finds this share."""
    best = np.sort([run.scores[method][start:end, places].max() for run in runs for places, start, end in units(run, question)])[::-1]
    threshold = best[max(round(share * len(best)), 1) - 1]
    warned = false = quiet = 0
    delays = []
    for run in runs:
        alarm, beside = run.scores[method] >= threshold, np.ones((SCORED, PLACES), bool)
        for places, start, end in units(run, question):
            beside[start : end + WINDOW - 1, places] = False  # a window still holds the outbreak for some weeks
            hit = np.flatnonzero(alarm[start:end, places].any(axis=1))
            delays += [int(hit[0])] if len(hit) else []
        warned, false, quiet = warned + int(alarm.sum()), false + int((alarm & beside).sum()), quiet + int(beside.sum())
    return warned, false, quiet, float(np.mean(delays))


def compare(seeds, shares, draws, lines):
    """The tables; returns by question, share and method the part of a single county's false warnings that is saved."""
    runs = [play(seed) for seed in seeds]
    count = sum(len(run.outbreaks) for run in runs)
    lines += [
        f"## Counts: {len(runs)} runs of {PLACES} counties and {SCORED} weeks, {count} outbreaks, {len(units_of(runs))} counties in them",
        "",
    ]
    chance, saved = np.random.default_rng(7), {}
    draw = [[runs[at] for at in chance.integers(0, len(runs), len(runs))] for _ in range(draws)]
    for question in (COUNTY, OUTBREAK):
        lines += [f"To be found: {question}", ""]
        lines += ["| found | method | warnings | false | fewer false (95 %, runs drawn again) | false of quiet weeks | weeks until found |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for share in shares:
            single = at_detection(runs, SINGLE, question, share)
            again = [at_detection(some, SINGLE, question, share)[1] for some in draw]
            for method in METHODS:
                warned, false, quiet, delay = at_detection(runs, method, question, share)
                fewer = saved[question, share, method] = 1 - false / max(single[1], 1)
                others = [at_detection(some, method, question, share)[1] for some in draw]
                low, high = np.quantile([1 - one / max(base, 1) for one, base in zip(others, again, strict=True)], [0.025, 0.975])
                interval = f"{fewer:.0%} ({low:.0%} to {high:.0%})"
                lines.append(f"| {share:.0%} | {method} | {warned} | {false} | {interval} | {false / quiet:.2%} | {delay:.2f} |")
        lines.append("")
    return saved


def units_of(runs):
    """Every county of every outbreak."""
    return [one for run in runs for one in units(run, COUNTY)]
