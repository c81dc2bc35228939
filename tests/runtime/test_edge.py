from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.cluster import Cluster
from stream.errors import Stalled
from stream.health.metrics import Metrics
from stream.records.journal import partition_of
from stream.records.output import Kind, Output
from stream.records.warning import Lane
from stream.runtime.clocks import BrokerClock, Pulse, wall_ms
from stream.runtime.compacted import latest
from stream.runtime.edge import Edge
from stream.runtime.edge_rules import standing
from stream.runtime.producer import Outbox, create_producer
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from stream.settings import Settings
from tests.runtime.lane import read_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from stream.runtime.broker import Broker

pytestmark = pytest.mark.kafka


class Publishing:
    def __init__(self, settings: Settings, outbox: Outbox) -> None:
        self.settings, self.outbox, self.topics = settings, outbox, Topics(settings.prefix)
        self.clock = BrokerClock()
        self.metrics = Metrics()

    async def edge(self, *, replay: bool = False) -> Edge:
        said = standing(await latest(self.settings.cluster, self.topics.warnings, [0, 1]), self.topics.lane)
        return Edge(1, self.topics, self.outbox, self.metrics, clock=None if replay else self.clock, standing=said)

    def agree(self, ahead_ms: int = 0) -> None:
        now = wall_ms()
        self.clock.observe(appended_at=now + ahead_ms, sent_at=now, acknowledged_at=now)

    def on(self, topic: str, partition: int = 0) -> list[tuple[bytes, dict[str, bytes], int]]:
        found = read_all(self.settings.bootstrap, topic, 2 if topic == self.topics.warnings else 1)[partition]
        return [(one.value(), dict(one.headers() or ()), one.timestamp()[1]) for one in found]


@pytest.fixture
async def publishing(broker: Broker, fresh_prefix: str, request: pytest.FixtureRequest) -> AsyncIterator[Publishing]:
    clock = getattr(request, "param", "broker")
    settings = Settings(bootstrap=broker.bootstrap, prefix=fresh_prefix, lane=Lane.TEST, partitions=2, clock=clock)
    create(Cluster(broker.bootstrap), plan(settings, ["ava"]))
    producer = create_producer(settings)
    await producer.start()

    def fail(error: BaseException) -> None:
        raise error

    yield Publishing(settings, Outbox(producer, Pulse(60), BrokerClock(), fail))
    await producer.stop()


def pair(revision: int, level: str = "red", *, sent_at: int = 0, lasts_ms: int = 3_600_000) -> list[Output]:
    sent_at = sent_at or wall_ms()
    value = f'{{"revision":{revision},"level":"{level}"}}'.encode()
    number = {"yellow": 2, "red": 4}[level]
    return [
        Output(kind, b"w", value, sent_at, "ava", (), "w", revision, number, sent_at + lasts_ms, "first", "flood")
        for kind in (Kind.CITY, Kind.WARNINGS)
    ]


async def test_what_stands_on_warnings_after_a_restart_is_not_said_again(publishing: Publishing) -> None:
    first = await publishing.edge()
    outputs = pair(1, sent_at=1) + pair(2, sent_at=1)
    await first.publish(outputs)
    await first.settle()
    again = await publishing.edge()
    await again.publish([*outputs, *pair(3)])
    await again.settle()
    said = [value for value, *_ in publishing.on(publishing.topics.city("ava"))]
    assert said == [b'{"revision":%d,"level":"red"}' % n for n in (1, 2, 3)]
    assert [value for value, *_ in publishing.on(publishing.topics.warnings, partition_of("w", 2))][-1] == said[-1]
    assert publishing.metrics.edge.labels("repeated")._value.get() == 2
    assert publishing.metrics.edge.labels("older")._value.get() == 2


async def test_an_older_revision_with_a_higher_level_is_said_and_alarms(publishing: Publishing) -> None:
    edge = await publishing.edge()
    await edge.publish(pair(2, "yellow"))
    await edge.publish(pair(1, "red"))
    await edge.settle()
    assert len(publishing.on(publishing.topics.city("ava"))) == 2
    assert publishing.metrics.alarms.labels("older_but_higher")._value.get() == 2


async def test_an_expired_warning_goes_to_late_with_its_reason_and_not_to_the_city(publishing: Publishing) -> None:
    publishing.agree()
    edge = await publishing.edge()
    await edge.publish(pair(1, sent_at=wall_ms() - 120_000, lasts_ms=60_000))
    old = pair(2, sent_at=wall_ms() - 120_000)
    await edge.publish(old + pair(3))
    await edge.settle()
    assert [value for value, *_ in publishing.on(publishing.topics.city("ava"))] == [pair(3)[0].value]
    late = publishing.on(publishing.topics.warnings_late)
    assert [(headers["reason"], value) for value, headers, _ in late] == [(b"expired", pair(1)[0].value), (b"superseded", old[0].value)]


async def test_how_long_a_city_waited_is_measured_when_the_broker_has_its_warning(publishing: Publishing) -> None:
    publishing.agree()
    edge = await publishing.edge()
    await edge.publish([*pair(1), *pair(2)], wall_ms() - 3_000)
    await edge.settle()
    sums = {one.name: one.value for one in publishing.metrics.stage_s.labels("publish")._child_samples()}
    assert sums["_count"] == 2
    assert 6.0 <= sums["_sum"] < 60.0


async def test_nothing_is_late_while_the_clocks_are_more_than_a_minute_apart(publishing: Publishing) -> None:
    publishing.agree(ahead_ms=61_000)
    edge = await publishing.edge()
    await edge.publish(pair(1, sent_at=wall_ms() - 120_000, lasts_ms=60_000))
    await edge.settle()
    assert len(publishing.on(publishing.topics.city("ava"))) == 1


@pytest.mark.parametrize("publishing", ["observed"], indirect=True)
async def test_on_a_replay_lane_nothing_is_late_and_records_carry_the_instant(publishing: Publishing) -> None:
    publishing.agree()
    edge = await publishing.edge(replay=True)
    await edge.publish(pair(1, sent_at=1_131_860_700_000))
    await edge.settle()
    assert [at for *_, at in publishing.on(publishing.topics.city("ava"))] == [1_131_860_700_000]


@pytest.mark.parametrize("publishing", ["observed"], indirect=True)
async def test_what_is_passed_on_goes_into_the_other_domains_journal_partition_at_its_time(publishing: Publishing) -> None:
    edge = await publishing.edge(replay=True)
    passed_on = Output(Kind.JOURNAL, b"delta", b"link", 1_700_000_000_000, reason="cascade", hazard="flood", lane="test", partition=0)
    await edge.publish([passed_on])
    await edge.settle()
    journal = read_all(publishing.settings.bootstrap, publishing.topics.journal, 2)
    assert [(one.key(), one.value(), one.timestamp()[1]) for one in journal[0]] == [(b"delta", b"link", 1_700_000_000_000)]
    assert journal[1] == []


async def test_what_could_not_be_said_to_all_is_not_settled(publishing: Publishing) -> None:
    passed = [0.0]
    sender = publishing.outbox._producer
    publishing.outbox = Outbox(sender, Pulse(60, monotonic=lambda: passed[0]), BrokerClock(), publishing.outbox._on_failure)
    edge = await publishing.edge()
    await edge.publish(pair(1))
    passed[0] = 61.0  # the process stands still between the city's record and the one for all
    with pytest.raises(Stalled):
        await edge.settle()
    assert len(publishing.on(publishing.topics.city("ava"))) == 1
    assert publishing.on(publishing.topics.warnings, partition_of("w", 2)) == []
    with pytest.raises(Stalled):
        await edge.settle()
