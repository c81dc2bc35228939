"""How often a detector with given parameters alarms on a history: before an instant, and from it on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors.base import detector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from detectors.base import Samples

YEAR_MS = 365.2425 * 86_400_000.0
_Z = 1.959963984540054


class Interval(NamedTuple):
    """A 95 % interval."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Alarms (a level reached from none) of one detector. `p_values`: of all its samples, empty for a detector without."""

    alarms: int
    series_years: float
    p_values: NDArray[np.float64]

    @property
    def per_year(self) -> float:
        """Alarms per series-year; NaN without data."""
        return self.alarms / self.series_years if self.series_years > 0 else math.nan

    @property
    def interval(self) -> Interval:
        """95 % interval of `per_year`, alarms taken as Poisson."""
        low, high = poisson_interval(self.alarms)
        years = self.series_years if self.series_years > 0 else math.nan
        return Interval(low / years, high / years)


def poisson_interval(count: int) -> Interval:
    """95 % interval of the mean of a Poisson count, by Byar's approximation (Breslow and Day 1987, volume 2, equation 2.13).

    >>> [round(bound, 2) for bound in poisson_interval(10)]
    [4.79, 18.39]
    """
    low = count * (1.0 - 1.0 / (9.0 * count) - _Z / (3.0 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    return Interval(low, more * (1.0 - 1.0 / (9.0 * more) + _Z / (3.0 * math.sqrt(more))) ** 3)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A detector's samples of a history, ready to be played again and again; `rows` are places in its parameters."""

    name: str
    count: int
    samples: tuple[Samples, ...]

    def years(self, start_at: float, end_at: float) -> float:
        """Series-years observed with start_at <= observed_at < end_at: from each series' first sample in it to its last."""
        first, last = np.full(self.count, np.inf), np.full(self.count, -np.inf)
        for one in self.samples:
            if start_at <= one.observed_at[0] < end_at:
                first[one.rows] = np.minimum(first[one.rows], one.observed_at)
                last[one.rows] = one.observed_at
        return float(np.maximum(last - first, 0.0)[np.isfinite(first)].sum()) / YEAR_MS


def replayed(name: str, places: NDArray[np.intp], count: int, given: Sequence[Samples]) -> Replayed:
    """The samples of the series that the detector looks at: `places[row]` is the place in its parameters, -1 = not looked at."""
    own = []
    for one in given:
        mine = places[one.rows]
        chosen = np.flatnonzero(mine >= 0)
        if len(chosen):
            picked = one.pick(chosen)
            own.append(type(one)(mine[chosen], picked.observed_at, picked.value, picked.flag, picked.in_order))
    return Replayed(name, count, tuple(own))


def count(history: Replayed, parameters: NDArray[Any], split_at: int, *, to_the_end: bool) -> tuple[Counted, Counted]:
    """Play the history through the detector: what it did before `split_at` and, if wanted, from then on (state carried over)."""
    module = detector(history.name)
    state = module.initial(parameters)
    alarms, p_values = [0, 0], ([np.empty(0)], [np.empty(0)])
    for samples in history.samples:
        part = int(samples.observed_at[0] >= split_at)
        if part and not to_the_end:
            break
        before = state["level"][samples.rows] > 0
        found = module.step(parameters, state, samples)
        alarms[part] += int(((found.level > 0) & ~before).sum())
        if found.p_value is not None:
            p_values[part].append(found.p_value[~np.isnan(found.p_value)])
    years = (history.years(-math.inf, split_at), history.years(split_at, math.inf))
    learned, later = (Counted(alarms[k], years[k], np.concatenate(p_values[k])) for k in (0, 1))
    return learned, later
