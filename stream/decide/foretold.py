"""What history lets one foretell of the gauges of a domain now (`forecast.py`), kept by series, and what a city may be told because of it.

At every grid instant the newest steps of all gauges are taken out of their histories, so nothing is remembered twice and no measurement costs
more. A level is foretold when the chance that it is reached within the next step is high enough (`foretold_probability`); what is told is the
chance within the whole lead window, and when. While a forecast is fresh it also says what waves that are on their way will come to at
its gauge; where a gauge of the domain does not report there is none, and footprints speak alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from detectors.base import Level, Quality
from detectors.rows import NEVER
from stream.decide.forecast import outlooks, ready
from stream.region.forecasts import LAGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from stream.decide.forecast import Outlook, Ready
    from stream.region.model import Hazard, Region

PREFIX = "forecast/"
"""What a forecast is called as a source: this and the series it is of."""
WHY, REASON, ONWARD = "foretold", "forecast", "forecast_above"
"""Why it is a source, and the words among the reasons of a warning that rests on a forecast here, or of a gauge above."""
STEPS_FRESH = 2
"""A forecast is good for so many steps of its gauges: one may be on its way."""
_DIGITS = 6


class Ahead(msgspec.Struct, array_like=True, frozen=True):
    """A level that is not reached yet.

    `soon`: the chance of it within the next step; `chance`: within the lead window; the instants: P10/P50/P90, if it is reached in that at all.
    """

    level: int
    soon: float
    chance: float
    p10_at: int
    p50_at: int
    p90_at: int


class Foretold(msgspec.Struct, array_like=True, frozen=True):
    """The newest forecast of one gauge.

    `base_at`: when it was measured that it was made of; `good_until_at`: as long as it can be relied on; `ahead_until_at`: how far it looks.
    `highest`: expected until then, in the unit of the series. `ahead`: levels above the gauge now, the lowest first. `missing`: the gauges for
    want of which there is no newer one.
    """

    city_id: str
    base_at: int
    good_until_at: int
    ahead_until_at: int
    highest: float
    ahead: tuple[Ahead, ...]
    missing: tuple[str, ...] = ()

    def fresh(self, at: int) -> bool:
        """Whether it can be relied on at this instant."""
        return not self.missing and at <= self.good_until_at


class CityOutlook(NamedTuple):
    """What the gauges of a city are foretold: levels, the lowest first, until when that looks ahead, and what it was made of."""

    ahead: tuple[Ahead, ...]
    until_at: int
    base_at: int


NOTHING_AHEAD = CityOutlook((), 0, 0)


class Foreseen(NamedTuple):
    """The newest forecast of a series for a hazard; None in `found` where gauges are `missing`."""

    hazard: int
    series: str
    found: Foretold | None
    missing: tuple[str, ...]


class BoundForecast(NamedTuple):
    """A model in a partition: its hazard's index, the local rows of its series in its order, the city of each target."""

    hazard: int
    domain_id: str
    rows: NDArray[np.intp]
    ready: Ready
    cities: tuple[str, ...]


def bind_forecasts(region: Region, local: NDArray[np.int32]) -> tuple[BoundForecast, ...]:
    """The models all of whose series are here, for every hazard that has levels for some of their targets."""
    found = []
    for model in region.forecasts:
        rows = np.array([region.series.row_of[name] for name in model.series], dtype=np.intp)
        if (local[rows] < 0).any():
            continue
        domain_id = region.domains[int(region.series.domain[rows[0]])].domain_id
        for index, hazard in enumerate(region.hazards):
            given = ready(model, _levels(hazard))
            cities = tuple(region.cities[int(region.series.city[region.series.row_of[name]])].city_id for name in given.series)
            if cities:
                found.append(BoundForecast(index, domain_id, local[rows].astype(np.intp), given, cities))
    return tuple(found)


def _levels(hazard: Hazard) -> dict[str, tuple[float, ...]]:
    """By series, the levels of every gauge that stands in a city."""
    return {series: levels for own in hazard.limits.values() for series, levels in own.items()}


def foresee(forecasts: Sequence[BoundForecast], history: NDArray[Any], domain_id: str) -> list[Foreseen]:
    """What is foretold in a domain now, in the order of models and targets."""
    return [one for bound in forecasts if bound.domain_id == domain_id for one in _of_model(bound, history)]


def _of_model(bound: BoundForecast, history: NDArray[Any]) -> Iterator[Foreseen]:
    model = bound.ready.model
    step_ms = round(model.step_s * 1_000)
    value, base_at = steps(history[bound.rows], step_ms)
    for outlook, own, levels, city_id in zip(
        outlooks(bound.ready, value, base_at), bound.ready.own, bound.ready.levels, bound.cities, strict=True
    ):
        if outlook.missing:
            yield Foreseen(bound.hazard, outlook.series, None, outlook.missing)
            continue
        ahead = tuple(_ahead(outlook, base_at, np.log(value[0, own]), levels))
        good_until_at, ahead_until_at = base_at + STEPS_FRESH * step_ms, base_at + model.windows[-1] * step_ms
        found = Foretold(city_id, base_at, good_until_at, ahead_until_at, outlook.highest, ahead)
        yield Foreseen(bound.hazard, outlook.series, found, ())


def _ahead(outlook: Outlook, base_at: int, log_now: float, log_levels: NDArray[np.float64]) -> Iterator[Ahead]:
    for place, log_level in enumerate(log_levels.tolist()):
        if not log_level > log_now:  # reached already, or no level
            continue
        chances = outlook.chances[place]
        times = (base_at + round(one * 3_600_000) for one in outlook.arrives_h[place])
        yield Ahead(int(Level.BLUE) + place, round(chances[0], _DIGITS), round(chances[-1], _DIGITS), *times)


def steps(history: NDArray[Any], step_ms: int) -> tuple[NDArray[np.float64], int]:
    """((3, g) values of the newest step that all gauges have, and of the two before it; NaN where there is none; when the newest was measured).

    Samples of one step are averaged (geometrically), doubtful ones left out. A gauge that is more than a step behind the others has none.
    """
    at, value = history["observed_at"], history["value"]
    good = (at != NEVER) & (history["flag"] < Quality.SUSPECT) & (value > 0.0)
    step = np.where(good, at // step_ms, NEVER)
    last = step.max(axis=1)
    newest = max(int(last.min()), int(last.max()) - 1)
    found = np.full((LAGS, len(history)), np.nan)
    log_value = np.log(np.where(good, value, 1.0))
    for lag in range(LAGS):
        here = good & (step == newest - lag)
        count = here.sum(axis=1)
        some = count > 0
        found[lag, some] = np.exp((log_value * here).sum(axis=1)[some] / count[some])
    return found, int(at[good & (step == newest)].max(initial=0))


def outlook_of(foretold: Mapping[str, Foretold], at: int) -> dict[str, CityOutlook]:
    """What is ahead of every city of which a gauge has a fresh forecast; of several gauges, what is likelier of each level."""
    found: dict[str, CityOutlook] = {}
    for series in sorted(foretold):
        one = foretold[series]
        if not one.fresh(at):
            continue
        known = found.get(one.city_id, CityOutlook((), one.ahead_until_at, one.base_at))
        levels = {ahead.level: ahead for ahead in known.ahead}
        for ahead in one.ahead:
            if ahead.level not in levels or ahead.chance > levels[ahead.level].chance:
                levels[ahead.level] = ahead
        ordered = tuple(levels[level] for level in sorted(levels))
        found[one.city_id] = CityOutlook(ordered, min(known.until_at, one.ahead_until_at), min(known.base_at, one.base_at))
    return found


def told_level(ahead: Sequence[Ahead], probability: float) -> Ahead | None:
    """The highest level whose chance within the next step is at least `probability`; None if no level's is."""
    return next((one for one in reversed(ahead) if one.soon >= probability), None)


def watched(outlook: Mapping[str, CityOutlook], watch: float) -> dict[str, float]:
    """The cities of which some level is reached within the lead window with at least this chance."""
    return {city_id: one.ahead[0].chance for city_id, one in outlook.items() if one.ahead and one.ahead[0].chance >= watch}
