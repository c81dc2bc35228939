"""Whatever people state, in whatever order: restarts change nothing, revisions only rise, red takes two persons, and nothing is left open."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.decide.fold import Fold
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, Command, Entry, Statement, Tick, encode, measurements
from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.load import load
from tests.decide.conftest import FILES, START, make_bundle

CITIES, PERSONS, LEVELS = ("ava", "bor", "cam"), ("chen", "li", " CHEN "), ("none", "yellow", "orange", "red")
ACTS = ("report", "report", "report", "confirm", "withdraw", "cancel", "correct", "maintain", "end_maintain", "silence", "unsilence")


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    # Fewer grid instants, so that days pass quickly.
    flood = (
        FILES["hazards/flood.toml"]
        .replace("grid_step_s = 600", "grid_step_s = 7200")
        .replace("status_valid_s = 3600", "status_valid_s = 43200")
    )
    return load(make_bundle(FILES | {"hazards/flood.toml": flood}, tmp_path_factory.mktemp("rill")))


def steps(*, calm):
    said = st.tuples(
        st.sampled_from(ACTS), st.sampled_from(CITIES), st.sampled_from(PERSONS), st.sampled_from(LEVELS), st.integers(0, 4), st.booleans()
    )
    value = st.just(1.0) if calm else st.sampled_from((1.0, 2.5, 4.5, 5.5))
    return st.lists(st.tuples(st.integers(1, 90), st.one_of(said, st.tuples(value, value, value))), min_size=1, max_size=14)


def journal(region, drawn):
    """What was drawn as a journal; statements are about the reports, warnings and stations that could be there."""
    entries = [Entry(0, START, encode(Command("activate", region.name, region.region_hash)))]
    at = START
    for number, (minutes, one) in enumerate(drawn):
        at += minutes * MINUTE
        if len(one) == 3:
            rows = [region.series.row_of[f"{name}/stage"] for name in ("upper", "middle", "lower")]
            arrays = Columns(np.array(rows, "<i4"), np.full(3, at, "<i8"), np.array(one, "<f8"), np.zeros(3, "u1"))
            message = measurements("rill", region.region_hash, arrays)
        else:
            act, city, by, level, about, flag = one
            names = {"maintain": "upper", "end_maintain": "upper"}
            message = Statement(
                "rill", region.region_hash, city, f"stm-{number}", act, by, at, at, at + 2 * HOUR if flag or act == "maintain" else None,
                hazard="flood", about=names.get(act, "" if act == "report" else f"stm-{about}"), level=level,
                place_city=city if act == "report" else "", text="in words",
            )  # fmt: skip
        entries.append(Entry(len(entries), at, encode(message)))
        entries.append(
            Entry(len(entries), at + SECOND, encode(Tick(at + SECOND, 5.0, at + SECOND, acknowledgements_written_at=at + SECOND)))
        )
    for later in range(1, 9):
        end = at + later * 12 * HOUR
        entries.append(Entry(len(entries), end, encode(Tick(end, 5.0, end, acknowledgements_written_at=end))))
    return entries


def fold(region):
    return Fold(lambda _: region, lane=Lane.TEST, clock="broker", partitions=1)


def told(outputs):
    return [json.loads(one.value) for one in outputs if one.kind is Kind.CITY and one.warning_id]


SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@SLOW
@given(drawn=steps(calm=False))
def test_a_restart_after_every_record_changes_nothing(region, drawn):
    entries, one = journal(region, drawn), fold(region)
    state, other = one.initial(0), one.initial(0)
    straight = one.apply(state, entries)
    pieces = []
    for entry in entries:
        other = one.restore(one.snapshot(other))
        pieces += one.apply(other, [entry])
    assert straight == pieces
    assert one.snapshot(state) == one.snapshot(other)


@SLOW
@given(drawn=steps(calm=False))
def test_revisions_of_a_warning_only_rise_and_every_statement_that_comes_twice_counts_once(region, drawn):
    entries, one = journal(region, drawn), fold(region)
    twice = [again for entry in entries for again in ([entry, entry] if b"in words" in entry.value else [entry])]
    outputs, repeated = one.apply(one.initial(0), entries), one.apply(one.initial(0), twice)
    assert outputs == repeated
    revisions: dict[str, list[int]] = {}
    for output in outputs:
        if output.kind is Kind.CITY and output.warning_id and output.reason not in {"reassert", "reminded", "deputies"}:
            revisions.setdefault(output.warning_id, []).append(output.revision)
    assert all(found == sorted(set(found)) for found in revisions.values())


@SLOW
@given(drawn=steps(calm=True))
def test_over_a_calm_river_nothing_is_red_unless_two_persons_said_so_and_nobody_reads_all_clear_after_what_was_wrong(region, drawn):
    outputs = fold(region).apply(fold(region).initial(0), journal(region, drawn))
    warnings = told(outputs)
    said = [(act, by.casefold().strip()) for _, one in drawn if len(one) == 6 for act, _, by, *_ in [one]]
    vouching = {by for act, by in said if act in {"report", "confirm"}}
    if len(vouching) < 2:
        assert all(one["level"] != "red" for one in warnings)
    if not said or not {act for act, _ in said} & {"report"}:
        assert warnings == []
    last: dict[str, dict] = {}
    for one in warnings:
        if one["msg_type"] == "all_clear":
            assert last[one["warning_id"]]["msg_type"] != "cancel"
        last[one["warning_id"]] = one


@SLOW
@given(drawn=steps(calm=True))
def test_four_days_after_the_last_word_nothing_of_it_stands(region, drawn):
    one = fold(region)
    state = one.initial(0)
    one.apply(state, journal(region, drawn))
    domain = state.core.domains["rill"]
    assert domain.by_hand.reports == {}
    assert domain.by_hand.maintained == {}
    assert not any(source.placed is not None for source in domain.hazards["flood"].sources.values())
    assert domain.hazards["flood"].incidents == {}
