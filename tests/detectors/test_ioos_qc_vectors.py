"""The vectors of ioos_qc 3.0.0 (tests/test_qartod.py, commit 9c1853a, Apache-2.0): equal where the definitions are, else the difference named.

A stream judges each sample when it comes and may not take it back, and a flood's first samples must stay usable. So: `spike` is our
differential form, settled one sample earlier and never FAIL; `rate` forgives the return from a suspect value; `flat line`, `attenuated
signal`, `gap` give SUSPECT where ioos_qc may FAIL; too short a past is UNKNOWN. Missing values do not arrive here (refused at the door),
so vectors with None are played without them.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from streams import MINUTE, START, batch, table

from detectors import history, quality
from detectors.base import Quality

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
WAVE = [
    -0.189, -0.0792, -0.0122, 0.0457, 0.0671, 0.0213, -0.0488, -0.1463, -0.2438, -0.3261, -0.3871, -0.4054, -0.3932, -0.3383, -0.2804,
    -0.2347, -0.2134, -0.2347, -0.2926, -0.3597, -0.442, -0.509, 0, -0.5944, -0.57, -0.4267, -0.2926, -0.1585, -0.0945, -0.0762,
]  # fmt: skip
RATES = [2, 10, 2.1, 3, 4, 5, 7, 10, 0, 2, 2.2, 2, 1, 2, 3, 90, 91, 92, 93, 1, 2, 3, 4, 5]


def flags(values, times=None, step_ms=HOUR, **parameters):
    """What a stream says of each sample as it comes, which arrived with no judgement of its own."""
    p, h, out = table(quality, parameters), history.initial(1), []
    for n, value in enumerate(values):
        at = times[n] if times else START + n * step_ms
        samples = batch([0], [(at, value, Quality.UNKNOWN, True)])
        samples.flag[:] = quality.flag(p, h, samples)
        out.append(int(samples.flag[0]))
        history.push(h, samples)
    return out


def at(text):
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def test_gross_range_is_the_same():
    values = [5, 10, 15, 20, 25, 30, 35, 40, 45, 51]
    expected = [4, 3, 3, 1, 1, 1, 1, 1, 3, 4]
    assert flags(values, fail_min=10, fail_max=50, suspect_min=20, suspect_max=40) == expected


def test_roll_up_is_the_same():
    columns = ([1, 1, 1, 9, 1, 1, 9, 9], [2, 1, 1, 1, 1, 1, 9, 9], [1, 3, 3, 4, 3, 1, 2, 9])
    found = quality.roll_up(*(np.array(one, dtype=np.uint8) for one in columns))
    assert found.tolist() == [1, 3, 3, 4, 3, 1, 2, 9]


@pytest.mark.parametrize(
    ("values", "threshold", "theirs", "ours"),
    [
        # Both neighbours of the spike (12, 13) and the 40 that does not come back fail or are suspect there (average form).
        ([10, 12, 999.99, 13, 15, 40, 9, 9], 25, [2, 4, 4, 4, 1, 3, 1, 2], [2, 1, 3, 1, 1, 1, 1, 1]),
        ([-10, -12, -999.99, -13, -15, -40, -9, -9], 25, [2, 4, 4, 4, 1, 3, 1, 2], [2, 1, 3, 1, 1, 1, 1, 1]),
        ([-100, -99, -99, -98], 25, [2, 1, 1, 2], [2, 1, 1, 1]),
        # Wave with one spike: the same sample, and it alone.
        (WAVE, 0.5, [2] + [1] * 21 + [3] + [1] * 6 + [2], [2] + [1] * 21 + [3] + [1] * 7),
        # Their differential form, suspect 0.5 and fail 1. 4.99 jumps by 1.99 and no sample before confirms it: the next one would, which a
        # stream does not have yet. 6 goes on upwards and is good, as is 8; 9 is suspect as theirs, and 5, below all, is a return beyond 6.
        (
            [3, 4.99, 5, 6, 8, 6, 6, 6.75, 6, 6, 5.3, 6, 6, 9, 5, 5, 4, 4],
            0.5,
            [2, 1, 1, 1, 4, 1, 1, 3, 1, 1, 3, 1, 1, 4, 1, 1, 1, 2],
            [2, 3, 1, 3, 1, 3, 1, 3, 1, 1, 3, 1, 1, 3, 3, 1, 3, 1],
        ),
    ],
)
def test_spike_differs_as_a_stream_must(values, threshold, theirs, ours):
    found = flags(values, spike_suspect=threshold)
    assert found == ours
    assert Quality.FAIL not in found
    judged = [k for k in range(1, len(values) - 1) if min(abs(values[k] - values[k - 1]), abs(values[k + 1] - values[k])) > threshold]
    returns = [k for k in judged if (values[k] - values[k - 1]) * (values[k + 1] - values[k]) < 0 and theirs[k] in (3, 4)]
    assert all(
        found[k] == Quality.SUSPECT for k in returns if not (k > 1 and (values[k] - values[k - 1]) * (values[k - 1] - values[k - 2]) > 0)
    )


def test_rate_of_change_differs_only_in_the_return_from_a_suspect_value():
    theirs = [1, 3, 3, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 1]
    found = flags(RATES, step_ms=15 * MINUTE, rate_suspect_per_h=20.0)
    # 2.1 follows the spike 10 and is where the series was before: good here, suspect there. First value: nothing to compare with.
    assert found == [2, 3, 1, *theirs[3:]]


def test_rate_of_change_of_negative_values():
    assert flags([-2, -10, -2, -3], step_ms=15 * MINUTE, rate_suspect_per_h=20.0) == [2, 3, 1, 1]  # ioos_qc: 1 3 3 1


def test_flat_line_gives_suspect_where_theirs_fails():
    values = [1, 2, 2.0001, 2, 2.0001, 2, 2.0001, 2, 4, 5, 3, 3.0001, 3.0005, 3.00001]
    theirs = [1, 1, 1, 1, 3, 3, 4, 4, 1, 1, 1, 1, 1, 3]  # suspect after 3 steps (4 values), fail after 5
    found = flags(values, flat_line_tolerance=0.01, flat_line_count=4)
    assert found[3:] == [min(one, 3) for one in theirs[3:]]
    assert found[:3] == [2, 2, 2]


@pytest.mark.parametrize(
    ("values", "limits", "theirs"),
    [
        ([1, 2, 3, 4], {"attenuated_std": 0.75}, 1),
        ([1, 2, 3, 4], {"attenuated_std": 5}, 3),
        ([1, 1, 1, 1], {"attenuated_std": 10}, 4),
        ([10, 20, 30, 40], {"attenuated_std": 100_000}, 4),
        ([10, 20, 30, 40], {"attenuated_range": 50}, 4),
        ([10, 20, 30, 40], {"attenuated_range": 31}, 3),
        ([3, 4, 5, 8.1, 9, 8.5, 8.7, 8.4, 8.2, 8.35, 2, 1], {"attenuated_range": 0.15}, 1),
    ],
)
def test_attenuated_signal_over_the_whole_record_is_said_by_the_last_sample(values, limits, theirs):
    # ioos_qc flags the record at once, a stream knows it at its end; never FAIL.
    assert flags(values, step_ms=DAY, attenuated_window_s=86_400 * 100, **limits)[-1] == min(theirs, 3)


@pytest.mark.parametrize(("least", "first"), [(1, 2), (2, 2)])
def test_attenuated_signal_in_a_time_window(least, first):
    # ioos_qc: 4 4 4 3 1 with min_obs 0, 2 4 4 3 1 with min_obs 2. One sample has no range: always UNKNOWN here.
    found = flags([1, 2, 3, 100, 1000], step_ms=DAY, attenuated_range=100, attenuated_window_s=2 * 86_400, attenuated_min_count=least)
    assert found == [first, 3, 3, 3, 1]


def test_attenuated_signal_in_a_time_window_with_a_missing_sample():
    times = [START + day * DAY for day in (0, 2, 3, 4)]  # ioos_qc: 2 9 2 3 1, for range below 100 and for std below 150 alike
    for limit in ({"attenuated_range": 100}, {"attenuated_std": 150}):
        assert flags([1, 10, 100, 1000], times, attenuated_window_s=2 * 86_400, **limit) == [2, 2, 3, 1]


def test_climatology_spans_are_inclusive_and_never_fail():
    spans = {"climatology_min_q1": 10, "climatology_max_q1": 20, "climatology_min_q3": 30, "climatology_max_q3": 40}
    times = [
        at(f"2011-{month}-02") + n for month, n in (("01", 0), ("01", 1), ("01", 2), ("01", 3), ("01", 4), ("07", 0), ("07", 1), ("10", 0))
    ]
    assert flags([9, 10, 11, 20, 21, 35, 11, 11], times, **spans) == [3, 1, 1, 1, 3, 1, 3, 2]


def test_an_impossible_date_fails():
    span = {"earliest_at": at("2012-01-01"), "latest_at": at("2027-01-01")}
    assert flags([1, 1], [at("2026-01-12T23:05:14"), at("2026-01-12T23:05:15")], **span) == [1, 1]
    assert flags([1, 1], [at("2026-01-12T23:05:14"), at("2088-01-12T23:05:16")], **span) == [1, 4]
    assert flags([1], [at("1970-01-01")], **span) == [4]


def test_the_first_sample_after_a_gap_is_suspect_where_theirs_fails():
    times = [at(f"2026-01-12T23:05:1{n}") for n in range(4, 8)]
    assert flags([1] * 4, times, gap_suspect_s=7200) == [2, 1, 1, 1]  # ioos_qc gives the first the flag of the second
    assert flags([1] * 5, [*times, at("2026-02-12T23:05:17")], gap_suspect_s=7200) == [2, 1, 1, 1, 3]
    shifted = [times[0], *(one + 3 * HOUR for one in times[1:]), at("2026-02-12T23:05:17")]
    assert flags([1] * 5, shifted, gap_suspect_s=9000) == [2, 3, 1, 1, 3]  # ioos_qc: 4 4 1 1 4
