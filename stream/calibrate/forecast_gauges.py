"""Which gauges of a region forecast which, brought onto regular steps; what was learned of them, and what it was worth later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.base import Quality
from stream.calibrate.forecasts import Gauges, Learned, Plan, highest, learn, stated, yearly
from stream.calibrate.lags import WAVE
from stream.region.forecasts import faults
from stream.region.river_network import network_of
from topology.network import downstream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.calibrate.history import History
    from stream.region.model import Hazard, Region
    from topology.network import Network

STEPS = (1, 2, 3, 5, 7, 10, 14, 24, 48, 72)
"""Windows that are tried, in steps, as far as warnings of the hazard are valid."""
YEARS_MIN = 10
"""Fewer years have too few floods to learn from, and blocks of years to be judged on."""
CHECKED_YEARS = 2.0


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was learned of one domain's gauges: `split` rows were learned from, the others only compared with."""

    gauges: Gauges
    split: int
    learned: Learned


def learn_forecasts(region: Region, measured: History, split_at: int) -> tuple[Foretold, ...]:
    """The forecasts of each domain's flood waves; domains with less than ten years before `split_at` (ms, the history's calendar) have none."""
    network = network_of(region)
    found = []
    for hazard in region.hazards if network is not None else ():
        if hazard.footprint != WAVE or network is None:
            continue
        for domain in sorted({int(region.series.domain[row]) for row in hazard.rows.tolist()}):
            rows = [
                row for row in hazard.rows.tolist() if region.series.domain[row] == domain and region.series.reach[row] in network.index
            ]
            gauges = gauges_of(region, rows, network, measured)
            if gauges is None:
                continue
            split = int(np.searchsorted(gauges.at, split_at))
            if split and (gauges.at[split - 1] - gauges.at[0]) / 86_400_000 < YEARS_MIN * 365:
                continue
            one = learn(gauges, split, Plan(windows=windows(hazard, gauges.step_s))) if split else None
            if one is not None and not faults(one.model, region.series.ids):
                found.append(Foretold(gauges, split, one))
    return tuple(found)


def windows(hazard: Hazard, step_s: float) -> tuple[int, ...]:
    """The windows of STEPS within which a warning is valid; the next step at least."""
    return tuple(step for step in STEPS if step == 1 or step * step_s <= hazard.rules.validity_s)


def gauges_of(region: Region, rows: list[int], network: Network, measured: History) -> Gauges | None:
    """The gauges of these rows that measure the same quantity at the same interval as most do; None if no two follow each other.

    Values of one step are averaged; what is not above 0, doubtful as failed, or absent is NaN.
    """
    table = region.series
    kinds = [(table.quantity[row], float(table.interval_s[row])) for row in rows]
    kind = max(sorted(set(kinds)), key=kinds.count, default=("", 0.0))
    rows = [row for row, one in zip(rows, kinds, strict=True) if one == kind]
    upstream = above(region, rows, network)
    mine = np.isin(measured.row, rows) & (measured.flag < Quality.FAIL) & (measured.value > 0.0)
    if not upstream or not mine.any():
        return None
    step_ms = int(kind[1] * 1000.0)
    step = measured.observed_at[mine] // step_ms
    first, count = int(step.min()), int(step.max() - step.min()) + 1
    place = np.searchsorted(rows, measured.row[mine])
    cell = (step - first) * len(rows) + place
    sums = np.bincount(cell, np.log(measured.value[mine]), count * len(rows))
    seen = np.bincount(cell, minlength=count * len(rows))
    log_value = np.where(seen > 0, sums / np.maximum(seen, 1), np.nan).reshape(count, len(rows))
    at = (first + np.arange(count, dtype=np.int64)) * step_ms
    return Gauges(tuple(table.ids[row] for row in rows), at, log_value, upstream, kind[1])


def above(region: Region, rows: list[int], network: Network) -> dict[str, tuple[int, ...]]:
    """By series with gauges above it: the places in `rows` of itself and of those."""
    table = region.series
    found: dict[int, set[int]] = {}
    for upper, row in enumerate(rows):
        passed = {network.reaches[one.reach]: one.entry_km for one in downstream(network, table.reach[row], float(table.reach_km[row]))}
        for lower, other in enumerate(rows):
            if lower != upper and float(table.reach_km[other]) >= passed.get(table.reach[other], np.inf):
                found.setdefault(lower, {lower}).add(upper)
    return {table.ids[rows[lower]]: tuple(sorted(places)) for lower, places in sorted(found.items())}


def lines(found: tuple[Foretold, ...]) -> Iterator[str]:
    """What the forecasts were worth on what came after the split: Brier scores of the level of every second year, against always its share."""
    for one in found:
        gauges, model = one.gauges, one.learned.model
        step_h = gauges.step_s / 3600.0
        yield f"forecasts of {len(model.targets)} gauges from {len(gauges.names)}, {one.split} steps of {step_h:g} h learned from"
        for number, window in enumerate(model.windows):
            said, came, usual = (np.concatenate(part) for part in zip(*_later(one, number, window), strict=True))
            if came.any():
                score, reference = float(((said - came) ** 2).mean()), float(((usual - came) ** 2).mean())
                yield (
                    f"  within {window * step_h:g} h: later Brier {score:.5f}, always the learned share {reference:.5f},"
                    f" skill {1.0 - score / reference:.2f}; stated {said.mean():.4f}, came true {came.mean():.4f} of {len(came)}"
                )


def _later(one: Foretold, number: int, window: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(stated, came true, learned share) of the later steps of each gauge on which its level is not reached."""
    gauges, split = one.gauges, one.split
    for target in one.learned.model.targets:
        own = gauges.log_value[:, gauges.names.index(target.series)]
        level = float(np.nanquantile(yearly(gauges.at[:split], own[:split, None]), 1.0 - 1.0 / CHECKED_YEARS))
        chance = stated(one.learned, target.series, np.exp([level]))[:, 0, number]
        ahead = highest(own, [window])[:, 0]
        asked = (own < level) & np.isfinite(ahead) & np.isfinite(chance)
        came = ahead >= level
        before, after = asked.copy(), asked.copy()
        before[max(split - window, 0) :] = False
        after[:split] = False
        usual = came[before].mean() if before.any() else 0.0
        yield chance[after], came[after].astype(np.float64), np.full(int(after.sum()), usual)
