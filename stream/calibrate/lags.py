"""Travel times of waves between neighbouring gauges, and how crests above and below go together, learned from history.

Only what was observed before the split is learned from; what came later is only compared with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.base import Quality
from stream.calibrate.crests import FASTEST_M_PER_S, Matched, crests, match
from stream.region.river_network import network_of
from topology.arrival import Z90, log_normal_hours
from topology.base import Lag, footprint
from topology.network import downstream
from topology.river_learning import Forecast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from stream.calibrate.crests import Crests
    from stream.calibrate.history import History
    from stream.region.model import Hazard, Region
    from topology.network import Network

WAVE = "river_wave"
ABOVE_QUANTILE, BELOW_QUANTILE = 0.95, 0.90
"""A crest above is one of the highest twentieth of its series' values, the one below may be lower: other rivers add to it, or do not."""
EVENTS_MIN = 20
MATCHED_MIN = 0.5
"""Where most crests above have none below, the river below follows another one: nothing is learned."""
NOMINAL = 0.8
SPREADS = np.arange(0.05, 1.501, 0.05)
STEP_SHARE = 0.1
"""Times of crests between two values are good to a tenth of the step: no learned window is narrower on the late side."""


@dataclass(frozen=True, slots=True)
class Later:
    """How the lag did on crests that were not learned from: how many, median error (h), and the share inside the P10-P90 window."""

    events: int
    error_h: float
    inside: float


@dataclass(frozen=True, slots=True)
class LearnedLag:
    """One pair of gauges: what was learned, of how many crests above, over how many km, and what it was worth later."""

    lag: Lag
    crests: int
    length_km: float
    later: Later


@dataclass(frozen=True, slots=True)
class _Pair:
    upper: int
    lower: int
    length_km: float


def learn_lags(region: Region, measured: History, split_at: int) -> tuple[LearnedLag, ...]:
    """The lags of all neighbouring gauges of a region's flood waves, by their series; `split_at` (ms) on the history's own calendar."""
    network = network_of(region)
    found: dict[tuple[str, str], LearnedLag] = {}
    for hazard in region.hazards if network is not None else ():
        if hazard.footprint != WAVE or network is None:
            continue
        floor_h = hazard.footprint_parameters.get("floor_h", footprint(WAVE).PARAMETERS["floor_h"])
        seen: dict[int, Crests] = {}
        for pair in neighbours(region, hazard, network):
            matched, above = _matched(measured, pair, split_at, seen)
            one = _learned(region, pair, matched, split_at, floor_h) if above else None
            if one is not None and one[0].events >= MATCHED_MIN * above:
                found[one[0].upstream_series, one[0].downstream_series] = LearnedLag(one[0], above, pair.length_km, one[1])
    return tuple(found[key] for key in sorted(found))


def neighbours(region: Region, hazard: Hazard, network: Network) -> Iterator[_Pair]:
    """Every series of the hazard on the river with the next one below it that measures the same, by the shortest way."""
    table = region.series
    rows = [row for row in hazard.rows.tolist() if table.reach[row] in network.index]
    on: dict[str, list[int]] = {}
    for row in rows:
        on.setdefault(table.reach[row], []).append(row)
    for upper in rows:
        best: tuple[float, int] | None = None
        for passed in downstream(network, table.reach[upper], float(table.reach_km[upper])):
            for lower in on.get(network.reaches[passed.reach], ()):
                away_km = passed.distance_km + float(table.reach_km[lower]) - passed.entry_km
                if away_km > 0.0 and table.reach_km[lower] >= passed.entry_km and table.quantity[lower] == table.quantity[upper]:
                    best = min(best, (away_km, lower)) if best else (away_km, lower)
        if best is not None:
            yield _Pair(upper, best[1], best[0])


def _matched(measured: History, pair: _Pair, split_at: int, seen: dict[int, Crests]) -> tuple[Matched, int]:
    """The crests of a pair, and how many there were above before the split. `seen` keeps what was found for the upper and lower side."""
    sides = []
    for row, quantile in ((pair.upper, ABOVE_QUANTILE), (pair.lower, BELOW_QUANTILE)):
        key = row if quantile == ABOVE_QUANTILE else -1 - row
        if key not in seen:
            mine = (measured.row == row) & (measured.flag < Quality.FAIL) & np.isfinite(measured.value)
            at, value = measured.observed_at[mine], measured.value[mine]
            learned = value[at < split_at]
            seen[key] = crests(at, value, float(np.quantile(learned, quantile)) if len(learned) else math.inf)
        sides.append(seen[key])
    return match(sides[0], sides[1], pair.length_km), int((sides[0].at < split_at).sum())


def _learned(region: Region, pair: _Pair, matched: Matched, split_at: int, floor_h: float) -> tuple[Lag, Later] | None:
    table, before = region.series, matched.at < split_at
    events = int(before.sum())
    if events < EVENTS_MIN:
        return None
    lags = matched.lag_h[before]
    lag_h = max(float(np.median(lags)), pair.length_km / 3.6 / FASTEST_M_PER_S)
    log_sd = max(spread(lags, lag_h), math.log1p(STEP_SHARE * max(table.interval_s[[pair.upper, pair.lower]]) / 3600.0 / lag_h) / Z90)
    intercept, slope, residual_sd = map(_short, regression(matched.above[before], matched.below[before]))
    lag = Lag(
        (table.reach[pair.upper], float(table.reach_km[pair.upper])),
        (table.reach[pair.lower], float(table.reach_km[pair.lower])),
        _short(lag_h),
        _short(min(log_sd, float(SPREADS[-1]))),
        events,
        table.ids[pair.upper],
        table.ids[pair.lower],
        intercept,
        slope,
        residual_sd,
    )
    return lag, _later(lag, matched.lag_h[~before], floor_h)


def spread(lags: NDArray[np.float64], lag_h: float) -> float:
    """The smallest standard deviation of the log for which the P10-P90 window around `lag_h` holds 80 % of these lags; at most 1.5.

    >>> round(spread(np.exp(np.linspace(-1, 1, 101) * 1.6), 1.0), 2)
    1.0
    """
    for one in SPREADS.tolist():
        low, _, high = log_normal_hours(lag_h, one)
        if ((lags >= low) & (lags <= high)).mean() >= NOMINAL:
            return float(one)
    return float(SPREADS[-1])


def regression(above: NDArray[np.float64], below: NDArray[np.float64]) -> tuple[float, float, float]:
    """Intercept, slope and residual standard deviation of ln(crest below) on ln(crest above), by least squares.

    NaN where a value has no logarithm, or all crests above are equal.
    """
    if above.min() <= 0.0 or below.min() <= 0.0 or above.min() == above.max():
        return math.nan, math.nan, math.nan
    x, y = np.log(above), np.log(below)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    intercept = float(y.mean() - slope * x.mean())
    residual = y - intercept - slope * x
    return intercept, slope, float(np.sqrt((residual**2).sum() / (len(x) - 2)))


def _later(lag: Lag, lags: NDArray[np.float64], floor_h: float) -> Later:
    if not len(lags):
        return Later(0, math.nan, math.nan)
    window = Forecast(lag.lag_h, lag.log_sd, floor_h / Z90)  # as the footprint makes it
    low, middle, high = (window.hours(quantile) for quantile in (0.1, 0.5, 0.9))
    return Later(len(lags), float(np.median(np.abs(lags - middle))), float(((lags >= low) & (lags <= high)).mean()))


def lags_csv(found: Sequence[LearnedLag]) -> bytes:
    """`lags.csv` of a region; the crests that could not be learned are left empty."""
    lines = ["upstream,downstream,lag_h,log_sd,events,intercept,slope,residual_sd"]
    for one in found:
        lag = one.lag
        learned = ("" if math.isnan(value) else f"{value:g}" for value in (lag.intercept, lag.slope, lag.residual_sd))
        lines.append(f"{lag.upstream_series},{lag.downstream_series},{lag.lag_h:g},{lag.log_sd:g},{lag.events},{','.join(learned)}")
    return ("\n".join(lines) + "\n").encode()


def lines(found: Sequence[LearnedLag]) -> Iterator[str]:
    """What was learned and how it did later, as lines of text, the pairs pooled at the end."""
    if not found:
        return
    yield f"travel times between gauges (median and P10-P90; nominal {NOMINAL:.0%} inside)"
    for one in found:
        low, middle, high = log_normal_hours(one.lag.lag_h, one.lag.log_sd)
        yield (
            f"  {one.lag.upstream_series} to {one.lag.downstream_series}: {one.length_km:.1f} km, {middle:.1f} h [{low:.1f}, {high:.1f}]"
            f" from {one.lag.events} of {one.crests} crests{_said(one.later)}"
        )
    later = [one.later for one in found if one.later.events]
    if later:
        count = sum(one.events for one in later)
        yield f"  together: {sum(one.inside * one.events for one in later) / count:.1%} of {count} later crests inside"


def _said(later: Later) -> str:
    if not later.events:
        return "; none later"
    return f"; later {later.events} crests, median error {later.error_h:.1f} h, {later.inside:.0%} inside"


def _short(value: float) -> float:
    """Four digits: more than any of these numbers is good to."""
    return float(f"{value:.4g}")
