"""What to expect at a city's own gauges, where history taught what crests above become there: value, level and how likely it is.

Then the city's own limits decide, and not how high the river stands at the source.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from topology.base import Path
from topology.lags import chance_above, expected_crest

if TYPE_CHECKING:
    from stream.region.model import Hazard, Region
    from topology.base import Expected, Impact

COLOURS = tuple(level for level in Level if level is not Level.NONE)
GAUGE_REGRESSION = "gauge_regression"


class AtGauge(NamedTuple):
    """An impact with the crest expected at the city's gauge, and the level that its median reaches there (at least the lowest)."""

    impact: Impact
    level: int


def at_gauge(region: Region, hazard: Hazard, found: tuple[str, float], impact: Impact) -> AtGauge | None:
    """What a crest (series, highest value so far) foretells for a gauge with limits in the city; None where nothing was learned.

    The probability becomes that of reaching the gauge's lowest limit.
    """
    limits = hazard.limits.get(impact.city_id)
    if impact.path is not Path.RIVER or not limits or not region.regressions:
        return None
    expected = expected_crest(region.regressions, *found, limits)
    if expected is None:
        return None
    own = [(int(level), limit) for level, limit in zip(COLOURS, limits[expected.series], strict=True) if not math.isnan(limit)]
    level = max((level for level, limit in own if expected.p50 >= limit), default=own[0][0])
    chance = chance_above(expected, own[0][1])
    return AtGauge(replace(impact, expected=expected, probability=chance, reasons=(*impact.reasons, GAUGE_REGRESSION)), level)


def word_for(expected: Expected) -> str:
    """The expected crest as a word among a warning's reasons.

    >>> from topology.base import Expected
    >>> word_for(Expected("b/stage", 2.0, 2.5, 3.125))
    'expects:b/stage=2.5[2..3.125]'
    """
    return f"expects:{expected.series}={expected.p50:.4g}[{expected.p10:.4g}..{expected.p90:.4g}]"
