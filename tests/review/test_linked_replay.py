"""Deciding all domains together in the order of time changes nothing where nothing is passed on."""

from __future__ import annotations

import pytest

from stream.decide.fold import Fold
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.review.inputs import in_feed_order, read_files
from stream.review.journal_file import Header
from stream.review.linked_replay import decide_together, links
from stream.review.replay import decide, journal_of
from stream.settings import Settings
from tests.region.shared import REGIONS


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
