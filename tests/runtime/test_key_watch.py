"""Keys that end are told in time: by the last one without a gap, once at each threshold, and no more when a new one is there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from stream.health.metrics import Metrics
from stream.records.instants import DAY, LATEST_AT
from stream.region.key_expiry import endings
from stream.region.principals import Key, Principal
from stream.runtime.key_watch import KeyWatch

if TYPE_CHECKING:
    import pytest

NOW = 1_714_564_800_000


def principal(*keys: Key, name: str = "ava", revoked: bool = False) -> Principal:
    return Principal(name, "http_token", ("upper",), ("water",), ("live",), "rill", keys, revoked=revoked)


def key(name: str, begins: float = -1, ends: float | None = None, *, revoked: bool = False) -> Key:
    return Key(name, name.encode(), NOW + int(begins * DAY), LATEST_AT if ends is None else NOW + int(ends * DAY), revoked)


def left(*keys: Key) -> list[float]:
    return [one.days_left(NOW) for one in endings([principal(*keys)], NOW)]


def test_a_next_key_counts_if_it_begins_before_the_last_one_ends() -> None:
    assert left(key("a", ends=5), key("b", begins=4, ends=90)) == [90]
    assert left(key("a", ends=5), key("b", begins=6, ends=90)) == [5]
    assert left(key("a", ends=5), key("b", ends=90, revoked=True)) == [5]
    assert left(key("a", ends=5), key("b")) == []
    assert left(key("a", ends=-0.5)) == left(key("a", begins=1)) == left(key("a", revoked=True)) == [0]


def test_who_is_revoked_or_has_a_door_of_his_own_needs_no_key() -> None:
    assert endings([principal(key("a", ends=1), revoked=True), Principal("p", "kafka", (), (), (), "")], NOW) == []


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 30), st.booleans()), max_size=6))
def test_up_to_the_end_that_is_told_some_key_is_valid_at_every_instant_and_at_it_none(spans: list[tuple[int, int, bool]]) -> None:
    keys = [key(f"k{at}", begins, begins + days, revoked=revoked) for at, (begins, days, revoked) in enumerate(spans)]
    for one in endings([principal(*keys)], NOW) if keys else []:
        for at in range(NOW, one.ends_at + 1, DAY // 2):
            valid = any(not each.revoked and each.not_before <= at < each.not_after for each in keys)
            assert valid == (at < one.ends_at)


def test_each_threshold_is_told_once_and_the_metric_follows(caplog: pytest.LogCaptureFixture) -> None:
    held = [principal(key("a", ends=40)), principal(key("b"), name="bor")]
    metrics = Metrics()
    watch = KeyWatch(metrics, lambda: held)

    def said(day: float) -> list[str]:
        caplog.clear()
        for minutes in (0, 1, 2):
            watch.look(NOW + int(day * DAY) + minutes * 60_000)
        return [one.levelname for one in caplog.records]

    with caplog.at_level(logging.WARNING):
        told = {day: said(day) for day in (0, 9, 11, 20, 33.5, 38, 39.5, 41, 42)}
    assert told == {0: [], 9: [], 11: ["WARNING"], 20: [], 33.5: ["WARNING"], 38: [], 39.5: ["ERROR"], 41: ["ERROR"], 42: []}
    held[0] = principal(key("a", ends=40), key("next", begins=39, ends=400))
    assert said(39.5) == []
    shown = {one.labels["principal"]: one.value for one in metrics.key_ends_at.collect()[0].samples}
    assert shown == {"ava": (NOW + 400 * DAY) / 1000}
