"""Creates the topics of a plan in batched requests, waits for their leaders, and tells how an existing cluster differs from the plan."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, OffsetSpec, ResourceType

from stream.errors import BrokerError, BrokerRefused
from stream.runtime.reach import DENIED, GRANT, denied, reach_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.cluster import Cluster
    from stream.runtime.topics import TopicPlan

BATCH = 200
"""Topics a request: larger ones time out on small brokers, smaller ones only take longer."""
TIMEOUT_S = 30.0
LOOK_S = 3.0
"""So long the client tries before we ask by hand why it gets no answer."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How a topic differs from the plan, and the command that mends it."""

    topic: str
    what: str
    found: str
    wanted: str
    fix: str


def create(cluster: Cluster, plan: Sequence[TopicPlan], *, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
    """Create the topics that are missing and wait until every partition of the plan has a leader; the names created.

    Topics that exist are left as they are (`check` compares them). BrokerError when the broker refuses one or does not answer.
    """
    admin = _admin(cluster)
    found = _topics(admin, cluster)
    created: list[str] = []
    for batch in _batches([topic for topic in plan if topic.name not in found]):
        new = [NewTopic(t.name, t.partitions, t.replication, config=dict(t.configs)) for t in batch]
        for name, future in admin.create_topics(new, operation_timeout=timeout_s, request_timeout=timeout_s).items():
            if _was_created(cluster, name, future):
                created.append(name)
    await_leaders(cluster, [topic.name for topic in plan], timeout_s=timeout_s)
    return tuple(created)


def await_leaders(cluster: Cluster, names: Sequence[str], *, timeout_s: float = TIMEOUT_S) -> None:
    """Wait until every partition of these topics has a leader: sends before that retry for seconds.

    BrokerError when for `timeout_s` none got one: thousands of topics take a small broker longer, but not without progress.
    """
    admin = _admin(cluster)
    until = time.monotonic() + timeout_s
    asked: list[TopicPartition] = []
    missing = list(names)
    while missing:
        found = _topics(admin, cluster)
        before = len(missing)
        missing = [
            n for n in missing if n not in found or not found[n].partitions or any(p.leader < 0 for p in found[n].partitions.values())
        ]
        if len(missing) < before:
            until = time.monotonic() + timeout_s
        if missing and time.monotonic() > until:
            msg = f"no leader within {timeout_s:.0f} s for {len(missing)} topics, first {missing[0]!r}: look at the brokers' logs"
            raise BrokerError(msg)
        if missing:
            time.sleep(0.1)
        else:
            asked = [TopicPartition(name, number) for name in names for number in found[name].partitions]
    _await_answers(cluster, admin, asked, until)


def _await_answers(cluster: Cluster, admin: AdminClient, asked: Sequence[TopicPartition], until: float) -> None:
    """A leader that is named may still have to take its office: wait until each answers for its partition."""
    waiting = list(asked)
    while waiting:
        futures = admin.list_offsets(dict.fromkeys(waiting, OffsetSpec.latest()), request_timeout=TIMEOUT_S)
        errors = {partition: error for partition, future in futures.items() if (error := future.exception(TIMEOUT_S)) is not None}
        waiting = list(errors)
        for partition, error in errors.items():
            if isinstance(error, KafkaException) and error.args[0].code() in DENIED:
                raise denied(cluster, error, partition.topic)
        if waiting and time.monotonic() > until:
            msg = f"{len(waiting)} partitions do not answer, first {waiting[0].topic}/{waiting[0].partition}: look at the brokers' logs"
            raise BrokerError(msg)
        if waiting:
            time.sleep(0.1)


def check(cluster: Cluster, plan: Sequence[TopicPlan]) -> list[Difference]:
    """Every difference between the cluster and the plan: missing topics, partitions, replication, configuration."""
    admin = _admin(cluster)
    found = _topics(admin, cluster)
    differences: list[Difference] = []
    present = []
    for topic in plan:
        if topic.name not in found:
            differences.append(Difference(topic.name, "topic", "missing", "present", "tocsin topics create"))
            continue
        present.append(topic)
        differences += _shape(topic, found[topic.name])
    for batch in _batches(present):
        resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in batch]
        configs = {resource.name: future for resource, future in admin.describe_configs(resources).items()}
        for topic in batch:
            differences += _configs(topic, asked(cluster, topic.name, configs[topic.name]))
    return differences


def asked(cluster: Cluster, name: str, future: Any) -> Any:
    """The broker's answer about a topic (or what `name` says); BrokerRefused says that it may not be asked, BrokerError that it does not know."""
    try:
        return future.result(TIMEOUT_S)
    except TimeoutError as error:
        msg = f"{name}: the broker has not answered for {TIMEOUT_S:g} s"
        raise BrokerError(msg) from error
    except KafkaException as error:
        if error.args[0].code() in DENIED:
            raise denied(cluster, error, name) from error
        msg = f"{name}: the broker says {error.args[0].str()}"
        raise BrokerError(msg) from error


def _batches(plan: Sequence[TopicPlan]) -> list[Sequence[TopicPlan]]:
    return [plan[start : start + BATCH] for start in range(0, len(plan), BATCH)]


def _shape(topic: TopicPlan, found: Any) -> list[Difference]:
    partitions = found.partitions
    differences = []
    if len(partitions) != topic.partitions:
        fix = "partition counts never change in place: `tocsin rebuild`, or a cluster or prefix of its own"
        differences.append(Difference(topic.name, "partitions", str(len(partitions)), str(topic.partitions), fix))
    least = min((len(p.replicas) for p in partitions.values()), default=0)
    if least < topic.replication:
        fix = f"kafka-reassign-partitions.sh: {topic.replication} replicas for {topic.name}"
        differences.append(Difference(topic.name, "replication", str(least), str(topic.replication), fix))
    return differences


def _configs(topic: TopicPlan, found: Mapping[str, object]) -> list[Difference]:
    differences = []
    for name, wanted in topic.configs.items():
        value = str(getattr(found.get(name), "value", None))
        if value != wanted:
            fix = f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --add-config {name}={wanted}"
            differences.append(Difference(topic.name, name, value, wanted, fix))
    return differences


def _admin(cluster: Cluster) -> AdminClient:
    # Quiet: what goes wrong is raised by the call that it concerns.
    return AdminClient(cluster.librdkafka())


def _topics(admin: AdminClient, cluster: Cluster) -> Mapping[str, Any]:
    until = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return cast("Mapping[str, Any]", admin.list_topics(timeout=LOOK_S).topics)
        except KafkaException as error:
            try:
                reach_now(cluster)
            except BrokerError as why:
                if isinstance(why, BrokerRefused) or time.monotonic() > until:
                    raise why from error


def _was_created(cluster: Cluster, name: str, future: Any) -> bool:
    try:
        future.result(TIMEOUT_S)
    except TimeoutError as error:
        msg = f"topic {name} was not created within {TIMEOUT_S:g} s: see what the controller's log says, then run the command again"
        raise BrokerError(msg) from error
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        if error.args[0].code() in DENIED:
            msg = f"topic {name} is missing or hidden from {cluster.identity}, who may not create it: {GRANT}"
            raise BrokerRefused(msg) from error
        msg = f"topic {name} could not be created: {error.args[0].str()}"
        raise BrokerError(msg) from error
    return True
