"""Laws of the fold: the cut of the journal into calls, crashes and restores never change what is said."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stream.errors import UnknownRegion
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Command
from stream.records.output import Kind

QUIET = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


WATCHED = """
[quality.stage]
spike_suspect = 1.2
fail_max = 450
[health.stage]
factor_min = 50
expected_min = 0.2
drift_max = 2.5
drift_tau_n = 20
chatter_tau_n = 10
"""


AHEAD = """name = "air_forecast"
[detectors.parameters]
blue_mean = 2
yellow_mean = 3
orange_mean = 4
lead_h = 2
[rules]"""
"""A detector that waits for grid instants, because it asks what the other stations show."""


@pytest.fixture
def watched(story, files):
    """The small river with every test of its stations, and a second hazard whose detector asks what the other stations show."""
    flood = files["hazards/flood.toml"]
    ahead = flood.replace('name = "stage"\n[rules]', AHEAD)
    return lambda **options: story({"hazards/flood.toml": flood + WATCHED, "hazards/ahead.toml": ahead}, **options)


def forecast(state):
    """The hazard of that detector."""
    return next(one for one in state.bounds["rill"].hazards if one.hazard.hazard == "ahead")


def wild(tale, seed: int, start: int, hours: int = 30):
    """A random journal: rises, falls, gaps, repeats, corrections, late samples, lagging marks, centimetres for metres."""
    rng = random.Random(seed)
    wrong = {"upper": 0, "middle": rng.randrange(20, 60), "lower": 0}
    level = dict.fromkeys(("upper", "middle", "lower"), 1.0)
    for step in range(hours * 6):
        at = start + step * 10 * MINUTE
        for name in level:
            faulty = wrong[name] and wrong[name] <= step < wrong[name] + 18
            level[name] = level[name] if faulty else max(0.2, level[name] + rng.gauss(0, 0.5) - 0.05 * (level[name] - 1.5))
            unit = 100.0 if faulty else 1.0
            if rng.random() < 0.85:
                observed_at = at - rng.choice([0, 0, 0, 10 * MINUTE, 30 * MINUTE, 5 * HOUR])
                tale.measure(at + rng.randrange(5) * SECOND, {name: round(level[name] * unit, 2)}, observed_at, flags=rng.random() < 0.05)
            if rng.random() < 0.1:
                tale.measure(at + 5 * SECOND, {name: round(level[name] * unit * rng.choice([1.0, 0.3]), 2)}, at)
        if rng.random() < 0.9:
            tale.tick(at + 6 * SECOND, at - rng.choice([0, 2 * SECOND, 3 * MINUTE]))


@QUIET
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 60), min_size=1, max_size=5))
def test_the_cut_into_calls_changes_nothing(watched, start, seed, sizes):
    tale = watched()
    wild(tale, seed, start)
    assert any(output.reason == "first" for output in tale.outputs)
    assert tale.state.core.counts.failed > 0

    state, outputs, at, turn = tale.fold.initial(tale.state.core.partition), [], 0, 0
    while at < len(tale.entries):
        size = sizes[turn % len(sizes)]
        outputs += tale.fold.apply(state, tale.entries[at : at + size])
        at, turn = at + size, turn + 1

    assert outputs == tale.outputs
    assert tale.fold.snapshot(state) == tale.fold.snapshot(tale.state)


@QUIET
@given(seed=st.integers(0, 10_000), cut=st.floats(0, 1))
@example(seed=9017, cut=0.0)
def test_a_restored_state_goes_on_as_if_nothing_had_happened(watched, start, seed, cut):
    tale = watched()
    wild(tale, seed, start)
    where = int(cut * len(tale.entries))
    state = tale.fold.initial(tale.state.core.partition)
    outputs = tale.fold.apply(state, tale.entries[:where])
    saved = tale.fold.snapshot(state)
    again = tale.fold.restore(saved)

    assert tale.fold.snapshot(again) == saved
    outputs += tale.fold.apply(again, tale.entries[where:])
    assert outputs == tale.outputs
    assert tale.fold.snapshot(again) == tale.fold.snapshot(tale.state)


@QUIET
@given(seed=st.integers(0, 10_000))
@example(seed=6533)  # a correction takes an incident back, and another one opens it again
def test_revisions_never_go_back_and_levels_change_only_with_a_reason(watched, start, seed):
    tale = watched()
    wild(tale, seed, start)

    for city in ("ava", "bor", "cam"):
        last: dict[str, dict] = {}
        for body in tale.messages(city):
            before = last.get(body["warning_id"])
            assert body["revision"] == (before["revision"] + 1 if before else 1)
            if before:
                assert body["sent_at"] >= before["sent_at"]
            last[body["warning_id"]] = body


def test_the_random_journals_hold_stations_in_fault_believed_jumps_and_corrections(watched, start):
    found = set()
    tale = watched()
    for seed in range(6):
        wild(tale, seed, start + seed * 50 * HOUR)
        found |= {output.reason for output in tale.outputs}

    assert found >= {"unit_mistake", "unit_suspected", "silent", "sound", "corrected", "first", "cleared"}
    assert tale.state.core.counts.believed > 0
    assert np.count_nonzero(~np.isnan(forecast(tale.state).detectors[0].state["beside"])) > 20
    assert {body["hazard"] for body in tale.messages("cam")} == {"flood", "ahead"}
    assert any(output.kind is Kind.STATION_HEALTH for output in tale.outputs)


def test_an_unknown_region_is_refused_before_anything_changes(story, start, calm):
    tale = story()
    tale.measure(start, calm)
    saved = tale.fold.snapshot(tale.state)
    with pytest.raises(UnknownRegion, match="ffff"):
        tale.give(start + MINUTE, Command("activate", "rill", "ffff"))

    assert tale.fold.snapshot(tale.state) == saved


def test_measurements_that_come_before_their_region_is_active_are_kept(story, start, calm):
    tale = story()
    activation, *_ = tale.entries
    tale.measure(start + MINUTE, {**calm, "lower": 4.5})
    fresh = tale.fold.initial(tale.state.core.partition)

    assert tale.fold.apply(fresh, tale.entries[1:]) == []
    outputs = tale.fold.apply(fresh, [activation._replace(offset=5, timestamp=start + 2 * MINUTE)])
    assert [output.city_id for output in outputs if output.reason == "first" and output.kind == "city"] == ["cam"]
