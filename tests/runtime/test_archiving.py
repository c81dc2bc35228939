"""The archive and the check of a rebuild on a real broker: going on, what expired, what cannot be right."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from stream.cli.main import app
from stream.decide.fold import Fold
from stream.errors import TocsinError
from stream.records.journal import Columns, Command, Tick, encode, measurements, partition_of
from stream.records.warning import Lane
from stream.region.bundle import bundle
from stream.region.load import load
from stream.review.archive import What, opened
from stream.review.archive_replay import decide
from stream.runtime import archiving
from stream.runtime.checkpoint_store import CheckpointWriter, Found, Snapshot, topic_id
from stream.runtime.clocks import BrokerClock, Pulse
from stream.runtime.producer import Outbox, create_producer
from stream.runtime.region_publish import publish
from stream.runtime.topics import Topics
from stream.settings import Settings
from tests.chaos.rivers import GAUGES, RIVERS, rivers, set_up_rivers
from tests.runtime.lane import ROOT, door_producer, journal_entries

if TYPE_CHECKING:
    from pathlib import Path

    from stream.cluster import Cluster
    from stream.runtime.broker import Broker

pytestmark = pytest.mark.kafka
REGION = load(rivers())


class Written:
    """A lane whose journal is written by hand, with 2 partitions, and its archive."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(bootstrap=bootstrap, prefix=prefix, lane=Lane.TEST, partitions=2)
        self.topics, self.folder = Topics.of(self.settings), folder / "archive"
        self.fold = Fold(lambda _: REGION, lane=Lane.TEST, clock="broker", partitions=2)
        file = folder / "lane.toml"
        file.write_text(f'bootstrap = "{bootstrap}"\nprefix = "{prefix}"\nlane = "test"\npartitions = 2\n', "utf-8")
        self.options = ["--settings", str(file)]
        set_up_rivers(self.settings, rivers())
        self.write([encode(Command("activate", REGION.name, REGION.region_hash, lane="test"))] * 2)

    def write(self, given: list[bytes] | None = None, rounds: int = 5) -> None:
        """These records, one a partition; or rounds of all rivers and a tick each."""
        producer = door_producer(self.settings)
        for number, value in enumerate(given or ()):
            producer.produce(self.topics.journal, value, key=b"", partition=number)
        for _ in range(0 if given else rounds):
            at = time.time_ns() // 1_000_000
            for river in range(RIVERS):
                rows = np.arange(river * GAUGES, (river + 1) * GAUGES, dtype="<i4")
                arrays = Columns(rows, np.full(GAUGES, at, "<i8"), np.full(GAUGES, 1.0 + river), np.zeros(GAUGES, "u1"))
                made = measurements(f"river{river}", REGION.region_hash, arrays)
                producer.produce(self.topics.journal, encode(made), key=b"d", partition=partition_of(made.domain, 2))
            for number in range(2):
                tick = Tick(at, 1.0, at - 1, acknowledgements_written_at=at - 1, lane="test")
                producer.produce(self.topics.journal, encode(tick), key=b"", partition=number)
            assert producer.flush(20) == 0
            time.sleep(0.01)
        assert producer.flush(20) == 0

    def delete(self, *before: int) -> None:
        cut = [TopicPartition(self.topics.journal, number, offset) for number, offset in enumerate(before)]
        admin = AdminClient({"bootstrap.servers": self.settings.bootstrap})
        for future in admin.delete_records(cut).values():
            future.result(20)

    def end(self) -> list[int]:
        return [some[-1].offset + 1 for some in journal_entries(self.settings.bootstrap, self.settings.prefix, 2)]

    async def checkpoint(self, *, wrong: int | None = None) -> None:
        """What a worker would write: checkpoints, and snapshots where they are due."""
        identity, producer = await topic_id(self.settings.cluster, self.topics.journal), create_producer(self.settings)
        await producer.start()
        try:
            outbox = Outbox(producer, Pulse(60), BrokerClock(), stop)
            for number, entries in enumerate(journal_entries(self.settings.bootstrap, self.settings.prefix, 2)):
                assert entries[0].offset == 0
                state = self.fold.initial(number)
                self.fold.apply(state, entries[:-1] if number == wrong else entries)
                writer = CheckpointWriter(outbox, self.topics, number, self.settings)
                await writer.start(Found(None, 0, ()))
                taken = Snapshot(self.fold.snapshot(state), entries[-1].offset + 1, {}, entries[-1].timestamp)
                await writer.write(taken, fold_version=self.fold.VERSION, identity=identity)
        finally:
            await producer.stop()

    def run(self, *arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*arguments, *self.options])
        assert done.exit_code == code, done.output
        return done.output

    def archive(self, *more: str, code: int = 0) -> str:
        return self.run("archive", "--out", str(self.folder), *more, code=code)


def stop(error: BaseException) -> None:
    raise error


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Written:
    return Written(broker.bootstrap, fresh_prefix, tmp_path)


def test_each_run_goes_on_where_the_last_one_ended_and_says_what_expired_in_between(lane: Written) -> None:
    lane.write()
    first = json.loads(lane.archive("--json"))
    assert (first["records"], first["files"], first["regions"], first["expired"]) == (sum(lane.end()), 2, 1, [])
    assert json.loads(lane.archive("--json"))["records"] == 0
    lane.write()
    ends = lane.end()
    second = json.loads(lane.archive("--json"))
    assert second["records"] == sum(ends) - first["records"]
    states = [lane.fold.initial(number) for number in range(2)]
    entries = journal_entries(lane.settings.bootstrap, lane.settings.prefix, 2)
    outputs = [one for state, some in zip(states, entries, strict=True) for one in lane.fold.apply(state, some)]
    assert [one.value for one in decide(opened(lane.folder))] == [one.value for one in outputs]
    assert len(outputs) > 50
    asyncio.run(lane.checkpoint())
    lane.delete(ends[0] - 2, ends[1])
    assert json.loads(lane.archive("--json"))["snapshots"] == 2, "what was archived may expire"
    lane.write()
    lane.delete(ends[0] + 3, 0)
    late = lane.archive(code=1)
    assert f"expired before it was archived: {lane.topics.journal} partition 0: offsets {ends[0]} to {ends[0] + 2}" in late
    verified = lane.archive("--verify", "--head", first["head"])
    assert "nothing is missing or altered" in verified
    assert "its end was cut off" in lane.archive("--verify", "--head", "0" * 64, code=1)
    assert [(one.partition, one.first_offset, one.next_offset) for one in opened(lane.folder).of(What.EXPIRED)] == [
        (0, ends[0], ends[0] + 3)
    ]
    with pytest.raises(TocsinError, match=f"from offset {ends[0] + 3} on, and no snapshot stands for"):
        list(decide(opened(lane.folder)))


def test_a_region_that_becomes_active_while_the_archive_is_made_is_in_it(lane: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    later = bundle(ROOT / "deploy" / "regions" / "songhua")

    async def meanwhile(cluster: Cluster, topic: str) -> str:
        await publish(lane.settings, later)
        lane.write([encode(Command("activate", later.name, later.region_hash, lane="test"))] * 2)
        return await topic_id(cluster, topic)

    monkeypatch.setattr(archiving, "topic_id", meanwhile)  # which is asked for before the journal's end
    lane.archive()
    assert {one.region_hash for one in opened(lane.folder).of(What.REGION)} == {REGION.region_hash, later.region_hash}


def test_a_replay_may_begin_with_a_snapshot(lane: Written, tmp_path: Path) -> None:
    lane.write()
    asyncio.run(lane.checkpoint())
    ends = lane.end()
    time.sleep(0.05)
    lane.write(rounds=3)
    lane.archive()
    out = tmp_path / "out.jsonl"
    whole = lane.run("replay", "--journal", str(lane.folder), "--out", str(out))
    again = out.read_bytes().splitlines()
    assert "evidence" in whole
    lane.run("replay", "--journal", str(lane.folder), "--start", "2100-01-01T00:00:00Z", "--out", str(out))
    later = out.read_bytes().splitlines()
    states = [lane.fold.initial(number) for number in range(2)]
    entries = journal_entries(lane.settings.bootstrap, lane.settings.prefix, 2)
    before = [lane.fold.apply(state, some[:end]) for state, some, end in zip(states, entries, ends, strict=True)]
    assert len(later) == len(again) - sum(len(some) for some in before)
    assert set(later) <= set(again)


def test_the_archive_begins_where_it_is_told(lane: Written) -> None:
    lane.write()
    time.sleep(1.1)
    since, ends = time.time(), lane.end()
    lane.write(rounds=2)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    lane.archive("--since", at)
    assert min(one.first_offset - end for one, end in zip(opened(lane.folder).of(What.JOURNAL), ends, strict=True)) >= 0


def test_a_state_that_is_not_what_the_journal_says_is_told(lane: Written) -> None:
    lane.write()
    asyncio.run(lane.checkpoint())
    assert lane.run("rebuild", "--check").count(": equal; running ") == 2
    lane.write()
    lane.archive()
    asyncio.run(lane.checkpoint(wrong=1))
    lane.delete(5, 5)
    later = lane.run("rebuild", "--check", code=1).splitlines()
    assert [": equal; " in one for one in later[:2]] == [True, False]
    assert "from offset 0 on again" not in "".join(later), "from the snapshots"
    for line in opened(lane.folder).of(What.SNAPSHOT):
        (lane.folder / line.file).write_bytes(b"of many years, and not needed here")
    told = lane.run("rebuild", "--check", "--archive", str(lane.folder), code=1).splitlines()
    assert "equal; running " in told[0]
    assert "from offset 0 on again" in told[0]
    assert "NOT EQUAL" in told[1]
    assert "partitions [1] are not what the journal says" in told[2]
