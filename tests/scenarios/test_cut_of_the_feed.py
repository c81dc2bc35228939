"""However a history is cut on its way (partitions, batches), the same is said: the same warnings, revisions and bytes."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from stream.records.instants import to_text
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.review import inputs, journal_file, replay
from stream.settings import Settings
from tests.region.shared import REGIONS, danube_rows, write_feed
from tests.scenarios.played import Played, play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
CUTS = ((1, 500), (4, 7), (12, 1))
"""(partitions, records sent before their acknowledgements are awaited)."""
Said = tuple[str, str, bytes, bytes | None, int, tuple[tuple[str, bytes], ...]]
"""Kind, city, key, value, timestamp, headers."""


class Slice(NamedTuple):
    """A region, part of a history for it, and the hazards that part must show for the comparison to mean something."""

    name: str
    feed: Path
    hazards: set[str]


def danube_slice(work: Path) -> Slice:
    """The flood of spring 1988."""
    return Slice("danube", write_feed(work / "feed.csv", danube_rows("1988-03-01", "1988-05-01")), {"flood"})


def example_slice(work: Path) -> Slice:
    """Three domains behind three doors: five days in which flood, ammonia and smoke meet, and the cases of all days (they need a past)."""

    def rows() -> Iterator[tuple[str, str, str]]:
        with (REGIONS / "example" / "history.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["series"].endswith("/cases") or "2024-05-06" <= row["observed_at"] < "2024-05-11":
                    yield row["series"], row["observed_at"], row["value"]

    return Slice("example", write_feed(work / "feed.csv", rows()), {"flood", "pollutant", "air", "outbreak"})


def on_topics(played: Played) -> set[Said]:
    return {
        (place.kind, place.city_id, one.key, one.value, one.timestamp, one.headers)
        for place, records in played.topics.items()
        for one in records
    }


def without_a_broker(part: Slice, leave_out: tuple[str, str] | None = None) -> set[Said]:
    """The same decided offline, in one partition; without the measurement of one series and instant where that is asked for."""
    region = load_folder(REGIONS / part.name)
    settings = Settings(prefix="offline.", lane=Lane.TEST, clock="observed", partitions=1)
    messages = inputs.in_feed_order(inputs.read_files(region, [part.feed]))
    until_at = messages[-1].observed_at + 1
    if leave_out is not None:
        fewer = [one for one in messages if (one.series, to_text(one.observed_at)) != leave_out]
        assert len(fewer) == len(messages) - 1
        messages = fewer
    header = journal_file.Header(settings.lane, settings.clock, settings.partitions)
    records = replay.journal_of([region], messages, settings, until_at).records
    return {
        (one.kind, one.city_id if one.kind == "city" else "", one.key, one.value, one.sent_at, one.headers)
        for one in replay.decide([region], header, records)
    }


@pytest.mark.parametrize("make", [danube_slice, example_slice])
def test_partitions_and_batches_change_nothing(make, broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    part = make(tmp_path)
    expected = without_a_broker(part)
    cut_into = []
    for partitions, batch in CUTS:
        work = tmp_path / f"{partitions}-{batch}"
        work.mkdir()
        place = (broker.bootstrap, f"{fresh_prefix}{partitions}.{batch}.", work)
        played = play(place, REGIONS / part.name, part.feed, partitions=partitions, batch=batch)
        assert {body["hazard"] for body in played.told("warnings")} == part.hazards
        found = on_topics(played)
        assert found == expected, f"{partitions} partitions, batches of {batch}: {len(found ^ expected)} records differ"
        cut_into.append(played.journal_messages())
        warnings = {(body["warning_id"], body["revision"]) for body in played.told("warnings")}
        print(
            f"\n{part.name}, {partitions} partitions, batches of {batch}: {len(warnings)} revisions and {len(found)} records equal; "
            f"journal of {cut_into[-1]} messages, {played.seconds:.0f} s"
        )
    assert len(set(cut_into)) == len(CUTS), "the histories were not cut differently"


@pytest.mark.parametrize("make", [danube_slice, example_slice])
def test_the_comparison_sees_one_missing_measurement(make, tmp_path: Path) -> None:
    part = make(tmp_path)
    expected = without_a_broker(part)
    raised = [json.loads(value) for kind, _, _, value, *_ in expected if kind == "evidence" and value]
    one = min((body["observed_at"], body["series"]) for body in raised)
    assert without_a_broker(part, leave_out=(one[1], one[0])) != expected
