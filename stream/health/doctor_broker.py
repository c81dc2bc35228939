"""What `tocsin doctor` looks at on the broker: whether it lets us in, what it is, and whether it is set so that nothing can be lost."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aiokafka.errors import KafkaError
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from stream.health.findings import Group
from stream.runtime.reach import connected, unreachable
from stream.runtime.topic_admin import asked, check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.cluster import Cluster
    from stream.health.findings import Finding
    from stream.runtime.topics import TopicPlan
    from stream.settings import Settings

FETCH = 1
FETCH_LEAST_OF_4 = 4
"""Kafka 4.0 removed the older versions of the request to fetch."""
TIMEOUT_S = 15.0
SAFE = 3
"""So many brokers, and copies of everything, outlive the loss of any one."""
NOTHING_ELSE = "until then nothing else of the service can be looked at"
SHOWN = 8
"""So many topics of a kind are named, the rest is counted."""


class Brokers(NamedTuple):
    """What the cluster says of itself."""

    ids: tuple[int, ...]
    controller: int
    topics: Mapping[str, Any]


def reached(settings: Settings) -> Iterator[Finding]:
    """Whether each of the bootstrap addresses answers, how soon, and whether it is new enough. TocsinError for a password or key that cannot be read."""
    here, servers, away = Group("broker"), [one.strip() for one in settings.bootstrap.split(",")], []
    for server in servers:
        began = time.monotonic()
        try:
            apis = asyncio.run(_apis(settings.cluster, server))
        except (KafkaError, OSError, TimeoutError) as error:
            away.append(str(unreachable(settings.cluster, server, error)))
            continue
        took_ms = (time.monotonic() - began) * 1000
        new = apis.get(FETCH, (0, 0))[0] >= FETCH_LEAST_OF_4
        said = f"{server} lets {settings.cluster.identity} in ({took_ms:.0f} ms), Apache Kafka {'4.0 or newer' if new else 'before 4.0'}"
        yield here.ok(said) if new else here.note(said, "Tocsin is tested with Kafka 4; plan the upgrade of the brokers")
    for said in away:
        yield here.bad(
            said, NOTHING_ELSE if len(away) == len(servers) else "start it; other brokers answer, and one less of them may fail now"
        )


async def _apis(cluster: Cluster, server: str) -> Mapping[int, tuple[int, int]]:
    async with connected(cluster, server) as connection:
        versions: Mapping[int, tuple[int, int]] = connection._versions  # noqa: SLF001  (there is no public way)
        return versions


def brokers(admin: AdminClient) -> Brokers:
    """The brokers, and every topic that this principal can see; KafkaException when they do not say."""
    found = admin.list_topics(timeout=TIMEOUT_S)
    return Brokers(tuple(sorted(found.brokers)), found.controller_id, found.topics)


def enough(settings: Settings, cluster: Brokers) -> Finding:
    """Whether there are brokers enough to lose one."""
    here, count = Group("broker"), len(cluster.ids)
    said = f"{count} broker{'s' if count > 1 else ''}, {settings.replication} cop{'ies' if settings.replication > 1 else 'y'} of every topic (replication)"
    if count >= SAFE and settings.replication >= SAFE:
        return here.ok(said)
    return here.note(said, f"what stands on one disk is lost with it: {SAFE} brokers and `replication = {SAFE}` in the settings")


def limits(settings: Settings, cluster: Cluster, ids: Sequence[int]) -> Iterator[Finding]:
    """The brokers' own settings, each against what Tocsin needs; one finding for all that are well."""
    here = Group("broker")
    admin = AdminClient(cluster.librdkafka())
    well: dict[str, str] = {}
    for number in ids:
        resource = ConfigResource(ResourceType.BROKER, str(number))
        found = asked(cluster, "the cluster's settings", admin.describe_configs([resource])[resource])
        for rule in _rules(settings, len(ids)):
            value = getattr(found.get(rule.name), "value", None)
            fix = f"{rule.fix} (kafka-configs.sh --alter --entity-type brokers --entity-default --add-config, or server.properties and a restart)"
            if value is None:
                yield here.unknown(f"broker {number} does not say what {rule.name} is; if it is wrong, {rule.why}", fix)
            elif rule.fine(value):
                well[rule.name] = value
            else:
                yield (here.bad if rule.bad else here.note)(f"broker {number}: {rule.name} is {value}: {rule.why}", fix)
    if well:
        yield here.ok(", ".join(f"{name} {value}" for name, value in well.items()))


class _Rule(NamedTuple):
    name: str
    low: float
    high: float
    why: str
    fix: str
    bad: bool = True

    def fine(self, value: str) -> bool:
        number = {"false": 0.0, "true": 1.0}.get(value)
        return self.low <= (float(value) if number is None else number) <= self.high


def _rules(settings: Settings, count: int) -> Iterator[_Rule]:
    copies, many = min(count, SAFE), float("inf")
    yield _Rule("auto.create.topics.enable", 0, 0, "a misspelt name makes a topic that nobody reads", "auto.create.topics.enable=false")
    yield _Rule(
        "unclean.leader.election.enable",
        0,
        0,
        "a broker that lags may lead, and what it lacks is lost",
        "unclean.leader.election.enable=false",
    )
    yield _Rule("min.insync.replicas", min(2, copies), many, "one copy counts as written", f"min.insync.replicas={min(2, copies)}")
    name = "offsets.topic.replication.factor"
    yield _Rule(name, copies, many, "who read how far is lost with a broker", f"{name}={copies}, before the first consumer group comes")
    name = "transaction.state.log.replication.factor"
    yield _Rule(name, copies, many, "producers' numbering is lost with a broker", f"{name}={copies}", bad=False)
    yield _Rule("message.max.bytes", 1_048_588, many, "the longest record of a door does not fit", "message.max.bytes=1048588")
    session = settings.session_timeout_s * 1000
    yield _Rule(
        "group.min.session.timeout.ms",
        0,
        session,
        f"session_timeout_s {settings.session_timeout_s} is refused, no worker starts",
        f"group.min.session.timeout.ms={session:.0f}",
    )
    yield _Rule(
        "group.max.session.timeout.ms",
        session,
        many,
        f"session_timeout_s {settings.session_timeout_s} is refused, no worker starts",
        f"group.max.session.timeout.ms={session:.0f}",
    )


def topics(settings: Settings, plan: Sequence[TopicPlan], cluster: Brokers) -> Iterator[Finding]:
    """Every difference from the plan, and every partition that has lost copies or its leader."""
    here = Group("topics")
    differences = check(settings.cluster, plan)
    missing = [one for one in differences if one.what == "topic"]
    if missing:
        yield here.bad(f"{len(missing)} of {len(plan)} are missing: {_some([one.topic for one in missing])}", missing[0].fix)
    other = [one for one in differences if one.what != "topic"]
    for one in other[:SHOWN]:
        yield here.bad(f"{one.topic}: {one.what} is {one.found}, must be {one.wanted}", one.fix)
    if len(other) > SHOWN:
        yield here.bad(f"{len(other) - SHOWN} differences more", "`tocsin topics check` lists all of them")
    copies = list(_copies(here, {one.name: cluster.topics[one.name] for one in plan if one.name in cluster.topics}))
    yield from copies
    if not differences and not copies:
        yield here.ok(f"{len(plan)} topics are as they must be, every partition has a leader and all its copies")


def _copies(here: Group, found: Mapping[str, Any]) -> Iterator[Finding]:
    every = [(f"{name}/{number}", one) for name, topic in found.items() for number, one in sorted(topic.partitions.items())]
    headless = [place for place, one in every if one.leader < 0]
    behind = [place for place, one in every if one.leader >= 0 and len(one.isrs) < len(one.replicas)]
    if headless:
        yield here.bad(
            f"no broker leads {_some(headless)}: nothing can be read or written there",
            "start the brokers that hold it; their logs say more",
        )
    if behind:
        yield here.note(
            f"copies are missing or behind: {_some(behind)}",
            "start the broker that is away, or look why it lags; until then fewer may fail",
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def admin_of(cluster: Cluster) -> AdminClient:
    """A client for the questions of this file."""
    return cast("AdminClient", AdminClient(cluster.librdkafka()))
