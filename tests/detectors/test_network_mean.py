from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import MINUTE, batch

from detectors import history
from detectors.network_mean import network_mean

HOUR = 60 * MINUTE
SAMPLE = st.tuples(st.integers(0, 3), st.integers(0, 300), st.integers(0, 100), st.sampled_from([1, 1, 2, 3]))


def kept(samples, n=4):
    """The history of `n` series after these (row, minute, value, flag)."""
    records = history.initial(n)
    for row, minute, value, flag in samples:
        history.push(records, batch([row], [(minute * MINUTE, float(value), flag, True)]))
    return records


def twin(records, network, row, at):
    """One series after the other."""
    values = []
    for other, record in enumerate(records):
        if other == row or network[other] != network[row]:
            continue
        usable = [
            float(value)
            for when, value, flag in zip(record["observed_at"], record["value"], record["flag"], strict=True)
            if at - 2 * HOUR <= when <= at + 30 * MINUTE and flag < 3
        ]
        values += usable[-1:]
    return sum(values) / len(values) if values else math.nan


@settings(deadline=None)
@given(
    samples=st.lists(SAMPLE, max_size=40), network=st.lists(st.integers(0, 1), min_size=4, max_size=4), minutes=st.lists(st.integers(0, 300), min_size=4, max_size=4)
)  # fmt: skip
def test_it_is_the_mean_of_the_others_newest_good_values(samples, network, minutes):
    records = kept(samples)
    at = np.array(minutes) * MINUTE
    found = network_mean(records, np.array(network), np.arange(4), at)
    assert found == pytest.approx([twin(records, network, row, int(at[row])) for row in range(4)], nan_ok=True)


def test_a_station_without_a_network_is_told_nothing_and_nothing_of_it():
    records = kept([(0, 0, 10.0, 1), (1, 0, 20.0, 1), (2, 0, 40.0, 1)])
    found = network_mean(records, np.array([0, 0, -1, 0]), np.array([0, 2, 3]), np.zeros(3, np.int64))
    assert found == pytest.approx([20.0, math.nan, 15.0], nan_ok=True)
