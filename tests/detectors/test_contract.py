"""Every detector file keeps the contract of `detectors/base.py`; a new file is picked up by being there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import detectors
from detectors.base import Level, Quality, Samples, detector

FILES = sorted(path.stem for path in Path(detectors.__file__).parent.glob("*.py") if path.stem != "__init__")
NAMES = [name for name in FILES if hasattr(detector(name), "step")]
STEP_MS = {
    "aqi": 3_600_000,
    "negative_binomial": 604_800_000,
    "nb_cusum": 604_800_000,
    "delayed_counts": 604_800_000,
    "ears": 604_800_000,
    "air_cusum": 3_600_000,
    "air_forecast": 3_600_000,
}
LIMITS = {
    "stage": {"blue": 2.0, "yellow": 3.0, "orange": 4.0, "red": 6.0},
    "concentration": {"limit": 2.0, "yellow_factor": 1.5, "orange_factor": 2.0, "red_factor": 3.0},
    "rate_of_rise": {"rise_blue_per_h": 0.5, "rise_yellow_per_h": 1.0, "rise_orange_per_h": 2.0, "rise_red_per_h": 4.0},
    "aqi": {"blue_aqi": 3.0, "yellow_aqi": 5.0, "orange_aqi": 7.0, "red_aqi": 9.0},
    "air_forecast": {"blue_mean": 2.0, "yellow_mean": 3.0, "orange_mean": 4.0, "red_mean": 6.0, "lead_h": 6.0},
    "negative_binomial": {"warmup_periods": 15.0, "alpha_blue": 0.1, "min_cases": 0.0},
    "cusum": {"h_blue": 1.0, "h_yellow": 2.0, "h_orange": 4.0, "h_red": 8.0, "k": 0.25, "warmup_n": 8.0},
    "air_cusum": {"h_blue": 1.0, "h_yellow": 2.0, "h_orange": 4.0, "h_red": 8.0, "k": 0.25, "warmup_n": 8.0, "floor_ug_per_m3": 0.1},
    "nb_cusum": {"warmup_periods": 15.0, "alpha_blue": 0.3, "min_cases": 0.0},
    "ears": {"alpha_blue": 0.1, "min_cases": 0.0},
    "delayed_counts": {"warmup_periods": 15.0, "alpha_blue": 0.1, "min_cases": 0.0},
}
N, ROUNDS = 40, 60


def parameters_of(name, n=N):
    module = detector(name)
    assert name in LIMITS, f"give the new detector {name} parameters that can raise a level in LIMITS of this test"
    values = {**dict(zip(module.PARAMETERS.names, module.DEFAULTS, strict=True)), **LIMITS[name]}
    return np.array([tuple(values.values())] * n, dtype=module.PARAMETERS)


def stream(name, seed=1, n=N, rounds=ROUNDS):
    """Batches of a part of the series each, with jumps, suspect, late and repeated samples."""
    rng = np.random.default_rng(seed)
    newest = np.full(n, 1_700_000_000_000 + rng.integers(0, 3_600_000))
    for _ in range(rounds):
        rows = np.sort(rng.permutation(n)[: rng.integers(0, n + 1)]).astype(np.intp)
        step_ms = STEP_MS.get(name, 900_000)
        late = rng.random(len(rows)) < 0.1
        at = newest[rows] + np.where(late, -rng.integers(0, 3, len(rows)), rng.integers(1, 3, len(rows))) * step_ms
        value = np.rint(rng.gamma(1.2, 1.5, len(rows)) * np.where(rng.random(len(rows)) < 0.1, 8.0, 1.0) * 8.0) / 8.0
        flag = rng.choice(np.array([1, 1, 1, 2, 3], dtype=np.uint8), len(rows))
        yield Samples(rows, at, value, flag, at >= newest[rows])
        newest[rows] = np.maximum(newest[rows], at)


def run(name, parameters, state, batches):
    return [detector(name).step(parameters, state, samples) for samples in batches]


FUSED = ("p_value", "log_lr", "exceedance")


def assert_same(left, right):
    for one, other in zip(left, right, strict=True):
        for field in ("level", "score", "trend", "why", *FUSED):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_all_five_first_detectors_are_found():
    assert set(NAMES) >= {"stage", "concentration", "rate_of_rise", "aqi", "negative_binomial"}


@pytest.mark.parametrize("name", NAMES)
def test_a_detector_offers_what_the_contract_names(name):
    module = detector(name)
    assert module.WHY[0] == "quiet"
    assert len(set(module.WHY)) == len(module.WHY)
    assert len(module.DEFAULTS) == len(module.PARAMETERS.names)
    assert all(module.PARAMETERS[field] == np.float64 for field in module.PARAMETERS.names)
    assert {"level", "observed_at"} <= set(module.STATE.names)
    state = module.initial(parameters_of(name, 3))
    assert state.shape == (3,)
    assert state.dtype == module.STATE
    assert not state["level"].any()


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_in_range_and_the_stream_does_raise_levels(name):
    parameters = parameters_of(name)
    batches = list(stream(name))
    findings = run(name, parameters, detector(name).initial(parameters), batches)
    for samples, found in zip(batches, findings, strict=True):
        assert len(found.level) == len(found.score) == len(found.trend) == len(found.why) == len(samples)
        assert found.level.dtype == found.why.dtype == np.uint8
        assert found.score.dtype == found.trend.dtype == np.float64
        assert (found.level <= Level.RED).all()
        assert np.isfinite(found.score).all()
        assert (found.why < len(detector(name).WHY)).all()
    reached = {int(level) for found in findings for level in found.level}
    assert reached >= {0, 1}, "this stream must not be too quiet to test anything"


@pytest.mark.parametrize("name", NAMES)
def test_a_snapshot_in_the_middle_of_a_stream_is_exact(name):
    parameters = parameters_of(name)
    module, batches = detector(name), list(stream(name))
    state = module.initial(parameters)
    run(name, parameters, state, batches[:30])
    restored = np.frombuffer(state.tobytes(), dtype=module.STATE).copy()
    assert_same(run(name, parameters, state, batches[30:]), run(name, parameters, restored, batches[30:]))
    assert state.tobytes() == restored.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_not_changed_and_findings_do_not_share_memory_with_the_state(name):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    for samples in stream(name):
        fields = (samples.rows, samples.observed_at, samples.value, samples.flag, samples.in_order, parameters)
        before = [field.tobytes() for field in fields]
        found = module.step(parameters, state, samples)
        assert [field.tobytes() for field in fields] == before
        for part in (found.level, found.score, found.trend, found.why):
            assert not any(np.shares_memory(part, other) for other in (state, *fields))


@pytest.mark.parametrize("name", NAMES)
def test_series_are_independent_of_order_in_the_batch_and_of_how_a_batch_is_cut(name):
    parameters = parameters_of(name)
    module = detector(name)
    whole, cut = module.initial(parameters), module.initial(parameters)
    rng = np.random.default_rng(5)
    for samples in stream(name):
        found = module.step(parameters, whole, samples)
        order = rng.permutation(len(samples))
        for part in np.array_split(order, 4 if len(order) % 2 else max(len(order), 1)):
            piece = module.step(parameters, cut, samples.pick(part))
            for field in ("level", "score", "trend", "why"):
                np.testing.assert_array_equal(getattr(piece, field), getattr(found, field)[part])
        assert whole.tobytes() == cut.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_series_whose_parameters_are_not_set_is_silent(name):
    module = detector(name)
    parameters = np.array([(np.nan,) * len(module.PARAMETERS.names)] * N, dtype=module.PARAMETERS)
    for found in run(name, parameters, module.initial(parameters), stream(name)):
        assert not found.level.any()
        assert np.isfinite(found.score).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("flag", [Quality.FAIL, Quality.MISSING])
def test_a_failed_sample_moves_nothing(name, flag):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    batches = list(stream(name))
    run(name, parameters, state, batches[:30])
    before = state.tobytes()
    for samples in batches[30:]:
        failed = Samples(samples.rows, samples.observed_at, samples.value + 1000.0, np.full_like(samples.flag, flag), samples.in_order)
        found = module.step(parameters, state, failed)
        np.testing.assert_array_equal(found.level, state["level"][samples.rows])
    assert state.tobytes() == before


@pytest.mark.parametrize("name", NAMES)
def test_failed_samples_do_not_disturb_good_ones_of_the_same_batch(name):
    parameters = parameters_of(name)
    module = detector(name)
    mixed, alone = module.initial(parameters), module.initial(parameters)
    for number, samples in enumerate(stream(name)):
        failed = (samples.rows + number) % 3 == 0
        flag = np.where(failed, np.uint8(Quality.FAIL), samples.flag)
        found = module.step(parameters, mixed, Samples(samples.rows, samples.observed_at, samples.value, flag, samples.in_order))
        expected = module.step(parameters, alone, samples.pick(~failed))
        np.testing.assert_array_equal(found.level[~failed], expected.level)
        np.testing.assert_array_equal(found.why[~failed], expected.why)
    assert mixed.tobytes() == alone.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_late_sample_never_lowers_a_level_nor_moves_the_newest_instant(name):
    parameters = parameters_of(name)
    module = detector(name)
    state = module.initial(parameters)
    run(name, parameters, state, stream(name))
    rng = np.random.default_rng(2)
    for _ in range(10):
        before = state.copy()
        at = state["observed_at"] - rng.integers(0, 3, N) * STEP_MS.get(name, 900_000)
        late = Samples(np.arange(N, dtype=np.intp), at, np.zeros(N), np.ones(N, dtype=np.uint8), np.zeros(N, dtype=np.bool_))
        found = module.step(parameters, state, late)
        assert (found.level >= before["level"]).all()
        np.testing.assert_array_equal(state["observed_at"], before["observed_at"])
