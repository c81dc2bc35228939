"""How often a detector with given parameters alarms on a history, falsely or rightly: before an instant, and from it on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors.base import detector
from stream.calibrate import events

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
    """False alarms (a level reached from none, no event beside it) of one detector, and right ones.

    `yearly`: the false ones of each calendar year, all series together. `series_years`: without those in which a series was still learning.
    `p_values`: of all its samples, empty for a detector without.
    """

    alarms: int
    right: int
    yearly: tuple[int, ...]
    series_years: float
    p_values: NDArray[np.float64]

    @property
    def per_year(self) -> float:
        """False alarms per series-year; NaN without data."""
        return self.alarms / self.series_years if self.series_years > 0 else math.nan

    @property
    def interval(self) -> Interval:
        """95 % interval of `per_year`, alarms taken as Poisson."""
        return self._interval(1.0)

    @property
    def shared_interval(self) -> Interval:
        """The same as years vary (quasi-Poisson): series of one network alarm together, in some years more than in others."""
        mean = float(np.mean(self.yearly)) if self.yearly else 0.0
        return self._interval(max(1.0, float(np.var(self.yearly, ddof=1)) / mean) if mean > 0.0 and len(self.yearly) > 1 else 1.0)

    def _interval(self, dispersion: float) -> Interval:
        low, high = poisson_interval(self.alarms / dispersion)
        years = self.series_years if self.series_years > 0 else math.nan
        return Interval(dispersion * low / years, dispersion * high / years)


def poisson_interval(count: float) -> Interval:
    """95 % interval of the mean of a Poisson count, by Byar's approximation (Breslow and Day 1987, volume 2, equation 2.13).

    >>> [round(bound, 2) for bound in poisson_interval(10)]
    [4.79, 18.39]
    """
    low = count * (1.0 - 1.0 / (9.0 * count) - _Z / (3.0 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    return Interval(max(low, 0.0), more * (1.0 - 1.0 / (9.0 * more) + _Z / (3.0 * math.sqrt(more))) ** 3)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A detector's samples of a history, ready to be played again and again; `rows` are places in its parameters.

    `events`: the instants (ms) of each series' true events, by place; empty: none are known, every alarm counts as false.
    """

    name: str
    count: int
    samples: tuple[Samples, ...]
    events: tuple[NDArray[np.int64], ...] = ()

    def years(self, start_at: float, end_at: float) -> float:
        """Series-years observed with start_at <= observed_at < end_at: from each series' first sample in it to its last."""
        first, last = np.full(self.count, np.inf), np.full(self.count, -np.inf)
        for one in self.samples:
            if start_at <= one.observed_at[0] < end_at:
                first[one.rows] = np.minimum(first[one.rows], one.observed_at)
                last[one.rows] = one.observed_at
        return float(np.maximum(last - first, 0.0)[np.isfinite(first)].sum()) / YEAR_MS


def replayed(
    name: str, places: NDArray[np.intp], count: int, given: Sequence[Samples], happened: Sequence[NDArray[np.int64]] = ()
) -> Replayed:
    """The samples of the series that the detector looks at: `places[row]` is the place in its parameters, -1 = not looked at.

    `happened`: the instants of true events, by row.
    """
    own = []
    for one in given:
        mine = places[one.rows]
        chosen = np.flatnonzero(mine >= 0)
        if len(chosen):
            picked = one.pick(chosen)
            own.append(type(one)(mine[chosen], picked.observed_at, picked.value, picked.flag, picked.in_order))
    rows = np.flatnonzero(places >= 0)
    of_place = dict(zip(places[rows].tolist(), rows.tolist(), strict=True))
    return Replayed(name, count, tuple(own), tuple(happened[of_place[place]] for place in range(count)) if happened else ())


def count(history: Replayed, parameters: NDArray[Any], split_at: int, *, to_the_end: bool) -> tuple[Counted, Counted]:
    """Play the history through the detector: what it did before `split_at` and, if wanted, from then on (state carried over)."""
    module = detector(history.name)
    state = module.initial(parameters)
    alarms: tuple[list[tuple[int, bool]], ...] = ([], [])
    p_values = ([np.empty(0)], [np.empty(0)])
    first, last = np.full((2, history.count), np.inf), np.full((2, history.count), -np.inf)
    for samples in history.samples:
        part = int(samples.observed_at[0] >= split_at)
        if part and not to_the_end:
            break
        before = state["level"][samples.rows] > 0
        found = module.step(parameters, state, samples)
        for place in samples.rows[(found.level > 0) & ~before].tolist():
            at = int(samples.observed_at[0])
            known_before = math.inf if part else split_at
            alarms[part].append((at, bool(history.events) and events.right(history.events[place], at, known_before)))
        told = samples.rows
        if found.p_value is not None:  # a series that is still learning cannot alarm
            known = ~np.isnan(found.p_value)
            told = told[known]
            p_values[part].append(found.p_value[known])
        first[part, told] = np.minimum(first[part, told], samples.observed_at[0])
        last[part, told] = samples.observed_at[0]
    years = [float(np.maximum(last[k] - first[k], 0.0)[np.isfinite(first[k])].sum()) / YEAR_MS for k in (0, 1)]
    learned, later = (_counted(alarms[k], history, (k, split_at), years[k], np.concatenate(p_values[k])) for k in (0, 1))
    return learned, later


def _counted(
    alarms: Sequence[tuple[int, bool]], history: Replayed, part: tuple[int, int], years: float, p_values: NDArray[np.float64]
) -> Counted:
    """`alarms`: instant, and whether it was right; `part`: 0 before the instant, 1 from it on."""
    later, split_at = part
    instants = [int(one.observed_at[0]) for one in history.samples if (one.observed_at[0] >= split_at) == bool(later)]
    false = [at for at, is_right in alarms if not is_right]
    yearly: tuple[int, ...] = ()
    if instants:
        first, last = (_year(at) for at in (instants[0], instants[-1]))
        yearly = tuple(np.bincount([_year(at) - first for at in false], minlength=last - first + 1).tolist())
    return Counted(len(false), len(alarms) - len(false), yearly, years, p_values)


def _year(at: int) -> int:
    return int(np.datetime64(at, "ms").astype("datetime64[Y]").astype(int))
