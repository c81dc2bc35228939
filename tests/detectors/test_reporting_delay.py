from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, nbinom

from detectors import reporting_delay

FILE = Path(__file__).parents[3] / "shared" / "data" / "counts" / "husO104Hosp.csv"


def stream(rng, share, mean, days):
    """(new reports by delay of each reporting day, cases in all of each day)."""
    totals = rng.poisson(mean, days)
    parts = np.array([rng.multinomial(total, share) for total in totals])
    return [[parts[day - d, d] if day >= d else 0 for d in range(len(share))] for day in range(days)], totals


def test_the_shares_learned_are_those_the_reports_were_drawn_with():
    share = np.array([0.2, 0.3, 0.25, 0.15, 0.1])
    new, _ = stream(np.random.default_rng(1), share, 60, 400)
    state = reporting_delay.initial(1, 4)
    for row in new:
        reporting_delay.report(state, np.array([row], dtype=float), 200.0)
    np.testing.assert_allclose(reporting_delay.share_known(state)[0], share.cumsum(), atol=0.02)


def test_with_all_reports_equally_remembered_it_is_the_chain_ladder():
    new, _ = stream(np.random.default_rng(2), [0.4, 0.3, 0.2, 0.1], 30, 40)
    state = reporting_delay.initial(1, 3)
    for row in new:
        reporting_delay.report(state, np.array([row], dtype=float), 1e12)
    done = [[sum(new[day + d][d] for d in range(last + 1)) if day + last < 40 else None for last in range(4)] for day in range(40)]
    factors = []
    for d in range(3):  # development factor: cases by delay d + 1 over those by delay d, of the days that have both
        pairs = [(row[d + 1], row[d]) for row in done if row[d + 1] is not None]
        factors.append(sum(a for a, _ in pairs) / sum(b for _, b in pairs))
    expected = [1.0 / np.prod(factors[d:]) for d in range(4)]
    np.testing.assert_allclose(reporting_delay.share_known(state, prior_cases=0.0)[0], expected, rtol=1e-9)


def test_the_nowcast_is_right_on_average_and_as_unsure_as_it_says():
    rng = np.random.default_rng(3)
    share, series, days = np.array([0.3, 0.3, 0.2, 0.2]), 200, 150
    made = [stream(rng, share, 25, days) for _ in range(series)]
    state = reporting_delay.initial(series, 3)
    for day in range(days):
        reporting_delay.report(state, np.array([new[day] for new, _ in made], dtype=float), 60.0)
    cast = reporting_delay.nowcast(state)
    truth = np.array([totals[::-1][:4] for _, totals in made])
    error = cast.estimate - truth
    assert np.abs(error.mean(axis=0)).max() < 2.0
    assert 0.75 < (error[:, :3] / cast.standard_deviation[:, :3]).std() < 1.3
    np.testing.assert_allclose(error[:, 3], 0.0)


def test_hus_cases_of_2011_are_foreseen_better_than_by_counting_those_known():
    if not FILE.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{FILE} is needed")
        pytest.skip(f"{FILE} is not here")
    with FILE.open(newline="") as file:
        cases = [(date.fromisoformat(row["dHosp"]), date.fromisoformat(row["dReport"])) for row in csv.DictReader(file) if row["dReport"]]
    first = min(onset for onset, _ in cases)
    pairs = [((onset - first).days, min((report - onset).days, 15)) for onset, report in cases if report >= onset]
    days = max(onset + delay for onset, delay in pairs) + 1
    totals = np.bincount([onset for onset, _ in pairs], minlength=days)
    state, known, foreseen = reporting_delay.initial(1, 15), [], []
    for day in range(days):
        new = np.zeros((1, 16))
        for onset, delay in pairs:
            if onset + delay == day:
                new[0, delay] += 1
        reporting_delay.report(state, new, 21.0)
        cast = reporting_delay.nowcast(state)
        if 22 <= day < 45:  # the first reports were written on day 11, most cases fell ill on days 12 to 25
            truth = sum(totals[day - back] for back in range(2, 15))
            known.append(cast.known[0, 2:15].sum() - truth)
            foreseen.append(cast.estimate[0, 2:15].sum() - truth)
    errors = {name: float(np.abs(e).mean()) for name, e in (("known", known), ("nowcast", foreseen))}
    print(f"HUS 2011, cases that fell ill 2 to 14 days ago, mean absolute error: {errors}")
    assert errors["nowcast"] < 0.9 * errors["known"]


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 60.0), st.floats(1.05, 6.0), st.floats(0.05, 0.95), st.integers(0, 20))
def test_a_thinned_negative_binomial_is_the_law_of_the_part_that_is_known(mean, phi, share, count):
    totals = np.arange(3_000)
    exact = (nbinom.pmf(totals, mean / (phi - 1.0), 1.0 / phi) * binom.pmf(count, totals, share)).sum()
    thin, spread = reporting_delay.thinned(np.array([mean]), np.array([phi]), np.array([share]))
    assert nbinom.pmf(count, thin[0] / (spread[0] - 1.0), 1.0 / spread[0]) == pytest.approx(exact, rel=1e-6, abs=1e-12)


def test_cases_taken_back_never_make_a_negative_count():
    state = reporting_delay.initial(1, 2)
    for new in ([5.0, 0.0, 0.0], [2.0, 3.0, 0.0], [1.0, -9.0, 1.0]):
        reporting_delay.report(state, np.array([new]), 30.0)
    cast = reporting_delay.nowcast(state)
    assert (cast.known >= 0).all()
    assert np.isfinite(cast.estimate).all()
    assert (cast.estimate >= cast.known).all()
