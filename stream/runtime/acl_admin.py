"""Reads a cluster's access control lists, adds and removes entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from stream.errors import BrokerError
from stream.runtime.acls import Acl, Pattern, Resource
from stream.runtime.reach import reach_now

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.cluster import Cluster

BATCH = 500
"""Entries a request: a controller writes a request's records at once, 10,000 at most."""
TIMEOUT_S = 30.0
"""After that librdkafka itself answers every request."""
_TYPES = {Resource.TOPIC: ResourceType.TOPIC, Resource.GROUP: ResourceType.GROUP, Resource.CLUSTER: ResourceType.BROKER}


def read(cluster: Cluster) -> tuple[Acl, ...]:
    """Every entry of the cluster; BrokerError when it does not show them to us."""
    anything = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
    reach_now(cluster)
    admin = AdminClient(cluster.librdkafka())
    try:
        # Asked first: to whom the lists are not shown, librdkafka 2.16 says that there are none.
        may = admin.describe_cluster(include_authorized_operations=True, request_timeout=TIMEOUT_S).result()
        if AclOperation.DESCRIBE not in (may.authorized_operations or ()):
            raise _told(cluster, "read", KafkaException(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED)))
        found = admin.describe_acls(anything, request_timeout=TIMEOUT_S).result()
    except KafkaException as error:
        raise _told(cluster, "read", error) from error
    resources = {kafka: ours for ours, kafka in _TYPES.items()}
    return tuple(
        Acl(
            one.principal,
            Pattern(resources.get(one.restype, Resource.OTHER), one.name, one.resource_pattern_type is ResourcePatternType.PREFIXED),
            _words(one.operation.name),
            _words(one.permission_type.name),
            one.host,
        )
        for one in found
    )


def add(cluster: Cluster, acls: Iterable[Acl]) -> None:
    """Add these entries; what is there already stays. BrokerError when one is not taken."""
    admin = AdminClient(cluster.librdkafka())
    for batch in _batches(acls):
        try:
            for future in admin.create_acls([_binding(one) for one in batch], request_timeout=TIMEOUT_S).values():
                future.result()
        except KafkaException as error:
            raise _told(cluster, "added", error) from error


def remove(cluster: Cluster, acls: Iterable[Acl]) -> None:
    """Remove exactly these entries (of topics, groups and the cluster); BrokerError when one cannot be."""
    admin = AdminClient(cluster.librdkafka())
    for batch in _batches(one for one in acls if one.pattern.resource is not Resource.OTHER):
        try:
            for future in admin.delete_acls([_filter(one) for one in batch], request_timeout=TIMEOUT_S).values():
                future.result()
        except KafkaException as error:
            raise _told(cluster, "removed", error) from error


def _batches(acls: Iterable[Acl]) -> list[list[Acl]]:
    every = list(acls)
    return [every[start : start + BATCH] for start in range(0, len(every), BATCH)]


def _fields(acl: Acl) -> tuple[object, ...]:
    kind = ResourcePatternType.PREFIXED if acl.pattern.prefixed else ResourcePatternType.LITERAL
    return (
        _TYPES[acl.pattern.resource],
        acl.pattern.name,
        kind,
        acl.principal,
        acl.host,
        AclOperation[_name(acl.operation)],
        AclPermissionType[_name(acl.permission)],
    )


def _binding(acl: Acl) -> AclBinding:
    return AclBinding(*_fields(acl))


def _filter(acl: Acl) -> AclBindingFilter:
    return AclBindingFilter(*_fields(acl))


def _words(name: str) -> str:
    """Kafka's name of an operation.

    >>> _words("DESCRIBE_CONFIGS"), _name("DescribeConfigs")
    ('DescribeConfigs', 'DESCRIBE_CONFIGS')
    """
    return "".join(part.capitalize() for part in name.split("_"))


def _name(words: str) -> str:
    return "".join(f"_{one}" if one.isupper() and at else one for at, one in enumerate(words)).upper()


def _told(cluster: Cluster, what: str, error: KafkaException) -> BrokerError:
    why = error.args[0].str()
    return BrokerError(
        f"access control lists could not be {what} at {cluster.bootstrap} as {cluster.identity}: {why}; it needs an authorizer "
        "(authorizer.class.name), and somebody with the role installer"
    )
