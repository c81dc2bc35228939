"""The two comparisons of a chaos run. (1) Everything acknowledged at a door is in the journal or in `rejected`, exactly. (2) The fold, run over the
recorded journal in one process without faults, says exactly what is on the topics after duplicates are dropped, and its states are the checkpoints.
"""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.records.journal import Measurements, columns, decode
from stream.records.output import Kind
from stream.runtime.checkpoint import Wanted, valid
from stream.runtime.topics import REJECTED_PARTITIONS, Topics
from tests.runtime.lane import journal_entries, read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.records.journal import Entry
    from stream.records.output import Output
    from stream.settings import Settings

Said = tuple[str, bytes, bytes | None]
"""Topic, key and value. The city's records on warnings.late count as its own."""


@dataclass
class Verdict:
    """What a chaos run found."""

    accepted_lost: set[Any] = field(default_factory=set)
    accepted_invented: set[Any] = field(default_factory=set)
    lost: set[Said] = field(default_factory=set)
    invented: set[Said] = field(default_factory=set)
    states_differ: list[int] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    undecided: list[Output] = field(default_factory=list)
    """What follows from records after the newest checkpoint (ticks written while the worker stopped): it may be said, or still be to be said."""

    @property
    def clean(self) -> bool:
        return not (self.accepted_lost or self.accepted_invented or self.lost or self.invented or self.states_differ)

    def __str__(self) -> str:
        counts = {name: len(getattr(self, name)) for name in ("accepted_lost", "accepted_invented", "lost", "invented", "states_differ")}
        return ", ".join(f"{name} {value}" for name, value in {**counts, **self.figures}.items())


def compare(
    settings: Settings, fold: Any, acknowledged: set[Any], cities: Iterable[str], item: Callable[[Measurements, int], Any]
) -> Verdict:
    """`acknowledged`: what the doors took; `item(message, index)` gives the same of a journal row (None for what is no measurement)."""
    verdict = Verdict()
    journal = journal_entries(settings.bootstrap, settings.prefix, settings.partitions)
    _doors(verdict, settings, journal, acknowledged, item)
    outputs: list[Output] = []
    checkpoints = read_all(settings.bootstrap, Topics(settings.prefix).checkpoints, settings.partitions)
    for partition, entries in enumerate(journal):
        outputs += _replay(verdict, fold, partition, entries, {one.key(): one.value() for one in checkpoints[partition]})
    _sent_on(verdict, journal, outputs)
    verdict.undecided = [one for one in verdict.undecided if one.kind is not Kind.JOURNAL]
    _topics(verdict, settings, [one for one in outputs if one.kind is not Kind.JOURNAL], list(cities))
    return verdict


def _doors(
    verdict: Verdict, settings: Settings, journal: list[list[Entry]], acknowledged: set[Any], item: Callable[[Measurements, int], Any]
) -> None:
    found: Counter[Any] = Counter()
    for entries in journal:
        for entry in entries:
            message = decode(entry.value)
            if isinstance(message, Measurements):
                found.update(item(message, index) for index in range(len(columns(message).rows)))
    topics = Topics(settings.prefix)
    refused = Counter(one.value() for records in read_all(settings.bootstrap, topics.rejected, REJECTED_PARTITIONS) for one in records)
    kept = found.keys() | refused.keys()
    verdict.accepted_lost = acknowledged - kept
    verdict.accepted_invented = kept - acknowledged
    verdict.figures["measurements"] = len(acknowledged)
    verdict.figures["rejected"] = len(refused)
    verdict.figures["measurements repeated"] = found.total() - len(found)


def _replay(verdict: Verdict, fold: Any, partition: int, entries: list[Entry], latest: dict[bytes, bytes | None]) -> list[Output]:
    """Outputs of one partition's journal up to its newest checkpoint; notes when that is not the state at its offset."""
    versions = {key.split(b"/")[0].decode() for key in latest}
    checkpoints = []
    for identity in _identities(latest):
        for version in versions:
            checkpoints += valid(latest, Wanted(version, identity, len(entries)))
    newest = max(checkpoints, key=lambda one: one.manifest.next_offset)
    state = fold.initial(partition)
    cut = newest.manifest.next_offset
    outputs = list(fold.apply(state, [one for one in entries if one.offset < cut]))
    if fold.snapshot(state) != newest.data:
        verdict.states_differ.append(partition)
    verdict.figures["behind the journal's end"] = verdict.figures.get("behind the journal's end", 0) + len(entries) - cut
    verdict.undecided += fold.apply(state, [one for one in entries if one.offset >= cut])
    return outputs


def _sent_on(verdict: Verdict, journal: list[list[Entry]], outputs: list[Output]) -> None:
    """What partitions had to say to each other stands in their journals."""
    there = {(partition, entry.value) for partition, entries in enumerate(journal) for entry in entries}
    verdict.lost |= {
        ("journal", one.key, one.value) for one in outputs if one.kind is Kind.JOURNAL and (one.partition, one.value) not in there
    }


def _identities(latest: dict[bytes, bytes | None]) -> set[str]:
    from stream.runtime.checkpoint import manifests

    return {manifest.topic_id for manifest in manifests(latest)}


def _topics(verdict: Verdict, settings: Settings, outputs: list[Output], cities: list[str]) -> None:
    topics = Topics(settings.prefix)
    one_of = {
        Kind.WARNINGS: topics.warnings,
        Kind.CITY_STATUS: topics.city_status,
        Kind.INCIDENTS: topics.incidents,
        Kind.EVIDENCE: topics.evidence,
        Kind.STATION_HEALTH: topics.station_health,
        Kind.POSTURES: topics.postures,
        Kind.DISCREPANCIES: topics.discrepancies,
    }

    def said(output: Output) -> Said:
        name = topics.city(output.city_id) if output.kind is Kind.CITY else one_of[output.kind]
        return name, output.key, output.value

    wanted: dict[Said, int] = {}
    for output in outputs:
        wanted.setdefault(said(output), output.sent_at)
    found: Counter[Said] = Counter()
    first_at: dict[Said, int] = {}
    names = [(topics.city(city), 1) for city in cities] + [(name, settings.partitions) for name in one_of.values()]
    for name, partitions in names:
        for records in read_all(settings.bootstrap, name, partitions):
            for one in records:
                read = (name, one.key() or b"", one.value())
                found[read] += 1
                first_at.setdefault(read, one.timestamp()[1])
    late = {(one.key() or b"", one.value()) for one in read_all(settings.bootstrap, topics.warnings_late)[0]}
    said_late = {one for one in wanted if one[1:] in late and one[0].startswith(f"{settings.prefix}warnings.")}
    verdict.lost = wanted.keys() - found.keys() - said_late
    verdict.invented = found.keys() - wanted.keys() - {said(output) for output in verdict.undecided}
    delays = sorted(
        (first_at[one] - at) / 1000 for one, at in wanted.items() if one in first_at and one[0].startswith(f"{settings.prefix}warnings.")
    )
    verdict.figures |= {
        "said": len(wanted), "duplicated": found.total() - len(found), "late": len(late),
        "delay p50 s": round(statistics.median(delays), 3) if delays else None, "slowest s": round(delays[-1], 1) if delays else None,
    }  # fmt: skip
