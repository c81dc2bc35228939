from __future__ import annotations

import numpy as np
from streams import START, batch, table

from detectors import nb_cusum, negative_binomial
from detectors.base import Level
from tests.benchmarks.count_outbreaks import one

WEEK = 604_800_000


def played(module, counts, **parameters):
    """(level, p-value) of every week, (weeks, series) each."""
    n = counts.shape[1]
    p = np.repeat(table(module, parameters), n)
    state, level, p_value = module.initial(p), [], []
    for week, row in enumerate(counts):
        found = module.step(p, state, batch(range(n), [(START + week * WEEK, float(c), 1, True) for c in row]))
        level.append(found.level)
        p_value.append(found.p_value)
    return np.array(level), np.array(p_value)


def test_a_small_excess_that_lasts_is_found_sooner_than_by_single_weeks():
    rng = np.random.default_rng(8)
    counts = rng.poisson(6.0, (290, 200))
    counts[260:] += rng.poisson(6.0, (30, 200))
    first = {}
    for module in (nb_cusum, negative_binomial):
        level, _ = played(module, counts)
        assert (level[100:260] > 0).mean() < 0.01
        alarmed = level[260:275] > 0
        first[module] = np.where(alarmed.any(axis=0), alarmed.argmax(axis=0), 15)
    print({module.__name__: float(weeks.mean()) for module, weeks in first.items()})
    assert first[nb_cusum].mean() < first[negative_binomial].mean() - 1.0
    assert (first[nb_cusum] < 15).mean() > 0.95


def test_the_sum_comes_down_when_the_excess_is_over():
    rng = np.random.default_rng(9)
    counts = rng.poisson(6.0, (200, 100))
    counts[120:126] += 40
    level, _ = played(nb_cusum, counts)
    assert (level[125] >= Level.ORANGE).all()
    assert (level[165:] > 0).mean() < 0.005


def test_one_extreme_week_alone_is_left_to_the_tail_test():
    counts = np.random.default_rng(10).poisson(6.0, (130, 100))
    counts[129] = 500
    level, _ = played(nb_cusum, counts)
    assert (level[-1] <= Level.BLUE).all()


def test_its_p_values_are_about_what_they_say():
    counts = np.random.default_rng(11).negative_binomial(8.0 / 0.8, 1 / 1.8, (400, 400))
    _, p_value = played(nb_cusum, counts)
    for alpha in (0.01, 0.05):
        rate = float((p_value[104:] <= alpha).mean())
        print(f"said {alpha}, achieved {rate:.4f}")
        assert 0.4 * alpha < rate < 1.6 * alpha


def test_a_correction_starts_again_from_the_week_before():
    counts = np.random.default_rng(12).poisson(6.0, (120, 1))
    p = table(nb_cusum, {})
    corrected, plain = nb_cusum.initial(p), nb_cusum.initial(p)
    for week, (count,) in enumerate(counts):
        for state in (corrected, plain):
            nb_cusum.step(p, state, batch([0], [(START + week * WEEK, float(count), 1, True)]))
    now = START + 120 * WEEK
    for count in (18.0, 3.0, 15.0):
        nb_cusum.step(p, corrected, batch([0], [(now, count, 1, True)]))
    nb_cusum.step(p, plain, batch([0], [(now, 15.0, 1, True)]))
    assert plain["sum"][0] > 0
    assert corrected["sum"][0] == plain["sum"][0]


def test_no_quiet_series_alarms_for_ever_because_weeks_of_few_cases_interrupt_its_alarm():
    quiet = one(250_619, 13, paper=True)[1]  # variance five times the mean, and a season: of 5,040 series the one with the longest alarm
    _, p_value = played(nb_cusum, quiet[:, None])
    assert (p_value[104:] <= 1e-3).sum() < 100


def test_the_dispersion_of_skewed_counts_is_learned_though_their_tail_is_clipped():
    counts = np.random.default_rng(5).negative_binomial(1.6 / 4.0, 1.0 / 5.0, (624, 100))
    for module, least in ((nb_cusum, 4.7), (negative_binomial, 4.5)):
        p = np.repeat(table(module, {}), 100)
        state = module.initial(p)
        for week, row in enumerate(counts):
            module.step(p, state, batch(range(100), [(START + week * WEEK, float(c), 1, True) for c in row]))
        assert least < np.median(state["phi"]) < 5.3
