"""A secured broker, everybody with no more than his role: the service warns and is answered, operators' commands work, and nothing was refused.

With another role a command says who may not do what on which topic.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.decide.fold import Fold
from stream.records.journal import Acknowledgement, Measurements, columns, decode
from stream.region.bundle import bundle
from stream.region.load import load
from stream.runtime import acl_admin
from stream.runtime.acls import Acl, Pattern, Resource
from stream.runtime.broker import Broker
from tests.runtime.installation import SPEAKER, Installation, measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
LATER = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
WARNING, OUT, REGION = "the warning", "a folder", "the region"
"""Arguments that are known only then."""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything runs, each process with no more than its role, and a warning stands. Nothing of it was refused."""
    folder = tmp_path_factory.mktemp("installation")
    with Broker.start(folder / "broker", secured=True) as broker:
        made = Installation(broker, folder)
        try:
            made.set_up()
            made.serve()
            assert made.refusals() == []
            yield made
        finally:
            made.stop()


def test_everybody_with_no_more_than_his_role_warns_a_city_and_hears_its_answer(installation: Installation) -> None:
    with installation.nothing_refused():
        assert installation.posted() == 1
        installation.run("CN=centre-bor", "accept", "bor", installation.warning_id, "--by", "officer")
        installation.until(lambda: installation.warning_id in [one.warning_id for one in answers(installation)])
        installation.until(installation.canary_ready)
        installation.run("sre", "topics", "check", str(installation.region))


def test_what_was_given_by_hand_is_found_and_taken_away(installation: Installation) -> None:
    listed = ("topics", "acl", str(installation.principals))
    assert "the cluster allows exactly this" in installation.run("setup", *listed, "--check")
    acl_admin.add(installation.settings("setup").cluster, [Acl("User:centre-ava", Pattern(Resource.TOPIC, "warnings.bor"), "Read")])
    installation.run("centre-ava", "tail", "bor", "--once")
    checked = CliRunner().invoke(app, [*listed, "--check", *installation.options("setup")])
    assert checked.exit_code == 1
    assert checked.stdout == "superfluous: Allow User:centre-ava Read on topic warnings.bor: --apply --remove takes it away\n"
    installation.run("setup", *listed, "--apply", "--remove")
    assert installation.refused("centre-ava", "tail", "bor", "--once")
    installation.run("setup", *listed, "--check")


def answers(installation: Installation) -> list[Acknowledgement]:
    """What the journal holds of cities' answers."""
    return [one for one in map(decode, installation.records("worker-0", "journal")) if isinstance(one, Acknowledgement)]


def test_what_comes_by_mqtt_reaches_the_journal_with_a_gateways_role(installation: Installation) -> None:
    with installation.nothing_refused():
        installation.mosquitto.publish(f"tocsin/{SPEAKER}/stage", [json.dumps(measured("lower", 1.0)).encode()])
        installation.mosquitto.publish(f"tocsin/{SPEAKER}/stage", [json.dumps(measured("upper", 1.0)).encode()])  # not its own
        installation.until(lambda: any(b"lower" in one for one in installation.records("worker-0", "measurements.water")))
        installation.until(lambda: any(SPEAKER.encode() in one for one in installation.records("auditor", "audit")))
        installation.until(lambda: heard(installation, "lower/stage") == 1)
    assert heard(installation, "upper/stage") == 1  # the flood, through the door of who may say so


def heard(installation: Installation, series: str) -> int:
    """How many measurements of a series the journal holds."""
    region = load(bundle(installation.region))
    found = [one for one in map(decode, installation.records("worker-0", "journal")) if isinstance(one, Measurements)]
    rows = [row for one in found if one.region_hash == region.region_hash for row in columns(one).rows.tolist()]
    return rows.count(region.series.ids.index(series))


def test_who_has_a_door_of_its_own_writes_there_and_nowhere_else(installation: Installation) -> None:
    value = json.dumps(measured("upper", 1.0)).encode()
    assert installation.produced("upper", "ingest.upper", value) == ""
    for topic in (
        "measurements.water",
        "backfill.water",
        f"ingest.{SPEAKER}",
        "journal",
        "rejected",
        "warnings.bor",
        "acknowledgements.ava",
    ):
        assert installation.produced("upper", topic, value) == "TOPIC_AUTHORIZATION_FAILED", topic
    assert "or hides it from user 'upper'" in installation.refused("upper", "tail", "ava", "--once")


def arguments(installation: Installation, folder: Path, words: tuple[str, ...]) -> list[str]:
    known = {WARNING: installation.warning_id, OUT: str(folder / "out"), REGION: str(installation.region)}
    return [known.get(one, one) for one in words]


@pytest.mark.parametrize(
    ("who", "words", "said"),
    [
        ("operator", ("status",), "3 cities"),
        ("operator", ("explain", WARNING), "upper"),
        ("operator", ("archive", "--out", OUT), "regions; sum "),
        ("operator", ("journal", "save", "--out", OUT), ""),
        ("operator", ("rebuild", "--check"), "journal 1: state before offset"),
        ("operator", ("upgrade", "check", Fold.VERSION), f"in force: fold version {Fold.VERSION}"),
        ("worker-0", ("upgrade", "activate", Fold.VERSION), f"fold version {Fold.VERSION} is in force"),
        ("setup", ("region", "activate", REGION), "is active: 3 cities, 0 topics created"),
        ("CN=centre-bor", ("ack", "bor", WARNING), "seen by"),
        ("CN=centre-bor", ("report", "bor", "--hazard", "flood", "--level", "blue", "--text", "wet"), "known as"),
        ("CN=centre-bor", ("silence", "bor", "--level", "blue", "--until", LATER, "--text", "seen"), "known as"),
        ("CN=centre-bor", ("cap", "bor"), "<alert"),
    ],
)
def test_a_command_works_with_the_role_it_belongs_to(
    installation: Installation, tmp_path: Path, who: str, words: tuple[str, ...], said: str
) -> None:
    with installation.nothing_refused():
        assert said in installation.run(who, *arguments(installation, tmp_path, words))


@pytest.mark.parametrize(
    ("who", "words", "what"),
    [
        ("auditor", ("rebuild", "--check"), "to use topic journal"),
        ("sre", ("rebuild", "--check"), "to read topic checkpoints"),
        ("sre", ("upgrade", "check", Fold.VERSION), "to read topic checkpoints"),
        ("sre", ("archive", "--out", OUT), "to read topic journal"),
        ("sre", ("journal", "save", "--out", OUT), "to read topic journal"),
        ("sre", ("explain", WARNING), "to read topic warnings"),
        ("sre", ("ack", "bor", WARNING), "to read topic warnings.bor"),
        ("operator", ("ack", "bor", WARNING), "to write topic acknowledgements.bor"),
        ("sre", ("region", "activate", REGION), "to write topic regions"),
        ("gateway", ("region", "activate", REGION), "topic journal is missing or hidden from user 'gateway', who may not create it"),
    ],
)
def test_a_command_that_is_not_for_a_role_says_who_may_not_do_what(
    installation: Installation, tmp_path: Path, who: str, words: tuple[str, ...], what: str
) -> None:
    said = installation.refused(who, *arguments(installation, tmp_path, words))
    assert what in said
    assert f"user '{who}'" in said
    assert "see `tocsin topics acl` for what each role may do, and grant it, or come as somebody else" in said


@pytest.mark.parametrize(
    ("who", "words", "topics"),
    [
        ("auditor", ("status",), "warnings"),
        ("auditor", ("archive", "--out", OUT), "journal"),
        ("auditor", ("ack", "bor", WARNING), "warnings.bor"),
        ("centre-ava", ("accept", "bor", WARNING), "warnings.bor"),
        ("centre-ava", ("status",), "city_status, warnings"),
    ],
)
def test_a_topic_that_is_hidden_is_said_to_be_so(
    installation: Installation, tmp_path: Path, who: str, words: tuple[str, ...], topics: str
) -> None:
    said = installation.refused(who, *arguments(installation, tmp_path, words))
    assert f"no topic {topics}, or hides it from user '{who}': see `tocsin topics acl`" in said
