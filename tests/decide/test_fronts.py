"""A substance's first trace at a station tells how fast the river carries it, whether it alarms there or not."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.decide.conditions import conditions
from stream.records.instants import HOUR, SECOND
from stream.records.journal import Flag

STATIONS = """station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,limit
upper,nitrobenzene,rill,mg/l,ava,30.0,110.0,r1,0,7200,UTC,0.017
middle,nitrobenzene,rill,mg/l,bor,29.8,110.1,r2,0,7200,UTC,0.017
lower,nitrobenzene,rill,mg/l,cam,29.6,110.2,r3,0,7200,UTC,0.017
well,nitrobenzene,rill,mg/l,cam,29.6,110.2,,,7200,UTC,0.017
"""
SPILL = """
family = "water"
category = "env"
quantities = ["nitrobenzene"]
footprint = "river_solute"
[[detectors]]
name = "concentration"
[detectors.parameters]
clear_after_n = 1
TRACE
[quality]
fail_min = 0
[rules]
validity_s = 21600
hold_s = 3600
silent_after_intervals = 30
status_valid_s = 7200
grid_step_s = 3600
[texts.zh]
name = "污染"
[texts.en]
name = "spill"
"""


@pytest.fixture
def river(story):
    def tell(trace="trace = 0", **options):
        files = {"hazards/flood.toml": "", "hazards/spill.toml": SPILL.replace("TRACE", trace), "stations.csv": STATIONS}
        return story(files, **options)

    return tell


def measure(tale, at, values, observed_at=None, flags=0):
    return tale.measure(at, {f"{name}/nitrobenzene": value for name, value in values.items()}, observed_at, flags)


def passages(tale, now):
    """Reach, instant and gap (h) of the passages that footprints are told, by reach."""
    found = conditions(now, tale.region, tale.region.hazards[0], tale.state.core.domains["rill"]).passages
    return sorted((one.reach, one.front_at, one.gap_h) for one in found)


def test_a_trace_below_the_limit_warns_nobody_and_corrects_the_arrival_below(river, start):
    tale = river()
    measure(tale, start, {"upper": 0, "middle": 0, "lower": 0})
    measure(tale, start + HOUR, {"upper": 0.4})
    (before,) = tale.messages("cam")
    measure(tale, start + 2 * HOUR, {"middle": 0})
    measure(tale, start + 4 * HOUR, {"middle": 0.004})

    assert passages(tale, start + 4 * HOUR) == [("r1", start + HOUR, 1.0), ("r2", start + 4 * HOUR, 2.0)]
    assert sorted(tale.state.core.domains["rill"].hazards["spill"].sources) == ["upper/nitrobenzene"], "a trace is no danger of its own"
    assert {body["path"] for body in tale.messages("bor")} == {"river"}
    after = tale.messages("cam")[-1]
    assert after["msg_type"] == "update"
    assert after["reason"] == "earlier"
    assert after["arrives_at_p50"] < before["arrives_at_p50"]
    assert any(word.startswith("from:r2@0") for word in after["reasons"])

    measure(tale, start + 6 * HOUR, {"middle": 0.02})
    measure(tale, start + 8 * HOUR, {"middle": 0.2})
    assert passages(tale, start + 8 * HOUR)[1] == ("r2", start + 4 * HOUR, 2.0), "the alarm comes later than the front"


def test_a_trace_alone_is_no_event(river, start):
    tale = river()
    measure(tale, start, {"upper": 0, "middle": 0})
    measure(tale, start + HOUR, {"upper": 0.01, "middle": 0.01})
    assert [tale.told(city) for city in ("ava", "bor", "cam")] == [[], [], []]


def test_without_a_trace_the_passage_is_the_alarm(river, start):
    tale = river("")
    measure(tale, start, {"upper": 0, "middle": 0})
    measure(tale, start + HOUR, {"upper": 0.4})
    measure(tale, start + 4 * HOUR, {"middle": 0.004})
    assert passages(tale, start + 4 * HOUR) == [("r1", start + HOUR, 1.0)]
    measure(tale, start + 6 * HOUR, {"middle": 0.02})
    assert passages(tale, start + 6 * HOUR)[1] == ("r2", start + 6 * HOUR, 2.0)


def test_what_a_first_look_finds_is_a_bound_if_high_and_the_edge_of_the_cloud_if_low(river, start):
    tale = river()
    measure(tale, start, {"upper": 0.4})
    measure(tale, start + 2 * HOUR, {"middle": 0.01, "lower": 0.1, "well": 0.01})
    expected = [("r1", start, math.inf), ("r2", start + 2 * HOUR, 2.0), ("r3", start + 2 * HOUR, math.inf)]
    assert passages(tale, start + 2 * HOUR) == expected, "the usual interval of that series; a well tells nothing of a river"


def test_the_front_at_the_source_itself_is_its_first_trace_too(river, start):
    tale = river()
    for hour, value in enumerate((0, 0, 0.003, 0.01, 0.02, 0.3)):
        measure(tale, start + hour * HOUR, {"upper": value})
    assert passages(tale, start + 5 * HOUR) == [("r1", start + 2 * HOUR, 1.0)]


def test_what_the_river_always_holds_is_no_front_of_its_event(river, start):
    tale = river()
    for hour in range(9):
        measure(tale, start + hour * HOUR, {"upper": 0.005, "middle": 0.005})
    measure(tale, start + 9 * HOUR, {"upper": 0.3})
    measure(tale, start + 10 * HOUR, {"middle": 0.006})
    assert passages(tale, start + 10 * HOUR) == [("r1", start + 9 * HOUR, 1.0)]


def test_a_corrected_trace_is_none_and_a_late_one_counts(river, start):
    tale = river()
    measure(tale, start, {"upper": 0, "middle": 0})
    measure(tale, start + HOUR, {"upper": 0.4})
    measure(tale, start + 3 * HOUR, {"middle": 0.01})
    measure(tale, start + 3 * HOUR + SECOND, {"middle": 0.0}, start + 3 * HOUR)
    assert [one[0] for one in passages(tale, start + 4 * HOUR)] == ["r1"]

    measure(tale, start + 5 * HOUR, {"middle": 0.01})
    measure(tale, start + 5 * HOUR + SECOND, {"middle": 0.005}, start + 4 * HOUR)
    assert passages(tale, start + 6 * HOUR)[1] == ("r2", start + 4 * HOUR, 1.0)


def test_one_suspect_value_is_no_front_until_the_next_one_agrees(river, start):
    tale = river()
    measure(tale, start, {"upper": 0, "middle": 0})
    measure(tale, start + HOUR, {"upper": 0.4})
    measure(tale, start + 2 * HOUR, {"middle": 0.01}, flags=Flag.SUSPECT)
    assert [one[0] for one in passages(tale, start + 2 * HOUR)] == ["r1"]
    measure(tale, start + 3 * HOUR, {"middle": 0.01})
    assert passages(tale, start + 3 * HOUR)[1] == ("r2", start + 2 * HOUR, 2.0)


def test_an_event_that_is_over_teaches_the_next_one_nothing(river, start):
    tale = river()
    measure(tale, start, {"upper": 0, "middle": 0})
    measure(tale, start + HOUR, {"middle": 0.01})
    assert passages(tale, start + HOUR) == [], "no event yet"
    measure(tale, start + 2 * HOUR, {"upper": 0.4, "middle": 0})
    measure(tale, start + 4 * HOUR, {"middle": 0.01})
    state = tale.state.core.domains["rill"].hazards["spill"]
    assert sorted(state.fronts) == ["middle/nitrobenzene", "upper/nitrobenzene"]

    at = start + 5 * HOUR
    while state.sources and at < start + 1000 * HOUR:
        measure(tale, at, {"upper": 0.001, "middle": 0.012})
        tale.tick(at + SECOND)
        at += HOUR
    assert not state.sources
    assert state.fronts == {}
    measure(tale, at, {"upper": 0.5, "middle": 0.012})
    assert [(reach, front_at) for reach, front_at, _ in passages(tale, at)] == [("r1", at)], "what lingers is of the event before"


def wild(tale, seed, start):
    """A random journal: spills come and go, samples are missing, late, corrected, doubtful."""
    rng = random.Random(seed)
    for hour in range(80):
        at = start + hour * HOUR
        for place, name in enumerate(("upper", "middle", "lower")):
            value = max(0.0, 0.04 * math.sin((hour - 4 * place) / 8.0) + rng.choice([0.0, 0.01, -0.02]))
            flags = Flag.SUSPECT if rng.random() < 0.1 else 0
            if rng.random() < 0.8:
                measure(tale, at, {name: round(value, 3)}, at - rng.choice([0, 0, 0, HOUR, 3 * HOUR]), flags)
            if rng.random() < 0.1:
                measure(tale, at + SECOND, {name: rng.choice([0.0, 0.01, 0.1])}, at)
        tale.tick(at + 2 * SECOND)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), size=st.integers(1, 60), cut=st.floats(0, 1))
def test_neither_the_cut_into_calls_nor_a_restart_changes_what_fronts_tell(river, start, seed, size, cut):
    tale = river()
    wild(tale, seed, start)

    state, outputs, restored = tale.fold.initial(tale.state.core.partition), [], False
    for at in range(0, len(tale.entries), size):
        if at >= cut * len(tale.entries) and not restored:
            state, restored = tale.fold.restore(tale.fold.snapshot(state)), True
        outputs += tale.fold.apply(state, tale.entries[at : at + size])
    assert outputs == tale.outputs
    assert tale.fold.snapshot(state) == tale.fold.snapshot(tale.state)


def test_the_random_journals_hold_fronts_that_correct(river, start):
    tale = river()
    wild(tale, 1, start)
    assert len(tale.state.core.domains["rill"].hazards["spill"].fronts) > 1
    assert any(word.startswith("from:r2") for body in tale.messages("cam") for word in body["reasons"])
