"""Units at the door: factors that are right, and refusals that neither hang nor run anything."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.region.quantities import QUANTITIES, factor, unit_is_known


@pytest.mark.parametrize(
    ("unit_from", "unit_to", "expected"),
    [
        ("ft", "m", 0.3048), ("cfs", "m3/s", 0.028316846592), ("l/s", "m3/s", 0.001), ("µg/m³", "ug/m3", 1.0), ("mg/m3", "ug/m3", 1000.0),
        ("ug/L", "mg/l", 0.001), ("km/h", "m/s", 1 / 3.6), ("kt", "m/s", 0.514444444444), ("°", "deg", 1.0), ("cases", "count", 1.0),
    ],
)  # fmt: skip
def test_factors_are_those_of_the_units(unit_from, unit_to, expected):
    assert factor(unit_from, unit_to) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(
    "unit", ["", "s", "metrez", "degC", "3", "m^^2", "10**10**10", "__import__('os')", "m" * 10_000, "(m)", "m m", "日"]
)
def test_units_that_do_not_measure_a_length_are_refused_quickly(unit):
    began = time.monotonic()
    with pytest.raises(ValueError, match=r"unit|factor"):
        factor(unit, "m")
    assert time.monotonic() - began < 5


def test_a_scale_with_an_offset_has_no_factor():
    with pytest.raises(ValueError, match="offset"):
        factor("degC", "degF")
    assert factor("degC", "degC") == 1.0
    assert unit_is_known("degC")


@given(unit=st.text(max_size=40))
def test_any_text_is_a_unit_or_is_refused(unit):
    try:
        found = factor(unit, "m")
    except ValueError:
        found = 1.0
    assert found > 0


def test_every_known_quantity_has_a_unit_that_can_be_read():
    assert [name for name, one in QUANTITIES.items() if not unit_is_known(one.unit)] == []
