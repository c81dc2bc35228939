from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from stream.cluster import Cluster
from stream.errors import BrokerError, TocsinError
from stream.records.warning import Lane
from stream.runtime import acl_admin, topic_admin
from stream.runtime.acls import Acl, Pattern, Resource
from stream.runtime.ports import free_ports
from stream.runtime.topic_admin import asked, check, create
from stream.runtime.topics import Topics, plan
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.runtime.broker import Broker


@pytest.mark.parametrize("city_id", ["late", "", "Wuhan", "a.b", "a" * 65, "wu han"])
def test_a_city_id_that_cannot_be_a_topic_is_refused(city_id: str) -> None:
    with pytest.raises(TocsinError, match="city id"):
        Topics("").city(city_id)


def test_live_topics_have_the_brokers_time_and_replay_topics_that_of_observation() -> None:
    live = {t.name: t.configs for t in plan(Settings(), ["a"])}
    assert all(configs["message.timestamp.type"] == "LogAppendTime" for configs in live.values())
    replay = {t.name: t.configs for t in plan(Settings(prefix="r.", lane=Lane.TEST, clock="observed"), ["a"])}
    for name in ("measurements.water", "journal", "warnings.a"):
        configs = replay[f"r.{name}"]
        assert configs["message.timestamp.type"] == "CreateTime"
        assert configs["retention.ms"] == "-1"
        assert configs["segment.ms"] == configs["message.timestamp.after.max.ms"] == "9223372036854775807"
    assert replay["r.marks"]["message.timestamp.type"] == "LogAppendTime"


@pytest.mark.kafka
def test_three_hundred_city_topics_are_created_and_checked(broker: Broker, fresh_prefix: str) -> None:
    wanted = plan(Settings(prefix=fresh_prefix, lane=Lane.TEST, partitions=2), [f"city-{i}" for i in range(300)])
    before = time.perf_counter()
    assert len(create(Cluster(broker.bootstrap), wanted)) == len(wanted) == len(plan(Settings(), ())) + 600
    print(f"{len(wanted)} topics created and led in {time.perf_counter() - before:.2f} s")
    assert check(Cluster(broker.bootstrap), wanted) == []
    assert create(Cluster(broker.bootstrap), wanted) == ()


@pytest.mark.kafka
def test_replay_topics_are_accepted_by_the_broker(broker: Broker, fresh_prefix: str) -> None:
    wanted = plan(Settings(prefix=fresh_prefix, lane=Lane.TEST, clock="observed", partitions=1), ["a"])
    create(Cluster(broker.bootstrap), wanted)
    assert check(Cluster(broker.bootstrap), wanted) == []


@pytest.mark.kafka
def test_every_difference_is_told_with_its_fix(broker: Broker, fresh_prefix: str) -> None:
    settings = Settings(prefix=fresh_prefix, lane=Lane.TEST, partitions=2)
    topics = Topics(fresh_prefix)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.create_topics([NewTopic(topics.journal, 3, 1)])[topics.journal].result(10)
    wanted = plan(settings, ["a", "b"])
    create(Cluster(broker.bootstrap), wanted)
    admin.delete_topics([topics.city("b")])[topics.city("b")].result(10)
    entry = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topics.city("a"), incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(10)
    found = {(d.topic, d.what): d for d in check(Cluster(broker.bootstrap), wanted)}
    assert found[topics.city("b"), "topic"].fix == "tocsin topics create"
    assert found[topics.city("a"), "retention.ms"].found == "1000"
    assert "--add-config retention.ms=" in found[topics.city("a"), "retention.ms"].fix
    assert found[topics.journal, "partitions"].found == "3"
    assert found[topics.journal, "message.timestamp.type"].wanted == "LogAppendTime"
    assert {topic for topic, _ in found} == {topics.city("a"), topics.city("b"), topics.journal}


@pytest.mark.kafka
def test_a_refused_topic_is_an_error_that_names_it(broker: Broker, fresh_prefix: str) -> None:
    wanted = plan(Settings(prefix=fresh_prefix, lane=Lane.TEST, partitions=1, replication=3), [])
    with pytest.raises(BrokerError, match="could not be created"):
        create(Cluster(broker.bootstrap), wanted)


def test_a_broker_that_never_answers_about_a_topic_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "TIMEOUT_S", 0.01)
    with pytest.raises(BrokerError, match=r"journal: the broker has not answered for 0\.01 s"):
        asked(Cluster("127.0.0.1:1"), "journal", Future())


def test_access_control_lists_of_a_broker_that_is_away_are_asked_for_once_and_it_is_said_why(monkeypatch: pytest.MonkeyPatch) -> None:
    away, entry = Cluster(f"127.0.0.1:{free_ports('127.0.0.1')[0]}"), Acl("User:x", Pattern(Resource.TOPIC, "journal"), "Read")
    with pytest.raises(BrokerError, match="no Kafka broker answers"):
        acl_admin.read(away)
    monkeypatch.setattr(acl_admin, "TIMEOUT_S", 0.2)
    for change in (acl_admin.add, acl_admin.remove):
        with pytest.raises(BrokerError, match="access control lists could not be"):
            change(away, [entry])
