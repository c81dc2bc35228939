"""What every detector does at the edges of its contract: nothing, no numbers, the same again, wild values. See `test_contract.py`."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Findings, Quality, Samples, detector
from tests.detectors.test_contract import FUSED, NAMES, STEP_MS, N, assert_same, parameters_of, run, stream

REFERENCE = {"ears"}
"""Methods as published: no likelihood ratio, and a count that comes again is held against a baseline with itself in it."""


def calm(name, n, rounds=40):
    """Even, good samples of `n` series that all show the same small values."""
    rng, rows, step_ms = np.random.default_rng(9), np.arange(n, dtype=np.intp), STEP_MS.get(name, 900_000)
    for number in range(rounds):
        at = np.full(n, 1_700_000_000_000 // step_ms * step_ms + number * step_ms)
        value = np.full(n, 0.5 + np.rint(rng.random() * 8.0) / 8.0)
        yield Samples(rows, at, value, np.ones(n, dtype=np.uint8), np.ones(n, dtype=np.bool_))


def after(samples, name, value):
    """Good samples one step later than those, with these values."""
    ones = np.ones(len(value), dtype=np.uint8)
    return Samples(
        samples.rows, samples.observed_at + STEP_MS.get(name, 900_000), np.asarray(value, dtype=float), ones, ones.astype(np.bool_)
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [0, 1])
def test_a_batch_of_nothing_and_of_one_sample_are_batches(name, n):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    run(name, parameters, state, stream(name, rounds=20))
    before = state.copy()
    for samples in stream(name, seed=3, rounds=5):
        found = module.step(parameters, state, samples.pick(np.arange(len(samples)) < n))
        for field in ("level", "score", "trend", "why", *FUSED):
            assert getattr(found, field) is None or getattr(found, field).shape == (min(n, len(samples)),)
    old, new = (np.frombuffer(one.tobytes(), dtype=np.uint8).reshape(N, -1) for one in (before, state))
    assert (old != new).any(axis=1).sum() <= 5 * n
    assert module.initial(parameters[:0]).shape == (0,)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_moves_nothing_and_disturbs_nobody(name, value):
    parameters = parameters_of(name)
    module = detector(name)
    mixed, alone = module.initial(parameters), module.initial(parameters)
    for number, samples in enumerate(stream(name)):
        broken = (samples.rows + number) % 3 == 0
        given = Samples(samples.rows, samples.observed_at, np.where(broken, value, samples.value), samples.flag, samples.in_order)
        found = module.step(parameters, mixed, given)
        assert_same([module.step(parameters, alone, samples.pick(~broken))], [picked(found, ~broken)])
        assert np.isfinite(found.score).all()
    assert mixed.tobytes() == alone.tobytes()


def picked(found, keep):
    """The findings of some of the samples."""
    fields = ("level", "score", "trend", "why", *FUSED)
    return Findings(**{field: None if getattr(found, field) is None else getattr(found, field)[keep] for field in fields})


@pytest.mark.parametrize("name", NAMES)
def test_the_same_state_and_samples_give_the_same_findings_whatever_was_asked_between(name):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    batches = list(stream(name))
    run(name, parameters, state, batches[:30])
    again = state.copy()
    first = run(name, parameters, state, batches[30:])
    run(name, parameters, module.initial(parameters), stream(name, seed=8))
    assert_same(first, run(name, parameters, again, batches[30:]))
    assert state.tobytes() == again.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_that_comes_again_neither_raises_nor_lowers(name):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    for samples in stream(name):
        found = module.step(parameters, state, samples)
        late = Samples(samples.rows, samples.observed_at, samples.value, samples.flag, np.zeros_like(samples.in_order))
        before = state["observed_at"].copy()
        again = module.step(parameters, state, late)
        np.testing.assert_array_equal(state["observed_at"], before)
        good = (samples.flag < Quality.SUSPECT) & samples.in_order
        assert (again.level[good] >= found.level[good]).all()
        if name not in REFERENCE:
            np.testing.assert_array_equal(again.level[good], found.level[good])


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_value_has_no_lower_score_and_a_higher_score_no_lower_level(name):
    n = 60
    parameters = parameters_of(name, n)
    module = detector(name)
    state = module.initial(parameters)
    last = None
    for last in calm(name, n):
        module.step(parameters, state, last)
    found = module.step(parameters, state, after(last, name, np.linspace(0.0, 60.0, n)))
    assert (np.diff(found.score) >= -1e-12).all()
    assert (np.diff(found.level[np.argsort(found.score, kind="stable")].astype(int)) >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_given_to_fusion_is_a_probability_or_a_ratio(name):
    parameters = parameters_of(name)
    if "error_sd" in parameters.dtype.names:
        parameters["error_sd"] = 0.2
    module = detector(name)
    state = module.initial(parameters)
    for samples in stream(name):
        wild = Samples(samples.rows, samples.observed_at, samples.value**4, samples.flag, samples.in_order)
        found = module.step(parameters, state, wild)
        for field in ("p_value", "exceedance"):
            chance = getattr(found, field)
            if chance is not None:
                known = chance[~np.isnan(chance)]
                assert ((known >= 0.0) & (known <= 1.0)).all()
        if found.p_value is not None:
            known = found.p_value[~np.isnan(found.p_value)]
            assert (known > 0.0).all(), "a p-value is never 0"
            assert (found.log_lr is None) == (name in REFERENCE)
        if found.log_lr is not None:
            assert np.isfinite(found.log_lr[~np.isnan(found.log_lr)]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_plain_bytes_without_gaps_so_that_equal_states_are_equal_snapshots(name):
    module = detector(name)
    assert not module.STATE.hasobject
    assert sum(module.STATE[field].itemsize for field in module.STATE.names) == module.STATE.itemsize
    assert module.STATE.itemsize % 8 == 0
    assert [module.STATE.fields[field][1] for field in ("observed_at", "value", "level")] == [0, 8, 16], "what `hysteresis` reads as words"
