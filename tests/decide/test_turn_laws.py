"""Whatever is killed, restored, given to an old process, switched there and back, or lost on the way: who is not entitled says nothing, and nothing is untold."""

from __future__ import annotations

import os

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from stream.records.instants import HOUR
from stream.records.output import Kind
from stream.region.load import load
from tests.chaos.two_versions import NEXT, HeirFold
from tests.decide.conftest import FILES, START, make_bundle
from tests.decide.turns import STEP, World

EXAMPLES = int(os.environ.get("TOCSIN_TURN_EXAMPLES", "60"))
HEIR, OLD = HeirFold.VERSION, "5"
OWN = {
    "hazards/flood.toml": FILES["hazards/flood.toml"].replace('footprint = "river_wave"\n', "").replace("hold_s = 3600", "hold_s = 1800")
}
"""Each city hears of its own gauge only, so that every flood has to be told."""


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    return load(make_bundle({**FILES, **OWN}, tmp_path_factory.mktemp("rill")))


versions = st.sampled_from([OLD, HEIR, HEIR, NEXT])
levels = st.sampled_from([1.0, 4.9, 5.5, 5.5])
gauges = st.sampled_from(["upper", "middle", "lower"])
some = st.sampled_from([1, 3, 9, 500, 500])
moves = st.one_of(
    st.tuples(st.just("flow"), st.integers(1, 9), gauges, levels),
    st.tuples(st.just("flow_read"), st.integers(1, 9), gauges, levels),
    st.tuples(st.just("comes"), versions, some),
    st.tuples(st.just("takes_over"), versions, st.sampled_from([0, 0, 1]), some),
    st.tuples(st.just("die_saying"), st.integers(0, 3)),
    st.tuples(st.just("checkpoint")),
    st.tuples(st.just("order"), st.integers(0, 1)),
)


def play(world, story) -> None:
    for move in story:
        match move:
            case ("flow" | "flow_read", steps, gauge, level):
                world.flow(steps, **{gauge: level})
                world.decide(500 if move[0] == "flow_read" else 0)
            case ("comes", version, most):
                world.assign(version)
                world.decide(most)
            case ("takes_over", version, lost, most):
                world.activate(version)
                world.order()  # by whoever has the partition
                world.decide(most)
                world.assign(version)
                world.decide(500)
                world.order(lost)
                world.decide(most)
            case ("die_saying", says):
                world.decide(60, says)
            case ("order", lost):
                world.order(lost)
            case ("checkpoint",):
                world.checkpoint()


def judged(world) -> None:
    """The laws, once whoever is in force has come and everything is decided."""
    assert world.strange == []
    assert world.doubles() == []
    assert world.against() == []
    records = {(one["city_id"], one["sent_at"]) for one in world.said() if one["type"] == "warning"}
    noted = world.said(Kind.INCIDENTS)
    for city, since, until in world.floods():
        if until == world.read[-1][0]:
            assert world.standing(city) == "red", (city, since)
        elif until - since >= STEP:
            assert any(one[0] == city for one in records) or any(city in str(one) for one in noted), (city, since, until)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves, min_size=8, max_size=30))
def test_nobody_speaks_out_of_turn_and_nothing_is_untold(region, story) -> None:
    world = World(region, START)
    world.flow(2)
    world.assign(OLD)
    world.decide(10)
    world.checkpoint()
    play(world, story)
    world.flow(1)
    world.settle()
    judged(world)
    world.flow(round(3 * HOUR / STEP), upper=1.0, middle=1.0, lower=1.0)
    world.settle()
    judged(world)
