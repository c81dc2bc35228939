from __future__ import annotations

import math
import shutil
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from aqi_twin import index_twin
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import batch, table

from detectors import aqi
from detectors.aqi_tables import IN_FORCE, SCALES, Averaging, Pollutant, Standard, Table, in_force
from detectors.base import Level
from stream.region.load import load_folder
from tests.region.shared import REGIONS

CN12, CN26, US, US15 = Table.HJ_633_2012, Table.HJ_633_2026, Table.EPA_2024, Table.EPA_2015
DAY, EIGHT, HOUR = Averaging.DAY, Averaging.EIGHT_HOURS, Averaging.HOUR
EVERY_SCALE = [(table, *key) for table, scales in SCALES.items() for key in scales]


@pytest.mark.parametrize(
    ("standard", "pollutant", "averaging", "concentration", "expected"),
    [
        (US, Pollutant.O3, EIGHT, 0.07853333, 126),
        (US, Pollutant.PM25, DAY, 35.9, 102),
        (US, Pollutant.CO, EIGHT, 8.4, 90),
        (US, Pollutant.PM25, DAY, 12.0, 56),  # before 2024 this was 50
        (US15, Pollutant.PM25, DAY, 12.0, 50),
        (US15, Pollutant.PM25, DAY, 500.4, 500),
        (US, Pollutant.PM25, DAY, 325.4, 500),
        (US, Pollutant.PM25, DAY, 425.3, 699),  # linear beyond 500
        (US, Pollutant.PM25, DAY, 9.09, 50),  # truncated, not rounded
        (US, Pollutant.O3, HOUR, 0.162, 147),  # 147.49; the document's own example prints 148
        (CN26, Pollutant.SO2, DAY, 150, 100),  # 50 where the 1-hour breakpoints are used by mistake
        (CN26, Pollutant.SO2, DAY, 475, 150),
        (CN26, Pollutant.SO2, DAY, 600, 170),
        (CN26, Pollutant.SO2, HOUR, 900, 200),
        (CN26, Pollutant.O3, EIGHT, 900, 300),
        (CN26, Pollutant.PM25, DAY, 60, 100),
        (CN12, Pollutant.PM25, DAY, 75, 100),
        (CN26, Pollutant.PM10, DAY, 120, 100),
        (CN12, Pollutant.PM10, DAY, 150, 100),
        (CN26, Pollutant.PM25, DAY, 36, 52),  # rounded up
        (CN26, Pollutant.PM25, DAY, 9999, 500),
        (CN26, Pollutant.CO, HOUR, 7.5, 75),
    ],
)
def test_worked_examples_of_the_standards(standard, pollutant, averaging, concentration, expected):
    assert float(aqi.index(standard, pollutant, concentration, averaging)) == expected


@pytest.mark.parametrize(("standard", "pollutant", "averaging"), EVERY_SCALE)
def test_every_breakpoint_has_the_index_of_its_table(standard, pollutant, averaging):
    scale = SCALES[standard][pollutant, averaging]
    np.testing.assert_array_equal(aqi.index(standard, pollutant, scale.high, averaging), scale.index_high)
    assert all(low < high for low, high in zip(scale.low, scale.high, strict=True))
    assert all(high <= low for high, low in zip(scale.high, scale.low[1:], strict=False))
    assert all(high <= low for high, low in zip(scale.index_high, scale.index_low[1:], strict=False))
    assert all(one < other for one, other in pairwise(scale.high))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EVERY_SCALE), st.integers(0, 40_000))
def test_the_index_equals_exact_arithmetic(scale, n):
    standard, pollutant, averaging = scale
    concentration = n * 10.0 ** -(SCALES[standard][pollutant, averaging].decimals + 1)
    ours = float(aqi.index(standard, pollutant, concentration, averaging))
    expected = index_twin(standard, pollutant, concentration, averaging)
    assert ours == expected or (math.isnan(ours) and math.isnan(expected))


def test_below_the_start_of_a_scale_there_is_no_index():
    assert np.isnan(aqi.index(US, Pollutant.O3, 0.124, HOUR))
    assert np.isnan(aqi.index(US, Pollutant.SO2, 304, DAY))


def hours(values, **parameters):
    """(levels, reasons) of one site's hourly values; None = no measurement."""
    p = table(aqi, parameters)
    state, found = aqi.initial(p), []
    for hour, value in enumerate(values):
        if value is not None:
            f = aqi.step(p, state, batch([0], [(hour * 3_600_000, value, 1, True)]))
            found.append((Level(f.level[0]), aqi.WHY[f.why[0]]))
    return found


def test_one_hour_alone_gives_no_nowcast_and_no_level():
    assert hours([400.0]) == [(Level.NONE, "too_few_hours")]
    assert hours([400.0, None, 400.0]) == [(Level.NONE, "too_few_hours"), (Level.RED, "reached")]


def test_the_plain_hourly_value_of_hj_633_needs_no_past():
    assert hours([400.0], nowcast=0.0) == [(Level.RED, "reached")]


def test_missing_hours_do_not_clear_a_level():
    found = hours([400.0, 400.0, *[None] * 40, 5.0, None, None, 5.0])
    assert [level for level, _ in found] == [Level.NONE, Level.RED, Level.RED, Level.RED]
    assert found[-1][1] == "too_few_hours"


def test_a_late_hour_may_complete_the_nowcast_and_raise():
    p = table(aqi, {})
    state = aqi.initial(p)
    aqi.step(p, state, batch([0], [(10 * 3_600_000, 300.0, 1, True)]))
    found = aqi.step(p, state, batch([0], [(9 * 3_600_000, 300.0, 1, False)]))
    assert Level(found.level[0]) is Level.RED
    assert np.isnan(found.trend[0])
    assert state["observed_at"][0] == 10 * 3_600_000
    assert state["hourly"][0, -2:].tolist() == [300.0, 300.0], "the late hour is kept for the next ones"


def test_a_late_value_for_an_hour_that_is_known_is_compared_but_not_kept():
    p = table(aqi, {})
    state = aqi.initial(p)
    for hour in (9, 10):
        aqi.step(p, state, batch([0], [(hour * 3_600_000, 20.0, 1, True)]))
    found = aqi.step(p, state, batch([0], [(10 * 3_600_000, 300.0, 1, False)]))
    assert found.level[0] > 0
    assert state["hourly"][0, -2:].tolist() == [20.0, 20.0]


def test_samples_within_an_hour_are_averaged():
    p = table(aqi, {"nowcast": 0.0})
    state = aqi.initial(p)
    for minute, value in ((0, 10.0), (15, 20.0), (30, 60.0)):
        aqi.step(p, state, batch([0], [(minute * 60_000, value, 1, True)]))
    assert state["hourly"][0, -1] == pytest.approx(30.0)


def test_the_chance_that_the_index_is_truly_above_its_limit_follows_the_error_of_the_concentration():
    p = table(aqi, *[{"nowcast": 0.0, "table": float(CN26), "error_fraction": error} for error in (0.1, 0.1, 0.1, 0.02, math.nan)])
    values = [75.0, 60.0, 100.0, 75.0, 75.0]  # index 101 at 60 to 61 ug/m3
    found = aqi.step(p, aqi.initial(p), batch(range(5), [(0, value, 1, True) for value in values]))
    assert found.exceedance is not None
    likely, even, certain, precise, unknown = found.exceedance
    assert 0.9 < likely < precise <= 1.0
    assert even == pytest.approx(0.45, abs=0.05)
    assert certain > likely
    assert np.isnan(unknown)
    without = table(aqi, {})
    assert aqi.step(without, aqi.initial(without), batch([0], [(0, 75.0, 1, True)])).exceedance is None


def instant(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("standard", "at", "expected"),
    [
        (Standard.HJ_633, "2014-02-24T12:00+08:00", CN12),
        (Standard.HJ_633, "2026-02-28T23:59+08:00", CN12),
        (Standard.HJ_633, "2026-03-01T00:00+08:00", CN26),
        (Standard.HJ_633, "2010-01-01T00:00+08:00", CN12),  # before any version: the oldest
        (Standard.EPA, "2020-06-01T00:00+00:00", US15),
        (Standard.EPA, "2024-05-06T04:00+00:00", US),
        (CN26, "2014-02-24T12:00+08:00", CN26),  # a version named is used whatever the date
    ],
)
def test_a_measurement_is_judged_by_the_version_in_force_when_it_was_taken(standard, at, expected):
    assert in_force(np.array([float(standard)]), np.array([instant(at)])).tolist() == [float(expected)]
    assert all(earlier[0] < later[0] for versions in IN_FORCE.values() for earlier, later in pairwise(versions))


def test_the_same_concentration_has_the_level_of_its_year():
    # 70 ug/m3: index 94 by HJ 633-2012, 110 by HJ 633-2026; and no level is set by what came into force later
    p = table(aqi, {"nowcast": 0.0}, {"nowcast": 0.0}, {"nowcast": 0.0, "table": float(CN12)})
    days = ("2014-02-24T12:00+08:00", "2026-03-02T12:00+08:00", "2026-03-02T12:00+08:00")
    found = aqi.step(p, aqi.initial(p), batch(range(3), [(instant(day), 70.0, 1, True) for day in days]))
    assert [Level(level) for level in found.level] == [Level.NONE, Level.BLUE, Level.NONE]
    assert found.score.tolist() == pytest.approx([94 / 101, 110 / 101, 94 / 101])


def test_a_hazard_file_names_the_standard_and_the_date_chooses_its_version(tmp_path):
    folder = tmp_path / "beijing"
    shutil.copytree(REGIONS / "beijing", folder)
    file = folder / "hazards" / "air.toml"
    file.write_text(file.read_text("utf-8").replace('"hj_633_2012"', '"hj_633"'), "utf-8")
    (use,) = load_folder(folder).hazards[0].detectors
    assert set(use.parameters["table"].tolist()) == {float(Standard.HJ_633)}
