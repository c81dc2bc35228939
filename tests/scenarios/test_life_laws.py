"""Laws that hold in every golden scenario: repeating, cutting and restarting change nothing, nothing goes back, silence never clears."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from stream.records.instants import DAY, MINUTE, from_text
from stream.records.journal import Entry, Measurements, Tick, columns, decode, encode
from stream.records.output import Kind
from tests.scenarios.life_player import play
from tests.scenarios.life_scenario import START
from tests.scenarios.test_life_scenarios import SCENARIOS

if TYPE_CHECKING:
    from stream.region.model import Region
    from tests.scenarios.life_scenario import Scenario

EACH = pytest.mark.parametrize(
    ("scenario", "clock"),
    [pytest.param(one, clock, id=f"{name}-{clock}") for name, one in SCENARIOS.items() for clock in one.clocks],
)
CUTS = 2
LOWERING = frozenset({"cleared", "better", "left"})


@EACH
def test_every_record_twice_says_nothing_but_the_same_again(scenario: Scenario, clock: str) -> None:
    """At-least-once: what a door or an intake wrote to the journal twice changes neither what is said nor what is remembered of it."""
    played = play(scenario, clock)
    state, outputs = played.fold.initial(0), []
    for entry in played.entries:
        outputs += played.fold.apply(state, [entry])
        outputs += played.fold.apply(state, [entry])
    assert list(dict.fromkeys(outputs)) == list(dict.fromkeys(played.outputs))


@EACH
def test_other_batches_and_restarts_change_nothing(scenario: Scenario, clock: str) -> None:
    played = play(scenario, clock)
    for seed in range(CUTS):
        rng = random.Random(f"{scenario.name}{seed}")
        state, outputs, at = played.fold.initial(0), [], 0
        while at < len(played.entries):
            size = rng.choice([1, 2, 5, 30])
            outputs += played.fold.apply(state, played.entries[at : at + size])
            at += size
            if rng.random() < 0.1:
                state = played.fold.restore(played.fold.snapshot(state))
        assert outputs == played.outputs
        assert played.fold.snapshot(state) == played.fold.snapshot(played.state)


@EACH
def test_revisions_and_time_never_go_back_and_each_supersedes_the_one_before(scenario: Scenario, clock: str) -> None:
    newest: dict[tuple[str, str], tuple[int, int, str]] = {}
    for one in play(scenario, clock).heard:
        kind = one.output.kind
        if kind not in (Kind.CITY, Kind.WARNINGS) or not one.output.warning_id or one.repeat:
            continue
        revision, sent_at, city = newest.get((kind, one["warning_id"]), (0, 0, one["city_id"]))
        assert (one["supersedes"], one["city_id"]) == (one["revision"] - 1 or None, city), one
        assert one["revision"] == revision + 1 if kind is Kind.WARNINGS else one["revision"] > revision, one
        assert from_text(one["sent_at"]) >= sent_at
        newest[kind, one["warning_id"]] = (one["revision"], from_text(one["sent_at"]), one["city_id"])


@EACH
def test_silence_never_clears(scenario: Scenario, clock: str) -> None:
    """From some moment on nothing is measured any more: once that is noticed, whatever is said is no all clear, and no level is lowered."""
    played = play(scenario, clock)
    rng = random.Random(scenario.name)
    for cut in rng.sample(range(1, len(played.entries)), min(CUTS, len(played.entries) - 1)):
        kept, state = played.entries[:cut], played.fold.initial(0)
        played.fold.apply(state, kept)
        heard = [int(columns(message).observed_at.max()) for entry in kept if isinstance(message := decode(entry.value), Measurements)]
        silent_at = max(heard, default=START) + silent_after(played.region)
        for output in played.fold.apply(state, quiet(kept[-1], clock)):
            if output.warning_id and output.sent_at > silent_at:
                assert output.reason not in LOWERING, output


def silent_after(region: Region) -> int:
    """When the last of its stations is known to be silent (ms)."""
    longest = max(hazard.rules.silent_after_intervals for hazard in region.hazards)
    return round(longest * float(region.series.interval_s.max()) * 1_000)


def quiet(last: Entry, clock: str) -> list[Entry]:
    """Two days in which only time goes on."""
    if clock == "observed":
        end_at = max(last.timestamp, START) + 2 * DAY
        return [Entry(last.offset + 1, end_at, encode(Tick(end_at, 0.0, end_at, closing=True)))]
    times = range(last.timestamp + 10 * MINUTE, last.timestamp + 2 * DAY, 30 * MINUTE)
    return [
        Entry(last.offset + turn, at, encode(Tick(at, 1_800.0, at, acknowledgements_written_at=at))) for turn, at in enumerate(times, 1)
    ]
