"""What history taught about the ways between gauges: how long a wave takes from one to the next, and how high a crest becomes below.

A learned stretch replaces the guess of a celerity; a chain of regressions says what to expect at a city's own gauge. Rows come from
`lags.csv`, which `tocsin calibrate` writes. The clock is that of a wave: it must not be used for what the water carries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from topology.arrival import Z90
from topology.base import Expected, Fault, TopologyError
from topology.network import downstream, path_to, position_fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from topology.base import Lag
    from topology.network import Network

LAGS_FILE = "lags.csv"


@dataclass(frozen=True, slots=True)
class LearnedClock:
    """Of each reach: hours per km of the wave and the spread (standard deviation of the log) of the stretch it lies on; NaN = not learned."""

    hours_per_km: NDArray[np.float64]
    log_sd: NDArray[np.float64]


def learned_clock(network: Network, lags: Sequence[Lag]) -> LearnedClock:
    """The clock that the lags teach. Raises `TopologyError` with every lag whose second gauge does not lie below its first.

    A reach takes the pace of the stretches that run over it, by their kilometres on it and their events; where a gauge stands inside a
    reach the rest of that reach is taken to run at the same pace. `log_sd` is that of a whole stretch, not of one reach of it.
    """
    count = len(network.reaches)
    weights, hours, spread = np.zeros(count), np.zeros(count), np.zeros(count)
    faults: list[Fault] = []
    for lag in lags:
        way = stretch(network, lag)
        if isinstance(way, Fault):
            faults.append(way)
            continue
        length_km = sum(km for _, km in way)
        for reach, km in way:
            weight = km * max(lag.events, 1)
            weights[reach] += weight
            hours[reach] += weight * lag.lag_h / length_km
            spread[reach] += weight * lag.log_sd
    if faults:
        raise TopologyError(tuple(faults))
    known = weights > 0.0
    return LearnedClock(
        np.where(known, hours / np.where(known, weights, 1.0), np.nan), np.where(known, spread / np.where(known, weights, 1.0), np.nan)
    )


def stretch(network: Network, lag: Lag) -> tuple[tuple[int, float], ...] | Fault:
    """The reaches between the two gauges of a lag with the kilometres on each, from above; a `Fault` if the second is not below the first."""
    for reach, km in (lag.upstream, lag.downstream):
        fault = position_fault(network, reach, km, LAGS_FILE, lag.line)
        if fault is not None:
            return fault
    (first, first_km), (last, last_km) = lag.upstream, lag.downstream
    walk = downstream(network, first, first_km)
    at = next((position for position, below in enumerate(walk) if below.reach == network.index[last]), None)
    if at is None or last_km < walk[at].entry_km or walk[at].distance_km + last_km - walk[at].entry_km <= 0.0:
        who = lag.downstream_series or last
        return Fault(
            LAGS_FILE, lag.line, "downstream", f"{who} does not lie below {lag.upstream_series or first}", "swap them or remove the row"
        )
    ways = [(network.index[reach], network.length_km[network.index[reach]]) for reach in path_to(network, walk, at)]
    start = {network.index[first]: first_km}
    ends = {network.index[last]: last_km}
    pieces = ((reach, ends.get(reach, length_km) - start.get(reach, 0.0)) for reach, length_km in ways)
    return tuple((reach, float(km)) for reach, km in pieces if km > 0.0)


def regressions(lags: Iterable[Lag]) -> dict[str, tuple[Lag, ...]]:
    """The lags whose crests were learned, by the series above."""
    found: dict[str, tuple[Lag, ...]] = {}
    for lag in lags:
        if lag.upstream_series and lag.downstream_series and not math.isnan(lag.intercept + lag.slope + lag.residual_sd):
            found[lag.upstream_series] = (*found.get(lag.upstream_series, ()), lag)
    return found


def expected_crest(below: Mapping[str, Sequence[Lag]], series: str, value: float, wanted: Collection[str]) -> Expected | None:
    """The crest to expect at the first of the `wanted` series down the chain of regressions from `series`, where it is `value`.

    None where no chain leads to any of them, or for a value that has no logarithm. The spreads of the chain's steps add up as independent
    errors of the logarithm, each carried on by the slopes below it.

    >>> from topology.base import Lag
    >>> one = Lag(("a", 0.0), ("b", 0.0), 5.0, 0.3, 40, "a/discharge", "b/discharge", 0.0, 1.0, 0.1)
    >>> found = expected_crest(regressions([one]), "a/discharge", 100.0, {"b/discharge"})
    >>> found.series, round(found.p10, 1), round(found.p50, 1), round(found.p90, 1)
    ('b/discharge', 88.0, 100.0, 113.7)
    """
    if not value > 0.0 or not math.isfinite(value):
        return None
    waiting = [(series, math.log(value), 0.0)]
    seen = {series}
    while waiting:
        here, mean, variance = waiting.pop(0)
        for lag in below.get(here, ()):
            there = lag.downstream_series
            if there in seen:
                continue
            seen.add(there)
            following = (there, lag.intercept + lag.slope * mean, lag.slope**2 * variance + lag.residual_sd**2)
            if there in wanted:
                _, middle, spread = following
                wide = Z90 * math.sqrt(spread)
                return Expected(there, math.exp(middle - wide), math.exp(middle), math.exp(middle + wide))
            waiting.append(following)
    return None


def chance_above(expected: Expected, limit: float) -> float:
    """Probability (0..1) that the expected value reaches `limit` (log-normal through its percentiles).

    >>> round(chance_above(Expected("s", 50.0, 100.0, 200.0), 100.0), 3), round(chance_above(Expected("s", 50.0, 100.0, 200.0), 200.0), 3)
    (0.5, 0.1)
    """
    if limit <= 0.0:
        return 1.0
    spread = math.log(expected.p90 / expected.p10) / (2.0 * Z90)
    away = math.log(limit / expected.p50)
    if spread <= 0.0:
        return 1.0 if away <= 0.0 else 0.0
    return 0.5 * math.erfc(away / spread / math.sqrt(2.0))
