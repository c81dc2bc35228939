"""Scalar twin of `detectors.concentration`."""

from __future__ import annotations

from hysteresis_twin import LimitTwin


class ConcentrationTwin(LimitTwin):
    """A pollutant with a limit value and multiples of it."""

    def __init__(self, parameters):
        p = parameters
        limits = [p["limit"] * factor for factor in (1.0, p["yellow_factor"], p["orange_factor"], p["red_factor"])]
        clear = [limit * (1.0 - p["clear_fraction"]) for limit in limits]
        super().__init__(limits, clear, p["raise_after_n"], p["clear_after_n"])
