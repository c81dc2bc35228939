"""How fast a danger runs in a river today: its clock at mean flow, turned to the live discharge, and how far that is to be trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from topology.arrival import Z90
from topology.river import faded_km
from topology.river_forecast import Pace
from topology.river_learning import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topology.base import Conditions, Source
    from topology.network import Network
    from topology.river_ways import Clocks

# Rivers differ in how velocity follows discharge at one place: the power is 0.34 on average over the rivers of Leopold and Maddock (1953)
# and spread by more than 0.1 around that. The farther from mean flow, low or high, the less sure the speed.
EXPONENT_SD = 0.15
_LOWEST, _HIGHEST = 0.1, 10.0

LIMITS: Mapping[str, tuple[float, float]] = {
    "log_sd": (0.0, 2.0),
    "correlation_km": (1.0, 100_000.0),
    "floor_h": (0.0, 240.0),
    "discharge_exponent": (0.0, 1.0),
    "ice_factor": (0.1, 1.0),
    "ice_log_sd": (0.0, 2.0),
}
"""Limits of the parameters both river clocks share."""


def relative_discharge(network: Network, source: Source, conditions: Conditions) -> float:
    """Q/Qa at the source: live discharge over the mean, 1 when either is missing; kept to 0.1..10, the range of the relations."""
    now = (conditions.discharge_m3_per_s or {}).get(source.reach, math.nan)
    at = network.index.get(source.reach)
    mean = math.nan if at is None else network.mean_discharge_m3_per_s.item(at)
    return min(_HIGHEST, max(_LOWEST, now / mean)) if now > 0.0 and mean > 0.0 else 1.0


def pace(clocks: Clocks, parameters: Mapping[str, float], relative: float, front: float = 1.0, *, watched: bool) -> Pace:
    """The pace at `relative` discharge: speed goes with its power `discharge_exponent`; `front` is the front's time over the clock's.

    Residence times shorten and lengthen with the discharge likewise. `floor_h` is the half width of the window (10 to 90 %) of a way of
    no length: the errors of two detections, so each has a standard error of `floor_h` / (1.28 sqrt 2).
    """
    spread = Spread(
        log_sd=parameters["log_sd"],
        correlation_km=parameters["correlation_km"],
        common_log_sd=EXPONENT_SD * abs(math.log(relative)),
        ice_log_sd=parameters["ice_log_sd"],
        front_sd_h=parameters["floor_h"] / (Z90 * math.sqrt(2.0)),
    )
    factor, within_km = front * relative ** -parameters["discharge_exponent"], faded_km(parameters["attenuation_per_km"])
    return Pace(clocks, factor, parameters["ice_factor"], spread, watched, parameters["floor_h"], within_km)


def confidence(given: float, legs: int, *, timed: bool) -> float:
    """How far an arrival is to be trusted: `given` by what is known of the way, halfway nearer to 0.9 with every stretch learned.

    >>> [round(confidence(0.42, legs, timed=True), 3) for legs in (0, 1, 2)], confidence(0.42, 3, timed=False)
    ([0.42, 0.66, 0.78], 0.1)
    """
    return 0.9 - (0.9 - given) * 0.5**legs if timed else 0.1
