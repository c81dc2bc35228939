"""What footprints are told about the wind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from stream.decide.conditions import KEEP_MS, conditions, remember
from stream.decide.state import DomainState, HazardState
from stream.records.instants import HOUR

if TYPE_CHECKING:
    from stream.region.model import Hazard, Region

NAMES = ("vane/wind_direction", "vane/wind_speed")
SERIES = SimpleNamespace(
    row_of={name: row for row, name in enumerate(NAMES)}, latitude=np.array([30.0, 30.0]), longitude=np.array([110.0, 110.0])
)
REGION = cast("Region", SimpleNamespace(series=SERIES))
WIND = cast("Hazard", SimpleNamespace(hazard="smoke", conditions=("wind_speed", "wind_direction")))


def told(speeds: dict[int, float], directions: dict[int, float]):
    recent: dict[str, list[tuple[int, float]]] = {}
    for at, value in speeds.items():
        remember(recent, "vane/wind_speed", at, value)
    for at, value in directions.items():
        remember(recent, "vane/wind_direction", at, value)
    domain = DomainState("r", hazards={"smoke": HazardState()}, conditions=recent)
    return conditions(HOUR, REGION, WIND, domain).winds


def test_speed_and_direction_of_the_same_instant_make_a_wind():
    winds = told({0: 3.0, HOUR: 4.0}, {0: 270.0, HOUR: 280.0})

    assert (winds.speed_m_per_s.tolist(), winds.from_deg.tolist()) == ([3.0, 4.0], [270.0, 280.0])


def test_a_speed_without_a_direction_is_no_wind_unless_it_is_calm():
    assert told({0: 3.0}, {}) is None
    assert told({0: 0.3}, {}).speed_m_per_s.tolist() == [0.3]


def test_a_correction_replaces_and_what_nobody_can_ask_for_is_forgotten():
    recent: dict[str, list[tuple[int, float]]] = {}
    for at, value in ((0, 1.0), (HOUR, 2.0), (HOUR, 2.5), (KEEP_MS + HOUR, 3.0)):
        remember(recent, "vane/wind_speed", at, value)

    assert recent["vane/wind_speed"] == [(HOUR, 2.5), (KEEP_MS + HOUR, 3.0)]


@pytest.mark.parametrize("late_at", [0, HOUR])
def test_the_order_of_arrival_does_not_matter(late_at):
    recent: dict[str, list[tuple[int, float]]] = {}
    for at in [*sorted({0, HOUR, 2 * HOUR} - {late_at}), late_at]:
        remember(recent, "vane/wind_speed", at, float(at))

    assert [at for at, _ in recent["vane/wind_speed"]] == [0, HOUR, 2 * HOUR]
