"""The histogram that takes arrays says what the client library's own does."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from stream.health.tallied import Tallied

BOUNDS = (1.0, 5.0, 60.0)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5, 5.0, 60.0, 61.0]), max_size=5), min_size=1, max_size=4))
def test_it_counts_as_one_value_after_the_other_does(batches):
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    tallied = Tallied("t_seconds", "T", "door", BOUNDS)
    ours.register(tallied)
    slow = Histogram("t_seconds", "T", ["door"], buckets=BOUNDS, registry=theirs)
    for batch in batches:
        tallied.observe("a", np.array(batch, np.float64))
        for value in batch:
            slow.labels("a").observe(value)
    slow.labels("a")

    def samples(registry):
        return {line for line in generate_latest(registry).decode().splitlines() if "_created" not in line and not line.startswith("#")}

    assert samples(ours) == samples(theirs)
