from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from quality_twin import QualityTwin
from streams import MINUTE, START, as_dict, batch, rounds, streams, table

from detectors import history, quality
from detectors.base import Quality

GOOD, UNKNOWN, SUSPECT, FAIL, MISSING = Quality.GOOD, Quality.UNKNOWN, Quality.SUSPECT, Quality.FAIL, Quality.MISSING
NAN = float("nan")


def flags(values, step_ms=1000, flag=UNKNOWN, **parameters):
    """The flags of one series' values at even steps."""
    p, h, out = table(quality, parameters), history.initial(1), []
    for n, value in enumerate(values):
        samples = batch([0], [(START + n * step_ms, value, flag, True)])
        out.append(Quality(quality.flag(p, h, samples)[0]))
        samples.flag[0] = out[-1]
        history.push(h, samples)
    return out


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_array_tests_and_their_scalar_twin_agree(data):
    def limit(*values):
        return st.sampled_from([NAN, *values])

    strategy = st.fixed_dictionaries(
        {
            "fail_min": limit(0.0),
            "fail_max": limit(9.0),
            "suspect_min": limit(1.0),
            "suspect_max": limit(6.0),
            "spike_suspect": limit(2.0, 0.5),
            "rate_suspect_per_h": limit(4.0, 0.25),
            "flat_line_tolerance": limit(0.01, 0.6),
            "flat_line_count": limit(2.0, 4.0, 8.0),
        }
    )
    rows = data.draw(st.lists(strategy, min_size=1, max_size=4))
    series = [data.draw(streams(st.integers(-1, 20).map(lambda v: v / 2))) for _ in rows]
    p, h = table(quality, *rows), history.initial(len(rows))
    twins = [QualityTwin(as_dict(p, row)) for row in range(len(rows))]
    for indices, samples in rounds(series):
        found = quality.flag(p, h, samples)
        for i, row in enumerate(indices):
            at, value, came = int(samples.observed_at[i]), float(samples.value[i]), int(samples.flag[i])
            assert found[i] == twins[row].flag(at, value, came, bool(samples.in_order[i]))
            twins[row].history.push(at, value, int(found[i]))
        samples.flag[:] = found
        history.push(h, samples)


def test_the_qartod_spike_vector_in_the_differential_form_spares_the_neighbours_of_the_spike():
    # ioos_qc's vector; its average form gives 2 4 4 4 1 3 1 2: both neighbours of the spike fail, and 40 too is a return away
    expected = [UNKNOWN, GOOD, SUSPECT, GOOD, GOOD, GOOD, GOOD, GOOD]
    assert flags([10, 12, 999.99, 13, 15, 40, 9, 9], spike_suspect=25) == expected


def test_the_qartod_flat_line_vector():
    values = [1, 2, 2.0001, 2, 2.0001, 2, 2.0001, 2, 4, 5, 3, 3.0001, 3.0005, 3.00001]
    found = flags(values, flat_line_tolerance=0.01, flat_line_count=4)
    # ioos_qc: 1 1 1 1 3 3 4 4 1 1 1 1 1 3, where a flat line only ever gets SUSPECT here, and too short a past is UNKNOWN
    assert found == [UNKNOWN] * 3 + [GOOD] + [SUSPECT] * 4 + [GOOD] * 5 + [SUSPECT]


def test_the_range_test_fails_and_suspects():
    spans = {"fail_min": 0, "fail_max": 10, "suspect_min": 1, "suspect_max": 9}
    assert flags([-0.1, 0, 1, 9, 10, 10.1], **spans) == [FAIL, SUSPECT, GOOD, GOOD, SUSPECT, FAIL]


def test_a_real_first_rise_is_never_failed_and_good_as_soon_as_the_next_value_confirms_it():
    limits = {"spike_suspect": 1.0, "rate_suspect_per_h": 2.0, "fail_max": 20.0}
    assert flags([1, 1, 4, 4.1, 4.3], step_ms=15 * MINUTE, **limits) == [GOOD, GOOD, SUSPECT, GOOD, GOOD]


def test_a_rise_that_goes_on_is_no_spike():
    assert flags([1, 1, 4, 7, 10], spike_suspect=1.0) == [UNKNOWN, GOOD, SUSPECT, GOOD, GOOD]


def test_a_sensor_that_swings_to_and_fro_stays_suspect_at_the_far_end():
    assert flags([0, 0, 9, 0, 9, 0], spike_suspect=1.0) == [UNKNOWN, GOOD, SUSPECT, GOOD, SUSPECT, GOOD]


def test_the_return_from_a_drop_out_is_not_suspect():
    limits = {"spike_suspect": 1.0, "rate_suspect_per_h": 2.0}
    assert flags([5, 5, 0, 5, 5], step_ms=15 * MINUTE, **limits) == [UNKNOWN, GOOD, SUSPECT, GOOD, GOOD]


def test_the_flag_a_sample_came_with_takes_part_in_the_roll_up():
    assert flags([5], flag=SUSPECT, fail_max=9) == [SUSPECT]
    assert flags([5], flag=MISSING) == [UNKNOWN]
    assert flags([5], flag=GOOD) == [GOOD]
    assert flags([99], flag=GOOD, fail_max=9) == [FAIL]


def test_without_parameters_nothing_is_tested():
    assert flags([1, 999, -5]) == [UNKNOWN] * 3


def test_an_out_of_order_sample_gets_the_range_test_only():
    p, h = table(quality, {"fail_max": 10.0, "spike_suspect": 1.0}), history.initial(1)
    history.push(h, batch([0], [(START, 1.0, 1, True)]))
    late = batch([0], [(START - MINUTE, 8.0, 2, False)])
    assert quality.flag(p, h, late).tolist() == [GOOD]


def test_an_empty_batch_gives_no_flags():
    found = quality.flag(table(quality, {}), history.initial(1), batch([], []))
    assert found.dtype == np.uint8
    assert len(found) == 0
