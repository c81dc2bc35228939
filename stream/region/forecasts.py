"""`forecasts.json`: what history taught about how high the gauges of a domain will stand in the next steps, given how all of them stand now.

Written by `tocsin calibrate`, evaluated by `stream.decide.forecast`. It is part of the region, so its numbers are part of the region's hash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from stream.region.problems import Findings

FORECASTS_FILE = "forecasts.json"
LAGS = 3
"""Steps of the past that a forecast looks at: now, one before, two before."""
PER_SERIES, SEASON = 5, 4
"""Predictors of every series, and of the season (see `stream.decide.forecast.predictors`)."""


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forecast series: `scale`, how far (ln) a forecast of one step misses at high water; `weights[window][predictor]`, the intercept last."""

    series: str
    scale: float
    weights: tuple[tuple[float, ...], ...]


class Forecaster(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One domain's forecasts.

    `series` in the order of the predictors; `step_s`: the interval of the values; `windows`: the next so many steps each forecast is for,
    rising; `high`: ln of the value each series reaches in every second year; `chance[window]`: intercept and slope of the log-odds that a
    level is reached, on (expected ln - ln level) / sqrt(scale).
    """

    series: tuple[str, ...]
    step_s: float
    windows: tuple[int, ...]
    high: tuple[float, ...]
    chance: tuple[tuple[float, float], ...]
    targets: tuple[Target, ...]

    def weights(self, target: Target) -> NDArray[np.float64]:
        """(windows, predictors)."""
        return np.array(target.weights)


def forecasts_json(found: tuple[Forecaster, ...]) -> bytes:
    """The file's bytes: the same for the same numbers."""
    return msgspec.json.format(msgspec.json.encode(found), indent=0) + b"\n"


def read_forecasts(data: bytes, known: Mapping[str, int], findings: Findings) -> tuple[Forecaster, ...]:
    """The forecasts of a region's file; `known`: its series and their domains. What is wrong is noted, and then nothing is forecast."""
    try:
        found = msgspec.json.decode(data, type=tuple[Forecaster, ...])
    except msgspec.DecodeError as error:
        findings.add(FORECASTS_FILE, 0, "", f"cannot be read ({error})", "write it anew with `tocsin calibrate`")
        return ()
    wrong = [text for one in found for text in (*faults(one, known), *_spread(one, known))]
    for text in wrong:
        findings.add(FORECASTS_FILE, 0, "", text, "write it anew with `tocsin calibrate`")
    return () if wrong else found


def _spread(one: Forecaster, known: Mapping[str, int]) -> list[str]:
    """Evidence meets in one domain: what is forecast from gauges of two could never be."""
    domains = {known[name] for name in one.series if name in known}
    return [f"the series {one.series[0]!r} to {one.series[-1]!r} are of {len(domains)} domains"] if len(domains) > 1 else []


def faults(one: Forecaster, known: Collection[str]) -> list[str]:
    """What does not fit together in one domain's forecasts; `known`: the ids of the region's series."""
    found = [f"no series {name!r} in stations.csv" for name in one.series if name not in known]
    found += [f"{target.series!r} is forecast but is not among the series" for target in one.targets if target.series not in one.series]
    count = PER_SERIES * len(one.series) + SEASON + 1
    shape = (len(one.windows), count)
    for target in one.targets:
        if len(target.weights) != shape[0] or any(len(row) != count for row in target.weights):
            found.append(f"{target.series!r} needs {shape[0]} rows of {count} weights")
        elif not (target.scale > 0.0 and np.isfinite(np.array(target.weights)).all()):
            found.append(f"{target.series!r} has a scale that is not positive, or weights that are not finite")
    if not (one.windows and one.windows[0] >= 1 and list(one.windows) == sorted(set(one.windows))):
        found.append(f"windows {list(one.windows)} are not rising numbers of steps from 1")
    if len(one.high) != len(one.series) or len(one.chance) != len(one.windows) or not one.step_s > 0.0:
        found.append("high needs a number for every series, chance a pair for every window, step_s must be above 0")
    elif not all(slope > 0.0 for _, slope in one.chance):
        found.append("a slope of chance is not above 0: the higher a level, the less likely it is")
    return found
