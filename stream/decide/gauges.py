"""What to expect at a city's own gauges, where history taught what crests above become there: value, level and how likely it is.

Then the city's own limits decide, and not how high the river stands at the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from topology.lags import chance_above, expected_crest

if TYPE_CHECKING:
    from stream.decide.state import SourceState
    from stream.region.model import Hazard, Region
    from topology.base import Expected

COLOURS = tuple(level for level in Level if level is not Level.NONE)


class AtGauge(NamedTuple):
    """The crest expected at a city's gauge, the level its median reaches (at least the lowest), and the chance to reach the lowest limit."""

    expected: Expected
    level: int
    probability: float


def at_gauge(region: Region, hazard: Hazard, source: SourceState, city_id: str) -> AtGauge | None:
    """What the highest value of the source so far foretells for a gauge in the city that has limits; None where nothing was learned."""
    limits = hazard.limits.get(city_id)
    if not limits or not region.regressions:
        return None
    expected = expected_crest(region.regressions, source.series, source.highest, limits)
    if expected is None:
        return None
    own = [(level, limit) for level, limit in zip(COLOURS, limits[expected.series], strict=True) if limit == limit]  # noqa: PLR0124  NaN: none
    reached = [int(level) for level, limit in own if expected.p50 >= limit]
    return AtGauge(expected, max(reached, default=int(own[0][0])), chance_above(expected, own[0][1]))
