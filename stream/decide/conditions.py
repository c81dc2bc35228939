"""What a domain knows besides its dangers: wind and discharge, remembered for as long as a footprint may ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from topology.base import Conditions, Winds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.model import Hazard, Region

Recent = dict[str, list[tuple[int, float]]]
"""Series id -> its recent measurements (observed_at, value), oldest first."""

KEEP_MS = 6 * 3_600_000
"""Longer than any footprint's averaging window."""
KEEP_MOST = 64
CALM_M_PER_S = 0.5
"""Below this a vane stands still: stations give no direction, and none is needed to know that it is calm."""


def remember(recent: Recent, series: str, observed_at: int, value: float) -> None:
    """Add a measurement, in place; a correction replaces, an old one is put in its place, what no footprint can ask for is forgotten."""
    kept = [one for one in recent.get(series, []) if one[0] != observed_at]
    kept.append((observed_at, value))
    kept.sort()
    newest = kept[-1][0]
    recent[series] = [one for one in kept[-KEEP_MOST:] if one[0] >= newest - KEEP_MS]


def conditions(now: int, region: Region, hazard: Hazard, recent: Mapping[str, list[tuple[int, float]]]) -> Conditions:
    """The conditions at `now` as footprints take them; without condition series, just the instant."""
    if not hazard.conditions:
        return Conditions(now)
    return Conditions(now, _winds(region, recent), _discharge(region, recent) or None)


def _winds(region: Region, recent: Mapping[str, list[tuple[int, float]]]) -> Winds | None:
    """Speed and direction of the same station and instant, put together; None where there is no such pair."""
    pairs: list[tuple[int, str, float, float]] = []
    for series in sorted(recent):
        station, _, quantity = series.rpartition("/")
        if quantity != "wind_speed":
            continue
        directions = dict(recent.get(f"{station}/wind_direction", ()))
        pairs += [(at, series, speed, directions.get(at, 0.0)) for at, speed in recent[series] if at in directions or speed < CALM_M_PER_S]
    if not pairs:
        return None
    pairs.sort()
    rows = np.array([region.series.row_of[series] for _, series, _, _ in pairs], np.intp)
    return Winds(
        np.array([at for at, _, _, _ in pairs], np.int64),
        region.series.latitude[rows],
        region.series.longitude[rows],
        np.array([speed for _, _, speed, _ in pairs]),
        np.array([direction for _, _, _, direction in pairs]),
    )


def _discharge(region: Region, recent: Mapping[str, list[tuple[int, float]]]) -> dict[str, float]:
    """The newest discharge by reach."""
    found = {}
    for series in sorted(recent):
        if series.endswith("/discharge") and recent[series]:
            found[region.series.reach[region.series.row_of[series]]] = recent[series][-1][1]
    return found
