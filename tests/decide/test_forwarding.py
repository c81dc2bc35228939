"""What two partitions would send to and fro waits, and starts anew."""

from __future__ import annotations

import numpy as np
import pytest

from stream.decide.forwarding import HOPS_MOST, WAITS_MS
from stream.records.journal import Columns, Entry, ForwardedMeasurements, Tick, decode, encode, measurements
from stream.records.output import Kind
from tests.decide.moved import STATIONS, World, region

PINS = (("east", 0), ("west", 1))
EAST, WEST = (
    region(tuple(sorted({**dict.fromkeys(STATIONS, "east"), "moved": home, "right": "west"}.items())), PINS) for home in ("east", "west")
)


@pytest.fixture
def world():
    """The eastern partition knows that the station is a western one."""
    world = World([EAST, WEST])
    world.publish()
    world.follow(0)
    world.run(0)
    return world


def arrives(world, hops):
    """A measurement that was sent on so often comes to the eastern partition; what that sends on."""
    arrays = Columns(np.array([EAST.series.row_of["moved/stage"]], "<i4"), np.array([world.now]), np.array([1.0]), np.zeros(1, "u1"))
    one = measurements("east", EAST.region_hash, arrays)
    return apply(world, ForwardedMeasurements("east", EAST.region_hash, one.rows, one.observed_at, one.value, one.flags, hops))


def tick(world, after_ms):
    world.now += after_ms
    return apply(world, Tick(world.now, after_ms / 1000, world.now - 1, acknowledgements_written_at=world.now))


def apply(world, message):
    made = world.fold.apply(world.states[0], [Entry(0, world.now, encode(message))])
    said = [decode(one.value) for one in made if one.kind is Kind.JOURNAL]
    return [(one.domain, one.hops) for one in said if isinstance(one, ForwardedMeasurements)]


def test_it_is_sent_on_so_often_and_no_more(world):
    assert [arrives(world, hops) for hops in range(1, HOPS_MOST)] == [[("west", hops + 1)] for hops in range(1, HOPS_MOST)]
    assert arrives(world, HOPS_MOST) == []


def test_it_waits_through_a_restart_and_is_sent_on_anew(world):
    arrives(world, HOPS_MOST)
    assert tick(world, WAITS_MS - 1_000) == []
    world.states[0] = world.fold.restore(world.fold.snapshot(world.states[0]))
    assert tick(world, 2_000) == [("west", 1)]
    assert tick(world, 2_000) == []
