"""A state that fold version 4 wrote is gone on from: an hour of flood at a small river, recorded with the code of that version."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from stream.decide.fold import Fold
from stream.records.instants import MINUTE, SECOND
from stream.records.journal import Columns, Entry, Tick, encode, measurements
from stream.records.output import Kind
from stream.records.switching import FoldVersion
from stream.records.warning import Lane
from stream.region.bundle import unpack
from stream.region.load import load
from stream.runtime.published import newest, parts
from stream.runtime.topics import Topics

RECORDED = Path(__file__).with_name("version_4.msgpack.gz")


@pytest.fixture
def recorded():
    return msgspec.msgpack.decode(gzip.decompress(RECORDED.read_bytes()))


@pytest.fixture
def region(recorded):
    return load(unpack(recorded["bundle"]))


@pytest.fixture
def fold(region):
    return Fold(lambda _: region, lane=Lane.TEST, clock="broker", partitions=1)


def test_version_4_is_one_that_this_version_goes_on_from() -> None:
    assert "4" in Fold.MIGRATES
    assert Fold.VERSION not in Fold.MIGRATES


def test_everything_is_there_and_what_was_added_has_its_default(recorded, fold) -> None:
    state = fold.restore(recorded["snapshot"])
    flood = state.core.domains["rill"].hazards["flood"]
    [incident] = flood.incidents.values()
    assert {city: told.level for city, told in incident.told.items() if not told.ended} == {"ava": 3, "bor": 3, "cam": 3}
    assert flood.sources["upper/stage"].value == pytest.approx(4.5)
    assert (state.core.decided_by, state.core.takeover) == ("", None)
    bound = next(iter(state.bounds.values()))
    assert len(bound.history) == len(bound.rows)
    assert fold.snapshot(fold.restore(fold.snapshot(state))) == fold.snapshot(state)


def test_it_takes_over_without_a_word_and_goes_on_above_what_was_said(recorded, fold, region) -> None:
    state, at = fold.restore(recorded["snapshot"]), recorded["at"]
    known = newest(recorded["told"], Topics("t.")).values()
    switch = [FoldVersion(Fold.VERSION, "4", lane="test"), *parts(known, Fold.VERSION, at, 900_000, "test")]
    entries = [Entry(number, at, encode(one)) for number, one in enumerate(switch)]
    assert [one for one in fold.apply(state, entries) if one.kind is Kind.CITY and one.warning_id] == []
    outputs = []
    for minutes in range(1, 42, 10):
        when = at + minutes * MINUTE
        rows = [region.series.row_of[name] for name in ("upper/stage", "middle/stage", "lower/stage")]
        values = Columns(np.array(rows, "<i4"), np.full(3, when, "<i8"), np.array([5.5, 1.0, 1.0]), np.zeros(3, "u1"))
        for message in (Tick(when, 600.0, when), measurements("rill", region.region_hash, values), Tick(when + SECOND, 1.0, when)):
            outputs += fold.apply(state, [Entry(0, when, encode(message))])
    said = [json.loads(one.value) for one in outputs if one.kind is Kind.CITY and one.warning_id]
    assert {(one["city_id"], one["level"], one["revision"]) for one in said} >= {("ava", "red", 2), ("bor", "red", 2), ("cam", "red", 2)}
