from __future__ import annotations

import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import START, batch, table

from detectors import negative_binomial
from detectors.base import Level

WEEK = 604_800_000
DATA = Path(__file__).parents[3] / "shared" / "data" / "counts"


def read(name):
    """[(ms, cases, is outbreak)] of a labelled weekly series."""
    path = DATA / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is needed")
        pytest.skip(f"{path} is not here")
    with path.open(newline="") as file:
        return [
            (int(datetime.fromisoformat(row[""]).replace(tzinfo=UTC).timestamp() * 1000), float(row["n_cases"]), row["outbreak"] == "True")
            for row in csv.DictReader(file)
        ]


def levels(weeks, **parameters):
    p = table(negative_binomial, parameters)
    state, found = negative_binomial.initial(p), []
    for at, cases, *_ in weeks:
        found.append(int(negative_binomial.step(p, state, batch([0], [(at, cases, 1, True)])).level[0]))
    return found


def f1(weeks, alarms):
    labels = [outbreak for *_, outbreak in weeks]
    hits = sum(a and o for a, o in zip(alarms, labels, strict=True))
    return 2 * hits / (sum(alarms) + sum(labels)), sum(alarms), hits


def test_labelled_salmonella_outbreaks_are_found_with_settings_fixed_on_the_outbreak_free_years():
    train, test = read("epysurv_salmonella_train.csv"), read("epysurv_salmonella_test.csv")
    alphas = [0.05, 0.02, 0.01, 0.005, 0.0025, 0.001]
    quiet = [alpha for alpha in alphas if not any(levels(train, alpha_blue=alpha)[52:])]
    for name, alpha in (("largest alpha without an alarm in training", quiet[0]), ("shipped default", negative_binomial.DEFAULTS[0])):
        alarms = [level > 0 for level in levels([*train, *test], alpha_blue=alpha)[len(train) :]]
        score, count, hits = f1(test, alarms)
        print(f"epysurv salmonella, {name}: alpha {alpha}: {count} alarms, {hits} of 4 outbreak weeks, F1 {score:.3f}")
        assert score >= 0.85


def poisson(mean, weeks, seed=7):
    rng = np.random.default_rng(seed)
    return [(START + n * WEEK, float(c)) for n, c in enumerate(rng.poisson(mean, weeks))]


def test_quiet_counts_alarm_about_as_rarely_as_alpha_says():
    n, weeks, alpha = 400, 260, 0.01
    rng = np.random.default_rng(11)
    p = np.repeat(table(negative_binomial, {"alpha_blue": alpha, "min_cases": 0.0}), n)
    state, alarms = negative_binomial.initial(p), []
    counts = rng.negative_binomial(8.0 / 0.8, 1 / 1.8, (weeks, n)).astype(float)
    for week in range(weeks):
        found = negative_binomial.step(p, state, batch(range(n), [(START + week * WEEK, c, 1, True) for c in counts[week]]))
        alarms.append((found.level > 0).mean())
    rate = float(np.mean(alarms[104:]))
    print(f"false alarms a week at alpha {alpha}: {rate:.4f}")
    assert 0.2 * alpha < rate < 2.0 * alpha


def test_a_past_outbreak_does_not_hide_the_next_one():
    weeks = poisson(4.0, 170)
    for n in (120, 121, 122, 140, 141):
        weeks[n] = (weeks[n][0], 40.0)
    found = levels(weeks)
    assert all(found[n] == Level.RED for n in (120, 121, 122, 140, 141))
    assert not any(found[n] for n in range(125, 140))


def test_the_baseline_hardly_learns_from_weeks_in_alarm():
    weeks = poisson(4.0, 157)
    _, quiet = taught(weeks)
    p, alarmed = taught(weeks[:150])
    for week in range(150, 157):
        assert one(p, alarmed, (START + week * WEEK, 60.0, 1, True))[0] == Level.RED
    assert 1.0 < float(alarmed["expected"][0] / quiet["expected"][0]) < 1.2


def test_before_a_year_is_known_a_jump_is_found_all_the_same():
    found = levels([*poisson(3.0, 20), (START + 20 * WEEK, 30.0)])
    assert not any(found[:9]), "nothing is known yet"
    assert found[-1] >= Level.YELLOW


def test_fewer_than_the_minimum_cases_raise_nothing():
    quiet = [(START + n * WEEK, 0.0) for n in range(100)]
    week = (START + 100 * WEEK, 4.0)
    assert levels([*quiet, week], min_cases=5.0)[-1] == 0
    assert levels([*quiet, week], min_cases=3.0)[-1] > 0


def taught(weeks, **parameters):
    p = table(negative_binomial, parameters)
    state = negative_binomial.initial(p)
    for at, cases, *_ in weeks:
        negative_binomial.step(p, state, batch([0], [(at, cases, 1, True)]))
    return p, state


def one(p, state, item):
    found = negative_binomial.step(p, state, batch([0], [item]))
    return Level(int(found.level[0])), negative_binomial.WHY[found.why[0]]


def test_a_corrected_count_of_the_newest_week_raises_at_once_and_says_so():
    weeks = poisson(4.0, 80)
    p, state = taught(weeks)
    assert one(p, state, (weeks[-1][0], 60.0, 1, True)) == (Level.RED, "corrected")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_only_the_last_correction_of_a_week_is_learned(corrections):
    weeks = poisson(4.0, 80)
    p, corrected = taught(weeks)
    _, plain = taught([*weeks[:-1], (weeks[-1][0], float(corrections[-1]))])
    for count in corrections:
        negative_binomial.step(p, corrected, batch([0], [(weeks[-1][0], float(count), 1, True)]))
    for state in (corrected, plain):
        state["level"], state["weight"] = 0, np.minimum(state["weight"], 0.1)  # the alarm of a count since corrected is not forgotten
        negative_binomial.step(p, state, batch([0], [(weeks[-1][0] + WEEK, 4.0, 1, True)]))
    for field in ("periods", "coefficients", "covariance", "phi", "count_before"):
        np.testing.assert_array_equal(corrected[field], plain[field])


def test_a_total_that_went_down_moves_no_level_and_is_not_learned():
    weeks = [*poisson(4.0, 80), (START + 80 * WEEK, 60.0)]
    p, state = taught(weeks)
    assert state["level"][0] == Level.RED
    assert one(p, state, (START + 81 * WEEK, -35.0, 1, True)) == (Level.RED, "corrected")
    before = state["periods"][0]
    assert one(p, state, (START + 82 * WEEK, 3.0, 1, True)) == (Level.NONE, "lowered")
    assert state["periods"][0] == before
    assert np.isfinite(state["coefficients"]).all()


def test_a_late_count_of_a_closed_week_says_that_it_is_late_and_is_not_learned():
    p, state = taught(poisson(4.0, 80))
    before = state.copy()
    assert one(p, state, (START + 70 * WEEK, 60.0, 1, False)) == (Level.RED, "late")
    for field in ("periods", "coefficients", "phi", "count", "count_before", "observed_at"):
        np.testing.assert_array_equal(state[field], before[field])


def test_a_corrected_count_of_the_week_before_counts_with_the_newest_week_and_is_not_learned():
    weeks = [(START + n * WEEK, float(c)) for n, c in enumerate([4, 5, 3, 4] * 30)]
    p, state = taught([*weeks, (START + 120 * WEEK, 4.0)], alpha_blue=1e-2)
    learned = state["periods"][0]
    assert one(p, state, (START + 121 * WEEK, 9.0, 1, True))[0] == Level.NONE
    after = state["coefficients"].copy()
    assert one(p, state, (START + 120 * WEEK, 9.0, 1, False))[0] == Level.NONE
    assert one(p, state, (START + 121 * WEEK, 9.0, 1, True)) == (Level.BLUE, "corrected")
    assert state["periods"][0] == learned + 1
    np.testing.assert_array_equal(state["coefficients"], after)


def test_an_outbreak_in_two_weeks_together_is_found_where_neither_week_shows_it():
    weeks = [(START + n * WEEK, float(c)) for n, c in enumerate([4, 5, 3, 4] * 30)]
    both = [*weeks, (START + 120 * WEEK, 9.0), (START + 121 * WEEK, 9.0)]
    apart = [*weeks, (START + 120 * WEEK, 4.0), (START + 121 * WEEK, 9.0)]
    assert levels(both, alpha_blue=1e-2)[-2:] == [Level.NONE, Level.BLUE]
    assert levels(apart, alpha_blue=1e-2)[-2:] == [Level.NONE, Level.NONE]


def test_a_season_is_foreseen_and_a_rise_that_belongs_to_it_is_no_alarm():
    weeks = [(START + n * WEEK, np.rint(20.0 * np.exp(0.8 * np.cos(2 * np.pi * n / 52.1775)))) for n in range(6 * 52)]
    p, state = taught(weeks)
    for n in range(6 * 52, 7 * 52):
        expected = 20.0 * np.exp(0.8 * np.cos(2 * np.pi * n / 52.1775))
        found = negative_binomial.step(p, state, batch([0], [(START + n * WEEK, np.rint(expected), 1, True)]))
        assert found.level[0] == 0
        assert abs(float(state["expected"][0]) / expected - 1.0) < 0.1


def test_daily_counts_learn_the_days_of_the_week():
    day = 86_400_000
    rng = np.random.default_rng(3)
    usual = np.array([30.0, 28.0, 26.0, 25.0, 27.0, 8.0, 6.0])
    p, state = taught([(START + n * day, float(rng.poisson(usual[n % 7]))) for n in range(400)], period_s=86_400.0)
    foreseen = []
    for n in range(400, 407):
        one(p, state, (START + n * day, usual[n % 7], 1, True))
        foreseen.append(float(state["expected"][0]))
    np.testing.assert_allclose(foreseen, [usual[n % 7] for n in range(400, 407)], rtol=0.25)


def test_p_values_are_valid_and_evidence_does_not_favour_an_outbreak_in_quiet_weeks():
    n, weeks = 300, 200
    rng = np.random.default_rng(5)
    p = np.repeat(table(negative_binomial, {}), n)
    state, said, ratios = negative_binomial.initial(p), [], []
    for week in range(weeks):
        counts = rng.negative_binomial(6.0 / 0.5, 1 / 1.5, n).astype(float)
        found = negative_binomial.step(p, state, batch(range(n), [(START + week * WEEK, c, 1, True) for c in counts]))
        if week >= 60:
            said.append(found.p_value)
            ratios.append(np.exp(found.log_lr))
    for alpha in (0.01, 0.05, 0.2):
        assert (np.array(said) <= alpha).mean() < 1.2 * alpha
    assert np.mean(ratios) < 1.5, "exactly 1 if the baseline were known"
