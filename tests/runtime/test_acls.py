"""Access control lists as they are made, compared and written, without a broker (`test_role_matrix.py` tries them on one)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.errors import TocsinError
from stream.records.lanes import Lane
from stream.runtime.acls import Acl, Pattern, Resource, commands, compare, strimzi, topics_of, wanted
from stream.runtime.holders import Holding, Served, read
from stream.runtime.roles import IMPLIED, OF_ONE, TABLE, Kind, Operation, Role
from stream.runtime.topics import plan
from stream.settings import Settings

SETTINGS = Settings()
SERVED = Served({"wu": ("hubei",), "wuhan": ("hubei",), "hubei": ()}, ("upper",))
EXAMPLE = Path(__file__).parents[2] / "deploy" / "regions" / "example"
FILE = """
worker = ["User:worker-0"]
sre = ["User:CN=sre"]
[centre]
linhe = ["User:centre-linhe"]
"""


def held(role: Role, of: str = "") -> list[Holding]:
    return [Holding(role, of, "User:x")]


def test_every_topic_of_a_lane_is_of_a_kind_that_the_table_speaks_of() -> None:
    begins = [name for kind in Kind for name in topics_of(SETTINGS, kind)]
    topics = [one.name for one in plan(SETTINGS, SERVED.above, SERVED.doors)]
    assert [one for one in topics if one not in begins and not any(one.startswith(begin) for begin in begins if begin.endswith("."))] == []
    granted = {kind for may in TABLE.values() for grant in may.topics for kind in grant.kinds}
    assert granted == set(Kind)


def test_nobody_may_delete_anything_and_only_the_installer_may_make_or_change() -> None:
    changing = {Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS, Operation.DELETE}
    for role, may in TABLE.items():
        done = {one for grant in may.topics for one in grant.operations} | {one for one, _ in may.groups} | {*may.cluster, *may.every_topic}
        assert Operation.DELETE not in done
        assert not done & changing or role is Role.INSTALLER
    assert set(IMPLIED.values()) == {Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS}


def test_exact_counts_are_for_the_service_and_its_operators_alone() -> None:
    exact = {
        Kind.DOORS,
        Kind.BACKFILL,
        Kind.INGEST,
        Kind.JOURNAL,
        Kind.CHECKPOINTS,
        Kind.SNAPSHOTS,
        Kind.REJECTED,
        Kind.WARNINGS,
        Kind.WARNINGS_LATE,
    }
    readers = {role for role, may in TABLE.items() for grant in may.topics if Operation.READ in grant.operations and exact & {*grant.kinds}}
    assert readers == {Role.WORKER, Role.INTAKE, Role.OPERATOR}


def test_operators_write_nothing() -> None:
    done = {one for grant in TABLE[Role.OPERATOR].topics for one in grant.operations}
    assert (done, TABLE[Role.OPERATOR].groups, TABLE[Role.OPERATOR].cluster) == ({Operation.READ}, (), ())


@pytest.mark.parametrize("role", sorted(OF_ONE | {Role.AUDITOR}))
def test_whoever_is_not_the_service_is_let_to_topics_one_by_one(role: Role) -> None:
    of = {Role.CENTRE: "wu", Role.COORDINATOR: "hubei", Role.DOOR: "upper"}.get(role, "")
    patterns = [one.pattern for one in wanted(SETTINGS, held(role, of), SERVED)]
    assert [one for one in patterns if one.resource is Resource.TOPIC and (one.prefixed or one.name == "*")] == []
    # Groups of its own end with a dot, which no city's id has: centre-wu. is not centre-wuhan.
    assert all(one.name.endswith(".") for one in patterns if one.prefixed)


def test_a_centre_gets_exactly_this() -> None:
    assert list(commands(SETTINGS, wanted(SETTINGS, held(Role.CENTRE, "wu"), SERVED))) == [
        f"kafka-acls.sh --bootstrap-server 127.0.0.1:19092 --add --allow-principal 'User:x' {rest}"
        for rest in (
            "--operation Read --group 'centre-wu.' --resource-pattern-type prefixed",
            "--operation Read --operation Write --topic 'acknowledgements.wu'",
            "--operation Read --topic 'incidents'",
            "--operation Read --topic 'regions'",
            "--operation Read --topic 'warnings.wu'",
        )
    ]


def test_a_coordinator_reads_what_stands_below_it() -> None:
    read_ones = {one.pattern.name for one in wanted(SETTINGS, held(Role.COORDINATOR, "hubei"), SERVED) if one.operation == "Read"}
    assert {"warnings.wu", "warnings.wuhan", "warnings.hubei", "acknowledgements.wu", "city_status"} <= read_ones
    written = {one.pattern.name for one in wanted(SETTINGS, held(Role.COORDINATOR, "hubei"), SERVED) if one.operation == "Write"}
    assert written == {"acknowledgements.hubei"}


def test_whom_no_region_knows_gets_nothing() -> None:
    for role, of in ((Role.CENTRE, "wuh"), (Role.COORDINATOR, "hunan"), (Role.DOOR, "lower")):
        with pytest.raises(TocsinError, match=f"no active region knows {role}.{of}"):
            wanted(SETTINGS, held(role, of), SERVED)


def test_lanes_do_not_share_topics_or_groups() -> None:
    exercise = Settings(prefix="exercise.", lane=Lane.EXERCISE)
    for role in set(Role) - {Role.INSTALLER, Role.SRE}:
        of = {Role.CENTRE: "wu", Role.COORDINATOR: "hubei", Role.DOOR: "upper", Role.CANARY: "canary"}.get(role, "")
        live, drill = (wanted(one, held(role, of), SERVED) for one in (SETTINGS, exercise))
        assert len(live) == len(drill)
        assert {one.pattern.name.startswith("exercise.") for one in drill} == {True}
        assert compare(SETTINGS, live, live | drill) == ((), ())
        assert compare(exercise, drill, live | drill) == ((), ())


@pytest.mark.parametrize(
    ("pattern", "ours"),
    [
        (Pattern(Resource.TOPIC, "journal"), True),
        (Pattern(Resource.TOPIC, "journal.2"), True),
        (Pattern(Resource.TOPIC, "warnings.elsewhere"), True),
        (Pattern(Resource.TOPIC, "w", prefixed=True), True),
        (Pattern(Resource.TOPIC, "warnings.wu", prefixed=True), True),
        (Pattern(Resource.TOPIC, "*"), True),
        (Pattern(Resource.GROUP, "tocsin"), True),
        (Pattern(Resource.GROUP, "centre-wu", prefixed=True), True),
        (Pattern(Resource.CLUSTER, "kafka-cluster"), True),
        (Pattern(Resource.OTHER, "some-transaction"), True),
        (Pattern(Resource.TOPIC, "payments"), False),
        (Pattern(Resource.TOPIC, "journalists"), False),
        (Pattern(Resource.TOPIC, "exercise.journal"), False),
        (Pattern(Resource.GROUP, "payments"), False),
    ],
)  # fmt: skip
def test_what_is_superfluous_is_told_of_our_own_names_only(pattern: Pattern, ours: bool) -> None:
    more = Acl("User:somebody", pattern, "Read")
    assert compare(SETTINGS, frozenset(), [more]) == ((), (more,) if ours else ())


def test_a_denial_and_another_host_are_told_too() -> None:
    (needed,) = (one for one in wanted(SETTINGS, held(Role.DOOR, "upper"), SERVED))
    denied, elsewhere = needed._replace(permission="Deny"), needed._replace(host="10.0.0.1")
    assert compare(SETTINGS, frozenset({needed}), [needed, denied]) == ((), (denied,))
    assert compare(SETTINGS, frozenset({needed}), [elsewhere]) == ((needed,), (elsewhere,))


def test_a_certificate_becomes_a_user_of_strimzi_by_its_name() -> None:
    (user,) = strimzi([one._replace(principal="User:CN=upper") for one in wanted(SETTINGS, held(Role.DOOR, "upper"), SERVED)])
    rule = {"resource": {"type": "topic", "name": "ingest.upper", "patternType": "literal"}, "operations": ["Write"], "host": "*"}
    assert user["metadata"] == {"name": "upper", "labels": {"strimzi.io/cluster": "tocsin"}}
    assert user["spec"] == {"authentication": {"type": "tls"}, "authorization": {"type": "simple", "acls": [rule]}}


def test_everything_wrong_in_the_file_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "principals.toml"
    file.write_text(
        'workers = ["User:a"]\nsre = ["a"]\ncentre = ["User:a"]\nintake = []\nauditor = ["User:*"]\n[door]\nupper = "User:a"\n', "utf-8"
    )
    with pytest.raises(TocsinError) as told:
        read(file)
    for one in ('workers: there is no such role; the nearest known one is "worker"', "sre: 'a' is no principal", "centre: it is somebody's", "intake: write a list",
                "auditor: 'User:*' is no principal", "door.upper: write a list"):  # fmt: skip
        assert one in str(told.value)


def test_the_command_prints_the_table_and_the_lists_without_a_broker(tmp_path: Path) -> None:
    file = tmp_path / "principals.toml"
    file.write_text(FILE, "utf-8")

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, ["topics", "acl", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "centre       writes       acknowledgements.<city>, its own" in said()
    lists = said(str(file), str(EXAMPLE))
    assert "User:worker-0                topic    warnings.*" in lists
    assert "User:centre-linhe            topic    warnings.linhe                       Read" in lists
    assert {"principal": "User:CN=sre", "resource": "cluster", "name": "kafka-cluster", "pattern": "literal", "operation": "Describe",
            "permission": "Allow", "host": "*"} in [msgspec.json.decode(line) for line in said(str(file), str(EXAMPLE), "--json").splitlines()]  # fmt: skip
    assert said(str(file), str(EXAMPLE), "--as", "commands").count("kafka-acls.sh") == len(lists.splitlines())
    assert said(str(file), str(EXAMPLE), "--as", "strimzi").count("KafkaUser") == 3
    refused = CliRunner().invoke(app, ["topics", "acl", str(file), str(EXAMPLE), "--remove"])
    assert refused.exit_code == 1
