from __future__ import annotations

import numpy as np
from history_twin import HistoryTwin
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import batch, rounds, streams

from detectors import history
from detectors.history import Arrival


def classify_one(h, at, value):
    return Arrival(history.classify(h, np.array([0]), np.array([at]), np.array([value]))[0])


def push_one(h, at, value):
    history.push(h, batch([0], [(at, value, 1, True)]))


@settings(max_examples=200, deadline=None)
@given(st.lists(streams(st.sampled_from([0.0, 1.0, 2.5, 7.0])), min_size=1, max_size=4))
def test_the_array_history_and_its_scalar_twin_agree(series):
    h, twins = history.initial(len(series)), [HistoryTwin() for _ in series]
    for rows, samples in rounds(series):
        codes = history.classify(h, samples.rows, samples.observed_at, samples.value)
        for i, row in enumerate(rows):
            at, value = int(samples.observed_at[i]), float(samples.value[i])
            assert Arrival(codes[i]).name == twins[row].classify(at, value)
            twins[row].push(at, value, int(samples.flag[i]))
        history.push(h, samples)
    for row, twin in enumerate(twins):
        kept = twin.newest_first()
        assert h["count"][row] == len(kept)
        filled = slice(history.LENGTH - len(kept), None)
        columns = [h[name][row, filled][::-1].tolist() for name in ("observed_at", "value", "flag")]
        assert list(zip(*columns, strict=True)) == kept


def test_each_kind_of_arrival_is_told_apart():
    h = history.initial(1)
    assert classify_one(h, 10, 1.0) is Arrival.NEW
    for at in (10, 20, 30):
        push_one(h, at, 1.0)
    assert classify_one(h, 40, 1.0) is Arrival.NEW
    assert classify_one(h, 20, 1.0) is Arrival.DUPLICATE
    assert classify_one(h, 20, 1.5) is Arrival.CORRECTION
    assert classify_one(h, 25, 1.0) is Arrival.OUT_OF_ORDER
    assert classify_one(h, 5, 1.0) is Arrival.OUT_OF_ORDER  # the history is not full: nothing was forgotten yet
    for at in range(40, 90, 10):
        push_one(h, at, 1.0)
    assert classify_one(h, 5, 1.0) is Arrival.TOO_OLD


def test_a_correction_replaces_the_value_and_nothing_else():
    h = history.initial(1)
    for at in (10, 20, 30):
        push_one(h, at, 1.0)
    push_one(h, 20, 9.0)
    assert h["observed_at"][0, -3:].tolist() == [10, 20, 30]
    assert h["value"][0, -3:].tolist() == [1.0, 9.0, 1.0]


def test_newest_says_which_series_have_a_sample():
    h = history.initial(2)
    push_one(h, 10, 1.5)
    observed_at, value, known = history.newest(h)
    assert known.tolist() == [True, False]
    assert (observed_at[0], value[0]) == (10, 1.5)
    assert np.isnan(value[1])


def test_an_empty_batch_changes_nothing():
    h = history.initial(2)
    before = h.tobytes()
    assert len(history.classify(h, np.array([], dtype=np.intp), np.array([], dtype=np.int64), np.array([]))) == 0
    history.push(h, batch([], []))
    assert h.tobytes() == before
