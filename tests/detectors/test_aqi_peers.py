"""The worked examples of the standards beside two libraries that get some of them wrong (aqi-hub 0.3.3, python-aqi 0.6.1).

The expected numbers are the standards' own (HJ 633-2026 table 3, HJ 633-2012, EPA-454/B-24-002); a peer's number is what it returns here.
"""

from __future__ import annotations

import aqi as python_aqi
import pytest
from aqi_hub.aqi_cn import cal_iaqi_cn, cal_primary_pollutant
from aqi_hub.aqi_usa import cal_iaqi_usa
from hypothesis import given
from hypothesis import strategies as st

from detectors import aqi
from detectors.aqi_tables import Averaging, Pollutant, Table

CN12, CN26, US = Table.HJ_633_2012, Table.HJ_633_2026, Table.EPA_2024
DAY, EIGHT = Averaging.DAY, Averaging.EIGHT_HOURS
HUB_NAMES = {
    ("PM25_24H", Pollutant.PM25, DAY), ("PM10_24H", Pollutant.PM10, DAY), ("NO2_24H", Pollutant.NO2, DAY), ("CO_24H", Pollutant.CO, DAY),
    ("O3_8H", Pollutant.O3, EIGHT), ("SO2_1H", Pollutant.SO2, Averaging.HOUR), ("NO2_1H", Pollutant.NO2, Averaging.HOUR),
    ("CO_1H", Pollutant.CO, Averaging.HOUR), ("O3_1H", Pollutant.O3, Averaging.HOUR),
}  # fmt: skip


@pytest.mark.parametrize(
    ("standard", "pollutant", "averaging", "concentration", "expected", "peer"),
    [
        # aqi-hub 0.3.3 reads 24-hour SO2 from the 1-hour breakpoints.
        (CN26, Pollutant.SO2, DAY, 150, 100, lambda: cal_iaqi_cn("SO2_24H", 150)),
        (CN26, Pollutant.SO2, DAY, 475, 150, lambda: cal_iaqi_cn("SO2_24H", 475)),
        (CN26, Pollutant.SO2, DAY, 600, 170, lambda: cal_iaqi_cn("SO2_24H", 600)),
        # and rounds the American index down where EPA's own example (35.9 ug/m3) rounds to nearest.
        (US, Pollutant.PM25, DAY, 35.9, 102, lambda: cal_iaqi_usa(35.9, "PM25_24H")),
        # python-aqi 0.6.1 has EPA's breakpoints of before 2024 (particulates) and before 2015 (ozone),
        (US, Pollutant.PM25, DAY, 12.0, 56, lambda: python_aqi.to_iaqi("pm25", "12.0", algo=python_aqi.ALGO_EPA)),
        (US, Pollutant.O3, EIGHT, 0.070, 100, lambda: python_aqi.to_iaqi("o3_8h", "0.070", algo=python_aqi.ALGO_EPA)),
        (US, Pollutant.O3, EIGHT, 0.07853333, 126, lambda: python_aqi.to_iaqi("o3_8h", "0.07853333", algo=python_aqi.ALGO_EPA)),
        # and gaps between the pieces of the Chinese scale, which is continuous.
        (CN12, Pollutant.CO, DAY, 3.5, 88, lambda: python_aqi.to_iaqi("co_24h", "3.5", algo=python_aqi.ALGO_MEP)),
        (CN12, Pollutant.PM25, DAY, 60, 82, lambda: python_aqi.to_iaqi("pm25", "60", algo=python_aqi.ALGO_MEP)),
    ],
)
def test_the_standard_is_met_where_a_peer_misses_it(standard, pollutant, averaging, concentration, expected, peer):
    assert float(aqi.index(standard, pollutant, concentration, averaging)) == expected
    assert int(peer()) != expected, "the peer was corrected: move this example to where all agree"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ((US, Pollutant.CO, EIGHT, 8.4), lambda: cal_iaqi_usa(8.4, "CO_8H")),
        ((US, Pollutant.CO, EIGHT, 8.4), lambda: python_aqi.to_iaqi("co_8h", "8.4", algo=python_aqi.ALGO_EPA)),
        ((CN26, Pollutant.PM25, DAY, 60), lambda: cal_iaqi_cn("PM25_24H", 60)),
        ((CN26, Pollutant.PM10, DAY, 120), lambda: cal_iaqi_cn("PM10_24H", 120)),
        ((CN26, Pollutant.O3, EIGHT, 900), lambda: cal_iaqi_cn("O3_8H", 900)),
    ],
)
def test_where_they_are_right_all_agree(ours, theirs):
    standard, pollutant, averaging, concentration = ours
    assert float(aqi.index(standard, pollutant, concentration, averaging)) == int(theirs())


@given(st.sampled_from(sorted(HUB_NAMES)), st.integers(0, 500))
def test_on_every_other_scale_of_hj_633_2026_whole_concentrations_agree_with_aqi_hub(scale, concentration):
    name, pollutant, averaging = scale
    theirs = cal_iaqi_cn(name, concentration)
    assert theirs == float(aqi.index(CN26, pollutant, concentration, averaging))


OLD_EPA = {
    "pm25": (Pollutant.PM25, DAY, 500.4), "pm10": (Pollutant.PM10, DAY, 604.0), "co_8h": (Pollutant.CO, EIGHT, 50.4),
    "no2_1h": (Pollutant.NO2, Averaging.HOUR, 2049.0),
}  # fmt: skip


# Exactly half an index: EPA rounds up, python-aqi to the even number (32.5 becomes 32).
HALVES = {("pm25", 6), ("pm25", 30), ("pm25", 54), ("pm25", 78), ("pm25", 102), ("co_8h", 11), ("co_8h", 33)}


@pytest.mark.parametrize("name", OLD_EPA)
def test_epa_before_2024_agrees_with_python_aqi_on_its_whole_scale_but_for_exact_halves(name):
    pollutant, averaging, highest = OLD_EPA[name]
    for tenths in range(round(highest * 10) + 1):
        theirs = int(python_aqi.to_iaqi(name, f"{tenths / 10:.1f}", algo=python_aqi.ALGO_EPA))
        ours = float(aqi.index(Table.EPA_2015, pollutant, tenths / 10, averaging))
        assert ours == theirs + ((name, tenths) in HALVES), tenths


@pytest.mark.parametrize(
    "indices", [{"PM25": 88, "O3": 88, "CO": 12}, {"PM25": 50, "O3": 12}, {"PM25": 51, "O3": 50}, {"SO2": 120, "NO2": 300, "PM10": 300}]
)
def test_the_primary_pollutants_are_those_aqi_hub_names(indices):
    ours = aqi.overall({Pollutant[name]: float(value) for name, value in indices.items()})
    assert ours[0] == max(indices.values())
    assert {one.name for one in ours[1]} == set(cal_primary_pollutant(indices))
