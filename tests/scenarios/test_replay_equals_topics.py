"""What the service said can be said again from its journal: byte for byte, without a broker, down to the state it ended in."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from stream.decide.fold import Fold
from stream.records.journal import Entry, partition_of
from stream.records.output import Kind
from stream.review import journal_file, replay
from stream.runtime.checkpoint import digest
from stream.runtime.checkpoint_store import CheckpointReader
from stream.runtime.topics import Topics
from tests.scenarios.played import Place, Played, tocsin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
COMPACTED = {Kind.WARNINGS, Kind.CITY_STATUS, Kind.INCIDENTS, Kind.STATION_HEALTH, Kind.POSTURES, Kind.DISCREPANCIES}
Said = tuple[int, bytes, bytes | None, int, tuple[tuple[str, bytes], ...]]
"""Partition, key, value, timestamp, headers."""


@pytest.fixture(scope="module", params=["danube", "beijing"])
def played(request: pytest.FixtureRequest) -> Played:
    found: Played = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def again(played: Played) -> tuple[dict[Place, list[Said]], dict[int, bytes]]:
    """The saved journal decided once more: what is said, by place, and the digest of the state by partition."""
    header = journal_file.read_header(played.journal)
    fold = Fold(lambda _: played.region, lane=header.lane, clock=header.clock, partitions=header.partitions)
    said: dict[Place, list[Said]] = {}
    states = {}
    for partition, records in groupby(journal_file.read(played.journal), key=lambda one: one.partition):
        state = fold.initial(partition)
        for output in fold.apply(state, [Entry(one.offset, one.timestamp, one.value) for one in records]):
            place = Place(output.kind, output.city_id if output.kind is Kind.CITY else "")
            number = 0 if output.kind is Kind.CITY else partition_of(output.key.decode(), header.partitions)
            said.setdefault(place, []).append((number, output.key, output.value, output.sent_at, output.headers))
        states[partition] = digest(fold.snapshot(state))
    return {place: sorted(dict.fromkeys(some), key=lambda one: one[0]) for place, some in said.items()}, states


def differing(place: Place, stood: Iterable[Said], expected: list[Said]) -> str:
    """What differs, "" if nothing does. From a compacted topic records may be missing, but no key's last one, and the order must be the same."""
    found = list(dict.fromkeys(stood))
    if place.kind not in COMPACTED or len(found) == len(expected):
        return "" if found == expected else f"{place}: {len(found)} records stand there, {len(expected)} are said again, or they differ"
    rest = iter(expected)
    if not all(one in rest for one in found):
        return f"{place}: a record stands there that is not said again in that order"
    last, wanted = ({(one[0], one[1]): one for one in some} for some in (found, expected))
    return "" if last == wanted else f"{place}: the last records of some keys differ"


def test_the_journal_says_again_what_stands_on_the_topics(played: Played, again: tuple[dict[Place, list[Said]], dict[int, bytes]]) -> None:
    said, _ = again
    assert {place.city_id for place in said if place.kind == Kind.CITY} == {city.city_id for city in played.region.cities}
    stood = {
        place: [(one.partition, one.key, one.value, one.timestamp, one.headers) for one in records]
        for place, records in played.topics.items()
    }
    assert [text for place in sorted(stood) if (text := differing(place, stood[place], said.get(place, [])))] == []
    counts = {kind.value: sum(len(some) for place, some in said.items() if place.kind == kind) for kind in Kind}
    repeated = sum(len(some) - len(set(some)) for some in stood.values())
    print(f"\n{played.region.name}: {counts} records equal in value, key, headers, time and partition; {repeated} repetitions dropped")
    for place in (Place(Kind.EVIDENCE, ""), Place(Kind.WARNINGS, "")):
        assert differing(place, stood[place][1:] + stood[place][:1], said[place]), "the comparison sees a changed order"
        changed = [(*one[:2], (one[2] or b"") + b" ", *one[3:]) for one in stood[place]]
        assert differing(place, changed, said[place]), "the comparison sees a single byte"


def test_the_replay_command_gives_the_same_bytes(played: Played, tmp_path: Path) -> None:
    tocsin("replay", str(played.folder), "--journal", str(played.journal), "--out", str(tmp_path / "out.jsonl"))
    told: dict[str, list[bytes]] = {}
    for text in (tmp_path / "out.jsonl").read_bytes().splitlines():
        if text.startswith(b'{"kind":"city",'):
            city = text.split(b'"city_id":"', 1)[1].split(b'"', 1)[0].decode()
            told.setdefault(city, []).append(text[text.index(b'"value":') + len(b'"value":') : -1])
    for place, records in played.topics.items():
        if place.kind == Kind.CITY:
            assert list(dict.fromkeys(one.value for one in records)) == list(dict.fromkeys(told.get(place.city_id, []))), place


def test_the_last_checkpoint_is_the_state_the_journal_leads_to(
    played: Played, again: tuple[dict[Place, list[Said]], dict[int, bytes]]
) -> None:
    topics, settings = Topics(played.settings.prefix), played.settings
    reader = CheckpointReader(settings.cluster, topics, instance="none", fold_version=Fold.VERSION)
    found = asyncio.run(reader.find(range(settings.partitions)))
    ends = {one.partition: one.offset + 1 for one in journal_file.read(played.journal)}
    best = {number: one.best for number, one in found.items() if one.best is not None}
    assert {number: one.manifest.next_offset for number, one in best.items()} == ends, "a clean stop leaves nothing to do again"
    assert {number: one.manifest.sha256 for number, one in best.items()} == again[1]


def test_the_journal_file_is_the_one_the_lane_wrote(played: Played) -> None:
    assert journal_file.read_header(played.journal) == journal_file.Header(played.settings.lane, "observed", played.settings.partitions)
    assert {one.partition for one in journal_file.read(played.journal)} == set(range(played.settings.partitions))
    region = replay.journal_of([played.region], [], played.settings).records[0]
    first = next(iter(journal_file.read(played.journal)))
    assert first.value == region.value, "a journal begins with the activation of its region"
