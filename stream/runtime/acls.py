"""Access control lists made of the table of roles and of who holds them; what of a cluster's differs; how other tools write them. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from stream.runtime.holders import known
from stream.runtime.roles import OF_ONE, TABLE, Group, Kind, Operation, Whose
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stream.runtime.holders import Holding, Served
    from stream.settings import Settings

ANY = "*"
CLUSTER = "kafka-cluster"
ALLOW = "Allow"


class Resource(StrEnum):
    """What is protected."""

    TOPIC = "topic"
    GROUP = "group"
    CLUSTER = "cluster"
    OTHER = "other"
    """Transactional ids, delegation tokens, users: nobody of ours needs any."""


class Pattern(NamedTuple):
    """Resources by name, or by the beginning of their names. `*` by name: every one."""

    resource: Resource
    name: str
    prefixed: bool = False


class Acl(NamedTuple):
    """One entry: this principal may (or, `Deny`, may not) do this."""

    principal: str
    pattern: Pattern
    operation: str
    permission: str = ALLOW
    host: str = ANY


def topics_of(settings: Settings, kind: Kind) -> tuple[str, ...]:
    """The topics of a kind on this lane; of a kind of which there are many (`warnings.<city>`) the beginning of their names.

    >>> from stream.settings import Settings
    >>> topics_of(Settings(generation=2), Kind.JOURNAL), topics_of(Settings(), Kind.CITIES)
    (('journal.2',), ('warnings.',))
    """
    topics = Topics.of(settings)
    if kind in (Kind.DOORS, Kind.BACKFILL):
        return topics.doors if kind is Kind.DOORS else topics.backfill
    beginnings = {Kind.INGEST: topics.ingest("x")[:-1], Kind.CITIES: topics.city("x")[:-1], Kind.ANSWERS: topics.acknowledgements("x")[:-1]}
    return (beginnings.get(kind) or str(getattr(topics, kind.name.lower())),)


def wanted(settings: Settings, held: Iterable[Holding], served: Served) -> frozenset[Acl]:
    """Everything that is allowed on this lane; TocsinError when somebody has the role of a city, body or door that the regions do not know."""
    everybody = tuple(held)
    known(everybody, served)
    return frozenset(Acl(one.principal, pattern, operation) for one in everybody for pattern, operation in _patterns(settings, one, served))


def _patterns(settings: Settings, holding: Holding, served: Served) -> Iterator[tuple[Pattern, Operation]]:
    may = TABLE[holding.role]
    for grant in may.topics:
        for kind in grant.kinds:
            for pattern in _topics(settings, kind, grant.whose, holding, served):
                yield from ((pattern, operation) for operation in grant.operations)
    for operation, group in may.groups:
        yield _group(settings, holding, group), operation
    yield from ((Pattern(Resource.CLUSTER, CLUSTER), operation) for operation in may.cluster)
    yield from ((Pattern(Resource.TOPIC, ANY), operation) for operation in may.every_topic)


def _topics(settings: Settings, kind: Kind, whose: Whose, holding: Holding, served: Served) -> list[Pattern]:
    names = topics_of(settings, kind)
    if kind not in (Kind.INGEST, Kind.CITIES, Kind.ANSWERS):
        return [Pattern(Resource.TOPIC, name) for name in names]
    if whose is Whose.ALL:
        return [Pattern(Resource.TOPIC, names[0], prefixed=True)]
    return [Pattern(Resource.TOPIC, f"{names[0]}{one}") for one in _whom(whose, holding, served)]


def _whom(whose: Whose, holding: Holding, served: Served) -> tuple[str, ...]:
    if whose is Whose.OWN:
        return (holding.of,)
    return served.below(holding.of) if whose is Whose.BELOW else tuple(served.above)


def _group(settings: Settings, holding: Holding, group: Group) -> Pattern:
    workers = f"{settings.prefix}{settings.group}"
    if group is Group.OWN:
        begin = f"{holding.role}-{holding.of}" if holding.role in OF_ONE else str(holding.role)
        return Pattern(Resource.GROUP, f"{settings.prefix}{begin}.", prefixed=True)
    if group is Group.SHADOWS:
        return Pattern(Resource.GROUP, f"{workers}-shadow-", prefixed=True)
    return Pattern(Resource.GROUP, {Group.WORKERS: workers, Group.BACKFILL: f"{workers}-backfill", Group.EVERY: ANY}[group])


class Differences(NamedTuple):
    """What a cluster lacks, and what it allows (or denies) that nobody was promised."""

    missing: tuple[Acl, ...]
    superfluous: tuple[Acl, ...]


def compare(settings: Settings, wanted_: frozenset[Acl], found: Iterable[Acl]) -> Differences:
    """The differences on this lane. Other lanes' entries, and those of topics and groups that are none of ours, are nobody's business here."""
    there = frozenset(found)
    more = {one for one in there - wanted_ if _ours(settings, one.pattern)}
    return Differences(tuple(sorted(wanted_ - there)), tuple(sorted(more)))


def _ours(settings: Settings, pattern: Pattern) -> bool:
    """Whether it opens anything of this lane: the cluster itself, a name that is ours, or a beginning that some of our names have."""
    if pattern.name == ANY or pattern.resource in (Resource.CLUSTER, Resource.OTHER):
        return True
    if pattern.resource is Resource.GROUP:
        names = [settings.group, f"{settings.group}-", *(f"{role}{'-' if role in OF_ONE else '.'}" for role in TABLE)]
        begins = [f"{settings.prefix}{one}" for one in names]
    else:
        begins = [name for kind in Kind for name in topics_of(settings, kind)]
    inside = any(pattern.name == one or pattern.name.startswith(one if one[-1] in ".-" else f"{one}.") for one in begins)
    return inside or (pattern.prefixed and any(one.startswith(pattern.name) for one in begins))


def gathered(acls: Iterable[Acl]) -> dict[tuple[str, Pattern], list[str]]:
    """The operations of each principal on each pattern, in order."""
    found: dict[tuple[str, Pattern], list[str]] = {}
    for one in sorted(acls):
        found.setdefault((one.principal, one.pattern), []).append(one.operation)
    return found


def commands(settings: Settings, acls: Iterable[Acl]) -> Iterator[str]:
    """The same with Kafka's own tool, a line each."""
    for (principal, pattern), operations in gathered(acls).items():
        what = "--cluster" if pattern.resource is Resource.CLUSTER else f"--{pattern.resource} '{pattern.name}'"
        each = " ".join(f"--operation {one}" for one in operations)
        kind = " --resource-pattern-type prefixed" if pattern.prefixed else ""
        yield f"kafka-acls.sh --bootstrap-server {settings.bootstrap} --add --allow-principal '{principal}' {each} {what}{kind}"


def strimzi(acls: Iterable[Acl]) -> list[dict[str, object]]:
    """The same as Strimzi's KafkaUser objects, one a principal: a certificate's by its common name, else a user with a password."""
    users: dict[str, list[dict[str, object]]] = {}
    for (principal, pattern), operations in gathered(acls).items():
        resource: dict[str, object] = {"type": str(pattern.resource)}
        if pattern.resource is not Resource.CLUSTER:
            resource |= {"name": pattern.name, "patternType": "prefix" if pattern.prefixed else "literal"}
        users.setdefault(principal, []).append({"resource": resource, "operations": operations, "host": ANY})
    return [_user(principal.removeprefix("User:"), rules) for principal, rules in users.items()]


def _user(name: str, rules: list[dict[str, object]]) -> dict[str, object]:
    certificate = name.startswith("CN=")
    spec = {
        "authentication": {"type": "tls" if certificate else "scram-sha-512"},
        "authorization": {"type": "simple", "acls": rules},
    }
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": name.removeprefix("CN="), "labels": {"strimzi.io/cluster": "tocsin"}},
        "spec": spec,
    }
