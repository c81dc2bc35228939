"""Tries everything that can be done to topics, groups and the cluster as one principal, and says what the broker let it do.

Each answer is one of two: done (or refused for a reason that only comes after the permission was checked), or refused by the authorizer.
Anything else is an error of the test.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.runtime import raw_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from stream.cluster import Cluster

SILENT = logging.getLogger("silent")
SILENT.propagate = False

PATIENCE_S = 15.0
REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
AFTER_PERMISSION = {KafkaError.TOPIC_ALREADY_EXISTS}
"""Answers that only whoever is allowed to gets."""
Case = tuple[str, str]
"""What was tried, on what."""


def verdict(error: KafkaError | None) -> bool:
    """Whether it was allowed; KafkaException for an answer that says neither."""
    if error is None or error.code() in AFTER_PERMISSION:
        return True
    if error.code() in REFUSED:
        return False
    raise KafkaException(error)


def of_futures(futures: Mapping[Any, Any], name: Callable[[Any], str] = str) -> dict[str, bool]:
    found = {}
    for key, future in futures.items():
        error = future.exception(PATIENCE_S)
        found[name(key)] = verdict(None if error is None else error.args[0])
    return found


def topic_cases(cluster: Cluster, topics: Collection[str]) -> dict[Case, bool]:
    """Everything that can be done to topics, on each of these. They have one partition with a record in it."""
    admin = AdminClient(cluster.librdkafka())
    resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
    entry = ConfigEntry("retention.ms", "3600000", incremental_operation=AlterConfigOpType.SET)
    changed = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry]) for topic in topics]
    answers = {
        **asyncio.run(raw_requests.on_topics(cluster, topics)),
        "create": of_futures(admin.create_topics([NewTopic(topic, 1, 1) for topic in topics], validate_only=True)),
        "describe_configs": of_futures(admin.describe_configs(resources), lambda one: one.name),
        "alter_configs": of_futures(admin.incremental_alter_configs(changed, validate_only=True), lambda one: one.name),
        "add_partitions": of_futures(admin.create_partitions([NewPartitions(topic, 2) for topic in topics], validate_only=True)),
        "delete": of_futures(admin.delete_topics(list(topics))),
    }
    return {(what, topic): answer for what, by_topic in answers.items() for topic, answer in by_topic.items()}


def group_cases(cluster: Cluster, groups: Collection[str], topic: str) -> dict[Case, bool]:
    """Everything that can be done to consumer groups: read on as one (of this topic), look at it, delete it."""
    answers = asyncio.run(raw_requests.on_groups(cluster, groups, topic))
    return {(what, group): answer for what, by_group in answers.items() for group, answer in by_group.items()}


def cluster_cases(cluster: Cluster) -> dict[str, bool]:
    """Everything that can be done to the cluster itself."""
    admin = AdminClient(cluster.librdkafka())
    binding = (ResourceType.TOPIC, "nobodys", ResourcePatternType.LITERAL, "User:nobody", "*", AclOperation.READ, AclPermissionType.ALLOW)
    broker = ConfigResource(ResourceType.BROKER, "1")
    entry = ConfigEntry("log.cleaner.threads", "1", incremental_operation=AlterConfigOpType.SET)
    changed = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
    user = UserScramCredentialUpsertion("nobody", ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), b"tried")
    anything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )  # fmt: skip
    return {
        # librdkafka 2.16 answers a refusal with an empty list; there are some.
        "read_acls": admin.describe_acls(anything).result(PATIENCE_S) != [],
        "add_acls": one_of(admin.create_acls([AclBinding(*binding)])),
        "remove_acls": one_of(admin.delete_acls([AclBindingFilter(*binding)])),
        "change_users": one_of(admin.alter_user_scram_credentials([user])),
        "describe_configs": one_of(admin.describe_configs([broker])),
        "alter_configs": one_of(admin.incremental_alter_configs([changed], validate_only=True)),
        "transact": transacted(cluster),
    }


def one_of(futures: Mapping[Any, Any]) -> bool:
    ((_, answer),) = of_futures(futures).items()
    return answer


def transacted(cluster: Cluster) -> bool:
    try:
        Producer({**cluster.librdkafka(), "logger": SILENT, "transactional.id": "tried"}).init_transactions(PATIENCE_S)
    except KafkaException as error:
        return verdict(error.args[0])
    return True
