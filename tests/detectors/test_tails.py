from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betainc

from detectors.tails import log_tail

POWERS = st.floats(-2.0, 4.0)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10_000), POWERS, st.floats(-1.3, 2.0)), min_size=1, max_size=50))
def test_the_tail_agrees_with_scipy_to_nine_digits(cases):
    count = np.array([c[0] for c in cases], dtype=float)
    mean, phi = 10.0 ** np.array([c[1] for c in cases]), 1.0 + 10.0 ** np.array([c[2] for c in cases])
    ours = np.exp(log_tail(count, mean, phi))
    theirs = np.where(count > 0, betainc(np.maximum(count, 1.0), mean / (phi - 1.0), 1.0 - 1.0 / phi), 1.0)
    normal = theirs > 1e-200  # scipy itself loses digits further out
    np.testing.assert_allclose(ours[normal], theirs[normal], rtol=1e-9)


def test_a_count_far_beyond_double_precision_still_has_a_finite_logarithm():
    # log P summed in 60-digit arithmetic (mpmath)
    log_p = log_tail(np.array([334.0]), np.array([4.1427975773068475]), np.array([1.118527900262697]))
    np.testing.assert_allclose(log_p, [-642.8866631770704], rtol=1e-12)


@settings(max_examples=100, deadline=None)
@given(POWERS, st.floats(-1.0, 2.0))
def test_more_cases_are_never_more_likely(power, spread):
    counts = np.arange(0.0, 60.0)
    log_p = log_tail(counts, np.full(60, 10.0**power), np.full(60, 1.0 + 10.0**spread))
    assert log_p[0] == 0.0
    assert (np.diff(log_p) <= 1e-12).all()
