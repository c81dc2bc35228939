"""The canary notices what would keep a warning back, blames what is to blame, and promtool fires the shipped alerts on what it showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.decide.fold import Fold
from stream.records.lanes import Lane
from stream.records.output import Kind
from stream.runtime.topics import Topics
from tests.chaos.canary_cluster import cluster
from tests.chaos.canary_faults import FAULTS, PARTITIONS, PERIODS, SILENCE, asked, play
from tests.chaos.canary_quiet import ALARM
from tests.chaos.canary_seen import answered_by_promtool
from tests.runtime.lane import journal_entries, read_all

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.canary_cluster import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.usefixtures("promtool")]
PERIOD_S = 2.0


def on_topic(one: Cluster) -> set[bytes]:
    return {record.value() for record in read_all(one.settings.bootstrap, Topics("").warnings_canary)[0]}


def answered_by_journal(one: Cluster) -> set[bytes]:
    """What the fold says on the recorded journal, one process, no faults, no region."""
    fold = Fold({}.__getitem__, lane=Lane.LIVE, clock="broker", partitions=PARTITIONS)
    outputs = [
        output
        for number, entries in enumerate(journal_entries(one.settings.bootstrap, "", PARTITIONS))
        for output in fold.apply(fold.initial(number), entries)
    ]
    assert {output.kind for output in outputs} == {Kind.CANARY}
    return {output.value for output in outputs if output.value is not None}


def test_every_fault_is_noticed_within_three_periods_blamed_rightly_and_alerted(tmp_path: Path) -> None:
    with cluster(tmp_path, PERIOD_S, PARTITIONS) as (one, seen):
        found = play(one, seen, PERIOD_S)
        said, replayed = on_topic(one), answered_by_journal(one)
    print("\n" + "\n".join(f"{noticed.fault.name}: {noticed.noticed_s:.1f} s" for noticed in found))
    assert [noticed.fault for noticed in found] == list(FAULTS)
    for noticed in found:
        assert noticed.noticed_s <= PERIODS * PERIOD_S + 1.5, noticed  # a second of scraping
        if noticed.fault.blamed is not None:
            assert noticed.blamed == noticed.fault.blamed
    unread, frozen, stopped, broker, _ = found
    for words in (
        "journal partition 2 has",
        "measurements.air partition 1 has",
        "ingest.canary partition 0 has",
        "`tocsin intake` does not run",
        ALARM,
    ):
        assert words in unread.said
    assert "nothing has come back since" in frozen.said
    assert "no worker runs, or all hang" in stopped.said
    assert "the broker does not take it" in broker.said
    assert said == replayed, "what stands on warnings.canary is what the journal says, through all of it"
    assert answered_by_promtool(seen.scrapes + SILENCE, asked(found, PERIOD_S), tmp_path) == ""
