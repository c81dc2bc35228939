"""What a calibration says of itself: nominal against achieved on later data, as lines of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.calibrate.counting import poisson_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.calibrate.learn import Calibration, Checked

FACTOR_MAX = 1.5


def lines(region: str, found: Calibration) -> Iterator[str]:
    """Levels, false alarms, p-values and seasons, each with what was asked for and what came of it."""
    yield f"{region}: nominal against achieved"
    if found.levels:
        yield "levels by return period (years that reached it, all gauges; neighbouring gauges share their floods, so intervals are too narrow)"
    for one in found.levels:
        (before, of_before), (after, of_after) = one.learned, one.later
        low, high = (bound / max(of_after, 1) for bound in poisson_interval(after))
        yield (
            f"  {one.colour:7s} {one.return_years:5g} years  nominal {1 / one.return_years:.3f} a year"
            f"  learned {before}/{of_before} = {before / max(of_before, 1):.3f}"
            f"  later {after}/{of_after} = {after / max(of_after, 1):.3f} [{low:.3f}, {high:.3f}]"
        )
    yield "alarms per series-year (a level reached from none); against a budget only false ones: the series' own water level not within a week"
    for check in found.checked:
        yield from _checked(check)
    for hazard, seasons in found.spans.items():
        if seasons.later:
            yield f"  {hazard}: {seasons.outside} of {seasons.later} later samples outside their season's span (nominal 0)"


def _checked(check: Checked) -> Iterator[str]:
    learned, later = check.learned, check.later
    free = math.isnan(check.nominal)
    nominal = "limits not set by a budget" if free else f"nominal {check.nominal:g}"
    of_learned, of_later = (f"{one.alarms}" if free else f"{one.alarms}, right {one.right}" for one in (learned, later))
    low, high = later.interval
    widest = later.shared_interval
    yield (
        f"  {check.hazard}/{check.detector}: {nominal}, learned {learned.per_year:.3f} ({of_learned}),"
        f" later {later.per_year:.3f} ({of_later}) Poisson [{low:.3f}, {high:.3f}],"
        f" as years vary [{widest.lower:.3f}, {widest.upper:.3f}]{_verdict(check.nominal, later.per_year)}"
    )
    for chance in (0.01, 0.001):
        p = later.p_values
        if len(p):
            yield f"    p <= {chance:g}: nominal {chance:g}, later {float((p <= chance).mean()):.4f} of {len(p)}"


def _verdict(nominal: float, achieved: float) -> str:
    if math.isnan(nominal) or math.isnan(achieved):
        return ""
    within = nominal / FACTOR_MAX <= achieved <= nominal * FACTOR_MAX
    return f" within a factor {FACTOR_MAX:g}" if within else f" NOT within a factor {FACTOR_MAX:g}"
