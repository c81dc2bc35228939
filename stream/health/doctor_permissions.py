"""What `tocsin doctor` looks at about permissions: what the broker says that this principal may do, against what its role needs.

The broker itself is asked what whoever asks may do, so no access control list has to be read and nothing is written to try it.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import ConfigResource, ResourceType

from stream.errors import BrokerRefused, TocsinError
from stream.health.findings import Group
from stream.runtime.acls import ANY, CLUSTER, Resource, wanted
from stream.runtime.holders import Holding, Served
from stream.runtime.reach import DENIED
from stream.runtime.roles import IMPLIED, OF_ONE, Operation, Role
from stream.runtime.topic_admin import asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from confluent_kafka.admin import AdminClient

    from stream.health.findings import Finding
    from stream.runtime.acls import Acl
    from stream.settings import Settings

BATCH = 500
TIMEOUT_S = 15.0
PATIENCE_S = 5.0
SHOWN = 6
APPLY = "write it into principals.toml, then `tocsin topics acl principals.toml --apply` as the installer"


class Place(NamedTuple):
    """A topic, a consumer group, or the cluster."""

    resource: Resource
    name: str


class For(NamedTuple):
    """What this principal is for. `of`: whose the role is, "" where there is only one."""

    role: Role
    of: str = ""

    def __str__(self) -> str:
        return f"{self.role}:{self.of}" if self.of else str(self.role)


def role_of(text: str) -> For:
    """A role as it is written on the command line; TocsinError says what there is.

    >>> role_of("centre:harbin"), str(role_of("worker"))
    (For(role=<Role.CENTRE: 'centre'>, of='harbin'), 'worker')
    """
    name, _, of = text.partition(":")
    if name not in list(Role) or (name in OF_ONE) != bool(of):
        each = ", ".join(f"{one}:<whose>" if one in OF_ONE else str(one) for one in Role)
        msg = f"role {text!r}: one of {each}"
        raise TocsinError(msg)
    return For(Role(name), of)


def needed(settings: Settings, one: For, served: Served, topics: Iterable[str]) -> Mapping[Place, frozenset[str]]:
    """The operations a role needs, on these topics and on groups and the cluster."""
    names = list(topics)
    found: dict[Place, set[str]] = {}
    for acl in wanted(settings, [Holding(one.role, one.of, "")], served):
        for place in _places(acl, names):
            operation = Operation(acl.operation)
            found.setdefault(place, set()).update({str(operation), str(IMPLIED.get(operation, operation))})
    return {place: frozenset(operations) for place, operations in found.items()}


def _places(acl: Acl, topics: Sequence[str]) -> list[Place]:
    kind, name, prefixed = acl.pattern
    if kind is Resource.TOPIC:
        return [Place(kind, one) for one in topics if name in (ANY, one) or (prefixed and one.startswith(name))]
    if kind is Resource.GROUP and name == ANY:
        return []
    return [Place(kind, f"{name}doctor" if prefixed else name)]


def permissions(settings: Settings, admin: AdminClient, topics: Sequence[str], role: For | None, served: Served) -> Iterator[Finding]:
    """What may be done, and what of the role is missing or more than it needs."""
    here = Group("permissions")
    if not closed(settings, admin, next(iter(admin.list_topics(timeout=TIMEOUT_S).brokers))):
        fix = "an authorizer (authorizer.class.name), allow.everyone.if.no.acl.found=false, and `tocsin topics acl`; until then keep the port to yourself"
        yield here.note("everybody may do everything: the broker has no access control", fix)
        return
    needs = {} if role is None else needed(settings, role, served, topics)
    groups = [one.name for one in needs if one.resource is Resource.GROUP]
    may = allowed(admin, topics, groups)
    who = settings.cluster.identity
    if role is None:
        count = Counter(operation for place, operations in may.items() if place.resource is Resource.TOPIC for operation in operations)
        said = ", ".join(f"{operation} {number}" for operation, number in sorted(count.items())) or "nothing"
        yield here.ok(f"{who} may on {len(topics)} topics: {said} (--role compares it with what a role needs)")
        return
    missing = _by_operation({place: operations - may[place] for place, operations in needs.items() if place in may})
    for operation, places in missing.items():
        yield here.bad(f"{who} may not {operation} {_some(places)}, which {role} needs", f"{_line(settings, role)}: {APPLY}")
    more = _by_operation({place: operations - needs.get(place, frozenset()) for place, operations in may.items()})
    for operation, places in more.items():
        yield here.note(
            f"{who} may also {operation} {_some(places)}, which {role} does not need",
            "`tocsin topics acl --check` shows the entries, --apply --remove takes them away",
        )
    if unknown := [f"{place.resource} {place.name}" for place in needs if place not in may]:
        yield here.unknown(
            f"the broker does not say what {who} may do to {_some(unknown)}", "a topic is missing, or a broker has just started: ask again"
        )
    if not missing and not more and not unknown:
        yield here.ok(f"{who} may do exactly what {role} needs, on {len(topics)} topics")


def _line(settings: Settings, role: For) -> str:
    name = settings.cluster.sasl_username or "CN=..."
    return f'[{role.role}] {role.of} = ["User:{name}"]' if role.of else f'{role.role} = ["User:{name}"]'


def _by_operation(places: Mapping[Place, Iterable[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place, operations in sorted(places.items()):
        for one in operations:
            found.setdefault(one, []).append(place.name if place.resource is Resource.TOPIC else f"{place.resource} {place.name}")
    return dict(sorted(found.items()))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def closed(settings: Settings, admin: AdminClient, broker: int) -> bool:
    """Whether the broker has access control at all: it hides its settings from us, or says that it has an authorizer."""
    resource = ConfigResource(ResourceType.BROKER, str(broker))
    try:
        found = asked(settings.cluster, "the cluster's settings", admin.describe_configs([resource])[resource])
    except BrokerRefused:
        return True
    return bool(getattr(found.get("authorizer.class.name"), "value", ""))


def allowed(admin: AdminClient, topics: Sequence[str], groups: Sequence[str]) -> dict[Place, frozenset[str]]:
    """What whoever asks may do to these topics and groups and to the cluster: nothing to what is hidden from him, unknown (left out) if it is not there."""
    answered: dict[Place, Any] = {Place(Resource.CLUSTER, CLUSTER): admin.describe_cluster(include_authorized_operations=True)}
    for start in range(0, len(topics), BATCH):
        some = TopicCollection(list(topics[start : start + BATCH]))
        answers = admin.describe_topics(some, include_authorized_operations=True, request_timeout=TIMEOUT_S)
        answered |= {Place(Resource.TOPIC, name): answer for name, answer in answers.items()}
    found = {place: _operations(answer) for place, answer in answered.items()} | _of_groups(admin, groups)
    return {place: operations for place, operations in found.items() if operations is not None}


def _of_groups(admin: AdminClient, names: Sequence[str]) -> dict[Place, frozenset[str] | None]:
    """A cluster that never had a group has no coordinator of groups yet: it makes one when it is asked."""
    found: dict[Place, frozenset[str] | None] = {}
    until = time.monotonic() + PATIENCE_S
    while names:
        answers = admin.describe_consumer_groups(list(names), include_authorized_operations=True, request_timeout=TIMEOUT_S)
        found = {Place(Resource.GROUP, name): _operations(answer) for name, answer in answers.items()}
        if None not in found.values() or time.monotonic() > until:
            break
        time.sleep(PATIENCE_S / 10)
    return found


def _operations(answer: Any) -> frozenset[str] | None:
    try:
        described = answer.result(TIMEOUT_S)
    except KafkaException as error:
        return frozenset() if error.args[0].code() in DENIED else None
    ours = {one.upper(): str(one) for one in Operation}
    names = (one.name.replace("_", "") for one in described.authorized_operations or ())
    return frozenset(ours[name] for name in names if name in ours)
