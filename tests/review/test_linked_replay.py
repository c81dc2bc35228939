"""Deciding all domains together in the order of time changes nothing where nothing is passed on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stream.decide.fold import Fold
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.review.inputs import in_feed_order, read_files
from stream.review.journal_file import Header
from stream.review.linked_replay import decide_together, links
from stream.review.replay import decide, journal_of, line
from stream.settings import Settings
from tests.region.shared import REGIONS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("partitions", [1, 3])
def test_domains_without_links_say_the_same_together_as_one_by_one(partitions):
    region = load_folder(REGIONS / "songhua")
    assert not links([region])
    messages = in_feed_order(read_files(region, [REGIONS / "songhua" / "history.csv"]))
    settings = Settings(prefix="replay.", lane=Lane.TEST, clock="observed", partitions=partitions)
    records = journal_of([region], messages, settings).records
    header = Header(Lane.TEST, "observed", partitions)
    fold = Fold(lambda _: region, lane=Lane.TEST, clock="observed", partitions=partitions)
    alone = [(one.kind, one.key, one.value) for one in decide([region], header, records)]
    together = [(one.kind, one.key, one.value) for one in decide_together(fold, header, records)]
    assert together == alone
    assert len(alone) > 300


@pytest.fixture(scope="module")
def flood(tmp_path_factory) -> Path:
    """Two days at Shuikou, hour by hour, six hours of them orange."""
    rows = [
        f"{series},2024-05-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{5.5 if series == 'shuikou/stage' and 12 <= hour < 18 else 2.0}"
        for hour in range(48)
        for series in ("hecheng/stage", "haimen/stage", "shuikou/stage")
    ]
    path = tmp_path_factory.mktemp("flood") / "flood.csv"
    path.write_text("\n".join(["series,observed_at,value", *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("partitions", [1, 4, 5])
def test_a_replay_of_files_shows_what_one_domain_brings_to_another(flood, partitions):
    region = load_folder(REGIONS / "cascades")
    assert links([region])
    settings = Settings(prefix="replay.", lane=Lane.TEST, clock="observed", partitions=partitions)
    records = journal_of([region], in_feed_order(read_files(region, [flood])), settings).records
    lines = [json.loads(line(one)) for one in decide([region], Header(Lane.TEST, "observed", partitions), records, together=True)]

    passed_on = [one["value"] for one in lines if one["kind"] == "journal"]
    assert {(one["from_hazard"], one["to_domain"], one["to_hazard"]) for one in passed_on} == {("flood", "lan-clinics", "waterborne")}
    told = [one["value"] for one in lines if one["kind"] == "city" and one["warning_id"]]
    cause, effect = ([one for one in told if one["city_id"] == "shuikou" and one["hazard"] == hazard] for hazard in ("flood", "waterborne"))
    assert cause[0]["sent_at"] == effect[0]["sent_at"] == "2024-05-01T12:00:00Z"
    assert (effect[0]["level"], effect[0]["path"], effect[0]["arrives_at_p50"]) == ("blue", "linked", "2024-05-06T12:00:00Z")
