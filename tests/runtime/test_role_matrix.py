"""On a secured broker everybody may do exactly what the table of roles says: every role, every kind of topic, every operation, tried.

What is expected is read off the table; what is allowed comes of the access control lists that `tocsin topics acl` makes of it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from stream.errors import BrokerRefused
from stream.records.canary import PRINCIPAL
from stream.runtime import acl_admin, topic_admin
from stream.runtime.acls import Acl, Pattern, Resource, compare, wanted
from stream.runtime.broker import Broker
from stream.runtime.broker_security import INSTALLER
from stream.runtime.feeding import await_coordinator
from stream.runtime.holders import Holding, Served
from stream.runtime.reach import reach
from stream.runtime.roles import IMPLIED, OF_ONE, TABLE, Group, Kind, Operation, Role, Whose
from stream.runtime.topics import TopicPlan, plan
from stream.settings import Settings
from tests.runtime import raw_requests
from tests.runtime.probing import cluster_cases, group_cases, topic_cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.cluster import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SERVED = Served({"wu": ("hubei",), "wuhan": ("hubei",), "jing": ("hebei",), "hubei": (), "hebei": ()}, ("lower", "upper"))
LATER = "zhu"
"""A city that no active region has yet; its topics were made by its region's."""
HELD = (
    *(Holding(role, PRINCIPAL if role is Role.CANARY else "", f"User:{role}") for role in Role if role not in OF_ONE),
    Holding(Role.CENTRE, "wu", "User:centre-wu"),
    Holding(Role.CENTRE, "wuhan", "User:CN=centre-wuhan"),
    Holding(Role.COORDINATOR, "hubei", "User:CN=coordinator"),
    Holding(Role.DOOR, "upper", "User:upper"),
)
# The first user of the broker is called installer and may do everything; whoever has only the role is called otherwise.
ACTORS = {one.principal.replace("User:installer", "User:second"): one for one in HELD} | {"User:nobody": None}


class Thing(NamedTuple):
    """A topic or a group, what it is of the table's, and whose (empty: nobody's in particular)."""

    name: str
    kind: Kind | Group | None = None
    whose: str = ""


TOPICS = (
    *(Thing(f"measurements.{door}", Kind.DOORS) for door in ("water", "air", "health")),
    *(Thing(f"backfill.{door}", Kind.BACKFILL) for door in ("water", "air", "health")),
    *(Thing(f"ingest.{one}", Kind.INGEST, one) for one in ("upper", "lower", "canary")),
    *(Thing(f"warnings.{one}", Kind.CITIES, one) for one in ("wu", "wuhan", "jing", "hubei", "hebei", LATER)),
    *(Thing(f"acknowledgements.{one}", Kind.ANSWERS, one) for one in ("wu", "wuhan", "jing", "hubei", "hebei", LATER)),
    *(Thing(str(one), one) for one in Kind if not {"*", "<"} & set(one)),
    *(Thing(name) for name in ("exercise.journal", "exercise.warnings.wu", "exercise.acknowledgements.wu", "elsewhere")),
)
GROUPS = (
    Thing("tocsin", Group.WORKERS),
    Thing("tocsin-shadow-6", Group.SHADOWS),
    Thing("tocsin-backfill", Group.BACKFILL),
    *(Thing(f"{one}.reader", Group.OWN, one) for one in ("centre-wu", "centre-wuhan", "centre-jing", "coordinator-hubei", "auditor")),
    Thing("exercise.tocsin"),
    Thing("elsewhere"),
)
NEEDS = {
    "read": Operation.READ,
    "write": Operation.WRITE,
    "describe": Operation.DESCRIBE,
    "create": Operation.CREATE,
    "describe_configs": Operation.DESCRIBE_CONFIGS,
    "alter_configs": Operation.ALTER_CONFIGS,
    "add_partitions": Operation.ALTER,
    "delete_records": Operation.DELETE,
    "delete": Operation.DELETE,
}
CLUSTER_NEEDS = {
    "read_acls": Operation.DESCRIBE,
    "add_acls": Operation.ALTER,
    "remove_acls": Operation.ALTER,
    "change_users": Operation.ALTER,
    "describe_configs": Operation.DESCRIBE_CONFIGS,
    "alter_configs": Operation.ALTER_CONFIGS,
}


def closure(operations: set[Operation]) -> set[Operation]:
    return operations | {IMPLIED[one] for one in operations if one in IMPLIED}


def on_topic(one: Holding | None, topic: Thing) -> set[Operation]:
    """What the table promises on a topic."""
    if one is None:
        return set()
    which = {
        Whose.ALL: True,
        Whose.EACH: topic.whose in SERVED.above,
        Whose.OWN: topic.whose == one.of,
        Whose.BELOW: one.of in SERVED.above.get(topic.whose, ()),
    }
    found = set(TABLE[one.role].every_topic)
    for grant in TABLE[one.role].topics:
        if topic.kind in grant.kinds and (not topic.whose or which[grant.whose]):
            found |= set(grant.operations)
    return closure(found)


def on_group(one: Holding | None, group: Thing) -> set[Operation]:
    if one is None:
        return set()
    own = group.whose == (f"{one.role}-{one.of}" if one.role in OF_ONE else one.role)
    meant = {kind: group.kind is kind for kind in (Group.WORKERS, Group.SHADOWS, Group.BACKFILL)} | {Group.OWN: own, Group.EVERY: True}
    return closure({operation for operation, kind in TABLE[one.role].groups if meant[kind]})


class Closed(NamedTuple):
    """The broker with all topics and lists, and what was tried so far."""

    broker: Broker
    settings: Settings
    tried: list[int]

    def cluster(self, principal: str) -> Cluster:
        name = principal.removeprefix("User:")
        security = self.broker.security
        if name.startswith("CN="):
            shown = security.certificate_login(name.removeprefix("CN="))
            return Settings(bootstrap=self.broker.address("SSL"), **shown).cluster
        if not security.password_file(name).exists():
            self.broker.set_password(name)
        return Settings(bootstrap=self.broker.bootstrap, **security.login(name)).cluster


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with Broker.start(tmp_path_factory.mktemp("closed"), secured=True) as broker:
        settings = Settings(bootstrap=broker.bootstrap, partitions=1, **broker.security.login(INSTALLER))
        topic_admin.create(settings.cluster, [TopicPlan(one.name, 1, 1, {}) for one in TOPICS])
        held = [one._replace(principal=principal) for principal, one in ACTORS.items() if one is not None]
        acl_admin.add(settings.cluster, wanted(settings, held, SERVED))
        assert not any(compare(settings, wanted(settings, held, SERVED), acl_admin.read(settings.cluster)))
        assert all(
            all(by_topic.values())
            for by_topic in asyncio.run(raw_requests.on_topics(settings.cluster, [one.name for one in TOPICS])).values()
        )
        await_groups(settings)
        began, tried = time.monotonic(), list[int]()
        yield Closed(broker, settings, tried)
        print(
            f"\n{sum(tried)} cases: {len(tried)} principals, {len(TOPICS)} topics, {len(GROUPS)} groups, {time.monotonic() - began:.1f} s"
        )


def await_groups(settings: Settings) -> None:
    """A broker that has just been made cannot look after groups for a moment."""
    asyncio.run(await_coordinator(settings))
    until = time.monotonic() + 30
    while True:
        try:
            group_cases(settings.cluster, [one.name for one in GROUPS], "regions")
        except AssertionError:
            assert time.monotonic() < until
            time.sleep(0.2)
        else:
            return


def test_the_topics_of_the_matrix_are_all_there_are() -> None:
    made_ones = {one.name for one in plan(Settings(partitions=1), SERVED.above, SERVED.doors)}
    assert made_ones <= {one.name for one in TOPICS}
    assert {one.kind for one in TOPICS} == {*Kind, None}


@pytest.mark.parametrize("principal", ACTORS)
def test_what_the_table_promises_is_allowed_and_everything_else_is_refused(closed: Closed, principal: str) -> None:
    one, cluster = ACTORS[principal], closed.cluster(principal)
    expected = {(what, topic.name): need in on_topic(one, topic) for what, need in NEEDS.items() for topic in TOPICS}
    expected |= {("follow", topic.name): False for topic in TOPICS}
    found = topic_cases(cluster, [topic.name for topic in TOPICS])
    expected_groups = {
        (what, group.name): NEEDS[what] in on_group(one, group) for what in ("read", "describe", "delete") for group in GROUPS
    }
    found_groups = group_cases(cluster, [group.name for group in GROUPS], "regions")
    may = closure(set(TABLE[one.role].cluster)) if one is not None else set()
    expected_cluster = {what: need in may for what, need in CLUSTER_NEEDS.items()} | {"transact": False}
    found_cluster = cluster_cases(cluster)
    closed.tried.append(len(found) + len(found_groups) + len(found_cluster))
    assert differing(found, expected) == {}
    assert differing(found_groups, expected_groups) == {}
    assert differing(found_cluster, expected_cluster) == {}


def differing(found: dict[Any, bool], expected: dict[Any, bool]) -> dict[Any, str]:
    assert found.keys() == expected.keys()
    return {case: "allowed" if found[case] else "refused" for case in found if found[case] != expected[case]}


def test_a_list_by_the_beginning_of_a_citys_name_would_open_another_citys_and_is_found_and_taken_away(closed: Closed) -> None:
    centre, wuhan = ACTORS["User:centre-wu"], "warnings.wuhan"
    loose = Acl("User:centre-wu", Pattern(Resource.TOPIC, "warnings.wu", prefixed=True), "Read")
    held = [one._replace(principal=principal) for principal, one in ACTORS.items() if one is not None]
    acl_admin.add(closed.settings.cluster, [loose])
    assert topic_cases(closed.cluster("User:centre-wu"), [wuhan])["read", wuhan]
    found = compare(closed.settings, wanted(closed.settings, held, SERVED), acl_admin.read(closed.settings.cluster))
    assert found == ((), (loose,))
    acl_admin.remove(closed.settings.cluster, found.superfluous)
    assert not any(topic_cases(closed.cluster("User:centre-wu"), [wuhan]).values())
    assert Operation.READ not in on_topic(centre, Thing(wuhan, Kind.CITIES, "wuhan"))


def test_a_password_that_was_changed_lets_nobody_in_any_more_and_the_new_one_does(closed: Closed, tmp_path: Path) -> None:
    before = closed.cluster("User:sre")
    old = tmp_path / "old"
    old.write_bytes(Path(before.sasl_password_file).read_bytes())
    old.chmod(0o600)
    assert acl_admin.read(replace(before, sasl_password_file=str(old)))
    closed.broker.set_password("sre")
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong", "utf-8")
    wrong.chmod(0o600)
    for file in (old, wrong):
        with pytest.raises(BrokerRefused, match="refused user 'sre'"):
            asyncio.run(reach(replace(before, sasl_password_file=str(file))))
    assert acl_admin.read(closed.cluster("User:sre"))
