"""Who competes on Beijing's air, and how each is tuned: every setting on the training part only, forecasts out of fold.

A contestant is a score by hour and site for each limit; it is in alarm where the score reaches its trigger. The trigger of each limit is the one
with the best CSI on the training part, for all alike. The ridge regressions are fitted three times without a third of the training
part (eight-week blocks in turn), and their settings and triggers are chosen on what they forecast for the third they did not see.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tests.benchmarks.air_data import LIMITS
from tests.benchmarks.air_ridge import exceedance, scaling, solve, spread_of, sums
from tests.benchmarks.air_scoring import by_week, csi

LEADS_H = (8, 10, 12, 15, 18)
PENALTIES = (100.0, 1000.0)
FOLDS, BLOCK_H = 3, 8 * 168
RATIOS = tuple(np.round(np.arange(0.6, 1.45, 0.05), 2).tolist())
CHANCES = tuple(np.round(np.arange(0.1, 0.75, 0.05), 2).tolist())


@dataclass(frozen=True)
class Tried:
    """One setting and the CSI it reached on the training part."""

    setting: str
    csi: float
    triggers: dict


@dataclass(frozen=True)
class Contestant:
    """A tuned contestant: `alarms` by (limit, site), what was tried, and for ours `chances` by limit, (hours, sites)."""

    name: str
    chosen: Tried
    tried: tuple[Tried, ...]
    alarms: dict = field(repr=False)
    chances: dict | None = field(default=None, repr=False)
    lead_h: int = 0


def alarms_of(scores, triggers):
    """Where each limit's score (hours, sites) reaches its trigger, by (limit, site)."""
    return {(limit, site): score[:, site] >= triggers[limit] for limit, score in scores.items() for site in range(score.shape[1])}


def best_triggers(air, setting, scores, grid, ahead_h):
    """The trigger of each limit with the best CSI on the training part, and the CSI of all limits together."""
    total, triggers = np.zeros(3), {}
    for limit in LIMITS:
        mine = {key: value for key, value in air.events.items() if key[0] == limit}
        counts = [by_week(alarms_of({limit: scores[limit]}, {limit: one}), mine, air.tuned, ahead_h).sum(axis=0) for one in grid]
        best = int(np.argmax([csi(one) for one in counts]))
        triggers[limit] = grid[best]
        total += counts[best]
    return Tried(setting, float(csi(total)), triggers)


def simple(air, name, concentration, ahead_h):
    """A contestant that compares a concentration with a share of the limit."""
    scores = {limit: concentration / limit for limit in LIMITS}
    chosen = best_triggers(air, "ratio to the limit", scores, RATIOS, ahead_h)
    return Contestant(name, chosen, (chosen,), alarms_of(scores, chosen.triggers))


@dataclass(frozen=True)
class Fitted:
    """Forecasts (hours, sites) of one setting: out of fold for the training part, from all of it afterwards; and the error's spread."""

    setting: str
    lead_h: int
    forecast: np.ndarray = field(repr=False)
    spread: tuple


def fitted(air, *, network, weather, leads_h=LEADS_H, penalties=PENALTIES):
    """Every setting of one set of columns: one pass for the sums, then each lead and penalty is a small system of equations."""
    raws = [air.raw(site, network=network, weather=weather) for site in range(len(air.sites))]
    tuned = np.arange(air.tuned.start, air.tuned.end)
    scale = scaling(np.concatenate([raw[tuned] for raw in raws]))
    designs = [scale.design(raw) for raw in raws]
    fold = (tuned // BLOCK_H) % FOLDS
    targets = [_later(air.mean24[:, site], leads_h, air.tuned.end) for site in range(len(raws))]
    parts = [
        _total(sums(design[tuned[fold == k]], y[tuned[fold == k]]) for design, y in zip(designs, targets, strict=True))
        for k in range(FOLDS)
    ]
    everything = _total(parts)
    for penalty in penalties:
        forecast = np.stack([np.maximum(design @ solve(everything, penalty), 0.0) for design in designs], axis=1)
        for k in range(FOLDS):
            without = solve(everything - parts[k], penalty)
            rows = tuned[fold == k]
            forecast[rows] = np.stack([np.maximum(design[rows] @ without, 0.0) for design in designs], axis=1)
        for number, lead_h in enumerate(leads_h):
            one = forecast[:, :, number]
            seen = np.column_stack([y[:, number] for y in targets])
            setting = f"weather={weather} network={'yes' if network else 'no'} lead_h={lead_h} penalty={penalty:g}"
            yield Fitted(setting, lead_h, one, spread_of(one[tuned].ravel(), seen[tuned].ravel()))


def _later(mean24, leads_h, end):
    """The 24-hour mean each lead later, (hours, leads); nothing from `end` on is looked at."""
    known = np.where(np.arange(len(mean24)) < end, mean24, np.nan)
    return np.column_stack([np.concatenate([known[lead:], np.full(lead, np.nan)]) for lead in leads_h])


def _total(parts):
    parts = list(parts)
    total = parts[0]
    for one in parts[1:]:
        total += one
    return total


def ridge(air, name, fits, ahead_h):
    """A ridge regression: its forecast against a share of the limit."""
    scored = []
    for fit in fits:
        scores = {limit: fit.forecast / limit for limit in LIMITS}
        scored.append((best_triggers(air, fit.setting, scores, RATIOS, ahead_h), scores))
    chosen, scores = max(scored, key=lambda one: one[0].csi)
    return Contestant(name, chosen, tuple(one for one, _ in scored), alarms_of(scores, chosen.triggers))


def ridge_chance(air, name, fits, ahead_h):
    """A ridge regression: the probability that the 24-hour mean exceeds the limit."""
    scored = []
    for fit in fits:
        scores = {limit: exceedance(fit.forecast, fit.spread, limit) for limit in LIMITS}
        scored.append((best_triggers(air, fit.setting, scores, CHANCES, ahead_h), scores))
    chosen, scores = max(scored, key=lambda one: one[0].csi)
    return Contestant(name, chosen, tuple(one for one, _ in scored), alarms_of(scores, chosen.triggers))
