"""A scheduled test message to every city, so that a broken channel is found before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.instants import SECOND, to_text
from stream.records.journal import partition_of
from stream.records.warning import Lane, LinkTest
from stream.warnings.envelope import of_link_test
from stream.warnings.texts import WORDS, render

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.records.journal import Command
    from stream.records.output import Output


def link_tests(partition: Partition, command: Command, at: int) -> list[Output]:
    """One message to each city that falls to this partition (by the hash of its id, so exactly one partition tests it)."""
    core = partition.core
    outputs = []
    for name in sorted(partition.bounds):
        for city in partition.bounds[name].region.cities:
            if partition_of(city.city_id, core.partitions) != core.partition:
                continue
            fields = {language: {"city": city.names.get(language, city.city_id)} for language in WORDS}
            test = LinkTest(
                city_id=city.city_id,
                lane=Lane.TEST,
                sent_at=to_text(at),
                next_by_at=to_text(at + command.every_s * SECOND),
                text=render("link_test", {}, fields),
            )
            outputs.append(of_link_test(test, sent_at=at))
    return outputs
