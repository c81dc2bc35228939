"""The simulated fleet: the same bytes from the same seed, faults in the shares that were asked for, and every message taken or refused for its fault."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.accept.door import Accept, DoorRecord
from stream.cli.main import app
from stream.gateways.fleet import Fault, Faults, Plan, fleet
from stream.gateways.skew import Clock, Skews
from stream.records.instants import DAY, HOUR, MINUTE, from_text
from stream.region.load import load_folder
from stream.review.inputs import families, read_files
from stream.settings import Settings
from tests.region.shared import REGIONS

if TYPE_CHECKING:
    from pathlib import Path

REGION = load_folder(REGIONS / "example")
DOORS = families(REGION)
BEGINS_AT = from_text("2026-03-01T00:00:00Z")
NO_FAULTS = Faults(gaps=0, duplicates=0, outages_per_day=0, skewed=0, drifting=0)


def made(days: int = 3, seed: int = 1, faults: Faults = Faults(), **plan: frozenset[str]) -> list:  # noqa: B008
    return list(fleet(REGION, DOORS, Plan(BEGINS_AT, BEGINS_AT + days * DAY, seed, faults, **plan)))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert made() == made()
    assert made() != made(seed=2)


def test_without_faults_everything_that_is_due_is_sent_once() -> None:
    due = sum(int(3 * DAY / 1000 / float(step)) for step in REGION.series.interval_s)
    found = made(faults=NO_FAULTS)
    assert len(found) == due
    assert len({(one.row, one.observed_at) for one in found}) == due
    assert [one.sent_at for one in found] == sorted(one.sent_at for one in found)


def test_faults_come_in_the_shares_that_were_asked_for() -> None:
    clean, found = len(made(20, faults=NO_FAULTS)), made(20, faults=NO_FAULTS._replace(gaps=0.1, duplicates=0.05))
    duplicates = Counter(one.fault for one in found)[Fault.DUPLICATE]
    assert (len(found) - duplicates) / clean == pytest.approx(0.9, abs=0.01)
    assert duplicates / (len(found) - duplicates) == pytest.approx(0.05, abs=0.01)
    assert len({one.value for one in found}) == len(found) - duplicates, "a duplicate is the same bytes"


def test_after_an_outage_what_was_kept_comes_at_once_in_its_order() -> None:
    found = made(10, faults=NO_FAULTS._replace(outages_per_day=2, outage_ms=6 * HOUR))
    backlog = [one for one in found if one.fault is Fault.BACKLOG]
    assert len(backlog) > 50
    assert max(one.sent_at - one.observed_at for one in backlog) > HOUR
    for _, mine in itertools.groupby(sorted(backlog, key=lambda one: one.gateway), key=lambda one: one.gateway):
        observed = [one.observed_at for one in mine]
        assert observed == sorted(observed)
    assert len({(one.row, one.observed_at) for one in found}) == len(made(10, faults=NO_FAULTS)), "nothing is lost"


def test_the_doors_take_all_but_what_a_fast_clock_dates_into_the_future() -> None:
    accept = Accept([REGION], Settings(partitions=2), 2)
    found = made(faults=Faults(skewed=1.0, skew_ms=2 * HOUR))
    refused, taken = Counter(), 0
    for number, one in enumerate(found):
        result = accept.accept(DOORS[one.row], [DoorRecord(0, number, one.sent_at, one.value)], one.sent_at)
        taken += result.accepted
        refused.update(each.reason.value for each in result.refused)
    assert set(refused) == {"time_future"}
    assert taken + refused["time_future"] == len(found)


def test_the_estimator_finds_the_gateways_whose_clocks_are_wrong() -> None:
    skews, wrong, gateways = Skews(), set(), set()
    for one in made(10, faults=Faults(skewed=0.5, skew_ms=30 * MINUTE, outages_per_day=1)):
        if DOORS[one.row] != "health":  # whose instants are ends of periods
            skews.take(one.gateway, one.observed_at, one.sent_at)
            gateways.add(one.gateway)
            wrong |= {one.gateway} if one.fault is Fault.SKEW else set()
    assert wrong
    assert gateways - wrong
    suspects = {one: skews.of(one).clock for one in gateways if skews.of(one).suspect}
    assert set(suspects) == wrong
    assert set(suspects.values()) <= {Clock.AHEAD, Clock.BEHIND_OR_SLOW}


def test_a_series_told_to_rise_rises() -> None:
    name = "hekou/stage"
    found = [json.loads(one.value) for one in made(rising=frozenset({name})) if one.row == REGION.series.row_of[name]]
    assert found[-1]["value"] > 4 * found[0]["value"] or found[-2]["value"] > 4 * found[0]["value"]


def test_memory_does_not_grow_with_the_span() -> None:
    peaks = []
    for days in (5, 40):
        tracemalloc.start()
        count = sum(1 for _ in fleet(REGION, DOORS, Plan(BEGINS_AT, BEGINS_AT + days * DAY, 1, Faults())))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert count > 10_000
    assert peaks[1] < 2 * peaks[0] + 500_000


def test_the_command_writes_what_feed_reads(tmp_path: Path) -> None:
    out = tmp_path / "fleet.jsonl"
    runner = CliRunner()
    done = runner.invoke(
        app, ["simulate", "example", "--hours", "48", "--start", "2026-03-01T00:00:00Z", "--out", str(out), "--faulty", "3"]
    )
    assert done.exit_code == 0, done.output
    assert len(read_files(REGION, [out])) == len(out.read_bytes().splitlines()) > 100
    wrong = runner.invoke(app, ["simulate", "example", "--rise", "nothing/here"])
    assert (wrong.exit_code, "no series nothing/here" in wrong.output) == (1, True)
