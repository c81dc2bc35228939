"""A gateway's clock is judged by what it sends, and a slow link, a backlog or a few strays are not taken for a wrong clock."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.gateways.skew import AHEAD_MOST_MS, CLOCKS_MOST, EVERY_MS, FORGET_MS, WINDOW, Clock, Skews, estimate
from stream.records.instants import HOUR, MINUTE, SECOND


def link(rng: random.Random, count: int) -> list[int]:
    """Delays of a mobile link: 0.2 s at least, seconds sometimes."""
    return [200 + int(rng.expovariate(1 / 800)) for _ in range(count)]


@given(st.lists(st.integers(0, 10 * HOUR), min_size=8, max_size=50), st.integers(0, HOUR))
def test_a_clock_is_never_said_to_be_further_ahead_than_it_is(ways: list[int], ahead_ms: int) -> None:
    found = estimate([one - ahead_ms for one in ways])
    assert found.ahead_ms <= ahead_ms
    assert found.ahead_ms + min(ways) >= ahead_ms, "and no further off than the quickest message took"
    assert found.ahead_ms == 0 or found.behind_ms == 0


@given(st.lists(st.integers(0, 4 * MINUTE), min_size=8, max_size=50))
def test_a_right_clock_is_never_suspect_on_a_link_of_minutes(ways: list[int]) -> None:
    assert estimate(ways).clock is Clock.SOUND


@pytest.mark.parametrize("ahead_ms", [10 * SECOND, MINUTE, HOUR])
def test_a_clock_that_is_ahead_is_found_to_a_second_while_a_backlog_arrives(ahead_ms: int) -> None:
    rng = random.Random(ahead_ms)
    backlog = list(range(6 * HOUR, 0, -5 * MINUTE))
    found = estimate([one - ahead_ms for one in link(rng, 60) + backlog + link(rng, 60)])
    assert found.clock is Clock.AHEAD
    assert found.ahead_ms == pytest.approx(ahead_ms, abs=SECOND)


def test_hours_of_old_data_after_a_reconnection_are_no_wrong_clock() -> None:
    rng = random.Random(2)
    assert estimate([*range(6 * HOUR, 0, -5 * MINUTE), *link(rng, 10)]).clock is Clock.SOUND


def test_what_is_an_hour_behind_all_the_time_is_called_behind_or_slow() -> None:
    found = estimate([HOUR + one for one in link(random.Random(3), 40)])
    assert (found.clock, found.suspect) == (Clock.BEHIND_OR_SLOW, True)
    assert found.behind_ms == pytest.approx(HOUR, abs=SECOND)


def test_a_clock_that_is_set_while_it_runs_has_jumped() -> None:
    rng = random.Random(4)
    assert estimate([*link(rng, 40), *(one - MINUTE for one in link(rng, 40))]).clock is Clock.JUMPED


def test_a_few_samples_say_nothing() -> None:
    assert estimate([-HOUR] * 7).clock is Clock.UNKNOWN


def test_where_too_many_are_heard_the_first_are_watched_until_they_fall_silent() -> None:
    skews = Skews()
    for name in range(CLOCKS_MOST):
        skews.take(name, 0, 100)
    assert skews.is_due(0, 100 + EVERY_MS)
    assert not skews.is_due(0, 99 + EVERY_MS)
    assert not skews.is_due("new", 100 + EVERY_MS)
    assert skews.is_due("new", 100 + FORGET_MS)


def test_what_is_remembered_is_bounded_and_counted() -> None:
    skews = Skews()
    for number in range(CLOCKS_MOST + 5):
        skews.take(f"stray-{number}", 0, 100)
    for number in range(WINDOW + 50):
        skews.take("a", number + 10 * SECOND, number)
        skews.take("b", number + HOUR, number)
        skews.take("c", number, number + 300)
    assert skews.of("stray-0").samples == 0
    assert skews.of("a").samples == WINDOW
    assert (skews.of("a").clock, skews.of("b").clock, skews.of("c").clock) == (Clock.AHEAD, Clock.AHEAD, Clock.SOUND)
    assert (skews.count(Clock.AHEAD), skews.count(Clock.SOUND), skews.count(Clock.UNKNOWN)) == (2, 1, CLOCKS_MOST - 3)
    assert skews.of("a").ahead_ms > AHEAD_MOST_MS
    assert not skews.of("c").suspect
