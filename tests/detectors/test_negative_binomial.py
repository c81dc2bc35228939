from __future__ import annotations

import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
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
    p = table(negative_binomial, {})
    state = negative_binomial.initial(p)
    for at, cases in poisson(4.0, 150):
        negative_binomial.step(p, state, batch([0], [(at, cases, 1, True)]))
    before = float(state["mean"][0])
    for week in range(150, 156):
        negative_binomial.step(p, state, batch([0], [(START + week * WEEK, 60.0, 1, True)]))
    assert 1.0 < float(state["mean"][0]) / before < 1.05


def test_before_the_warm_up_the_recent_weeks_stand_in_and_find_a_jump():
    found = levels([*poisson(3.0, 20), (START + 20 * WEEK, 30.0)])
    assert not any(found[:9]), "nothing is known yet"
    assert found[-1] >= Level.YELLOW


def test_fewer_than_the_minimum_cases_raise_nothing():
    quiet = [(START + n * WEEK, 0.0) for n in range(100)]
    week = (START + 100 * WEEK, 4.0)
    assert levels([*quiet, week], min_cases=5.0)[-1] == 0
    assert levels([*quiet, week], min_cases=3.0)[-1] > 0


def test_a_corrected_count_of_the_same_week_may_raise_but_is_not_learned_twice():
    p = table(negative_binomial, {})
    state = negative_binomial.initial(p)
    weeks = poisson(4.0, 80)
    for at, cases in weeks:
        negative_binomial.step(p, state, batch([0], [(at, cases, 1, True)]))
    before = state.copy()
    found = negative_binomial.step(p, state, batch([0], [(weeks[-1][0], 60.0, 1, True)]))
    assert found.level[0] == Level.RED
    for field in ("periods", "mean", "phi", "season", "recent", "observed_at"):
        np.testing.assert_array_equal(state[field], before[field])
