"""Parts of `tocsin doctor` that need no broker of Kafka: planted faults of this machine, of clocks and keys, of an MQTT broker."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.errors import TocsinError
from stream.gateways.mqtt_broker import MqttBroker
from stream.gateways.spool import Spool
from stream.health import doctor_broker, doctor_mqtt
from stream.health.doctor import Asked, _service
from stream.health.doctor_broker import _rules
from stream.health.doctor_machine import disk, open_files, versions
from stream.health.doctor_mqtt import mqtt
from stream.health.doctor_permissions import role_of
from stream.health.doctor_service import Newest, _clock, active, broker_now, canary
from stream.health.findings import Verdict
from stream.region.load import load_folder
from stream.runtime.clocks import wall_ms
from stream.settings import Settings
from tests.decide.conftest import FILES
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.health.findings import Finding


def verdicts(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.verdict.value, one.said) for one in found]


def test_a_dependency_of_the_wrong_version_and_one_of_a_dependencys_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.verdict for one in versions("tocsin")] == [Verdict.OK]
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: {"aiokafka": "0.9.0", "click": "8.4.1"}.get(name) or real(name))
    found = list(versions("tocsin"))
    assert "aiokafka 0.9.0: tocsin needs <0.15,>=0.14" in [one.said for one in found]
    assert [one.fix for one in found if one.said.startswith("click 8.4.1: faust-streaming needs ")] == ["pip install 'click<8.4,>=6.7'"]


def test_a_distribution_that_is_not_installed_is_told() -> None:
    assert [one.verdict for one in versions("tocsin-that-never-was")] == [Verdict.BAD]


def test_too_few_open_files_are_told_and_enough_are_not() -> None:
    assert [open_files(one).verdict for one in (1_024, 4_096, -1)] == [Verdict.NOTE, Verdict.OK, Verdict.OK]


def test_a_spool_without_room_or_with_what_kafka_refused_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdicts(list(disk(tmp_path / "none"))) == [("x", f"{tmp_path / 'none'} is no folder")]
    assert [one.verdict for one in disk(tmp_path)] == [Verdict.OK]
    spool = Spool(tmp_path / "live", bytes_max=1 << 20)
    spool.append([b"a measurement"], wall_ms())
    spool.close()
    (tmp_path / "live" / "aside.jsonl").write_text("{}\n{}\n", "utf-8")

    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 5 << 20))
    found = list(disk(tmp_path))
    assert [one.verdict.value for one in found] == ["x", "!", "!"]
    assert "5 MB free" in found[0].said
    assert "wait in" in found[1].said
    assert found[2].said.startswith("2 records that Kafka refused for ever")


@contextmanager
def as_nobody() -> Iterator[None]:
    """As a user who owns nothing, where we are one who may everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_spool_that_is_hidden_from_whoever_asks_is_not_known_to_be_well(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    tmp_path.chmod(0)
    try:
        with as_nobody():
            hidden = list(disk(spool))
    finally:
        tmp_path.chmod(0o700)
    assert verdicts(hidden) == [("?", f"{spool} is not open to this user")]


def test_a_segment_that_is_sent_while_we_look_is_none(tmp_path: Path) -> None:
    (tmp_path / "000000000001.spool").symlink_to(tmp_path / "gone")
    assert [one.verdict for one in disk(tmp_path)] == [Verdict.OK]


def test_a_broker_that_lets_us_in_and_answers_no_more_is_broken_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_broker, "TIMEOUT_S", 0.5)
    (one,) = _service(Settings(bootstrap="127.0.0.1:1"), Asked(), list)
    assert (one.verdict, "_TIMED_OUT" in one.said or "_TRANSPORT" in one.said) == (Verdict.BAD, True)


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        ("auto.create.topics.enable", "true", "false"),
        ("unclean.leader.election.enable", "true", "false"),
        ("min.insync.replicas", "1", "2"),
        ("offsets.topic.replication.factor", "1", "3"),
        ("message.max.bytes", "1000000", "1048588"),
        ("group.min.session.timeout.ms", "10000", "6000"),
        ("group.max.session.timeout.ms", "5000", "1800000"),
    ],
)
def test_settings_of_three_brokers_that_can_lose_something_are_told(name: str, bad: str, good: str) -> None:
    rule = next(one for one in _rules(Settings(), 3) if one.name == name)
    assert (rule.fine(bad), rule.fine(good), rule.bad) == (False, True, True)
    assert name in rule.fix


def test_a_clock_is_judged_by_how_far_it_is_off() -> None:
    found = [_clock(ms, written=True) for ms in (900, -20_000, 61_000)]
    assert verdicts(found) == [
        ("ok", "this machine's is 0.9 s ahead of the broker's (seen as the journal was written)"),
        ("!", "this machine's is 20.0 s behind the broker's"),
        ("x", "this machine's is 61.0 s ahead of the broker's"),
    ]


def test_a_clock_far_behind_the_brokers_makes_nothing_fresh() -> None:
    tomorrow = wall_ms() + 86_400_000
    silent = Newest({0: tomorrow, 1: tomorrow - 5}, 2)
    assert silent.stale(broker_now(silent, None, watched_ms=10_000) - 10_000) == [0, 1], "nothing came while we looked"
    written = broker_now(silent, wall_ms() - tomorrow, watched_ms=10_000)
    assert abs(written - tomorrow) < 60_000
    expected = Settings(canary_s=30.0)
    assert canary(expected, tomorrow - 3_600_000, written).verdict is Verdict.BAD
    assert canary(expected, tomorrow, written).verdict is Verdict.OK
    assert canary(expected, None, written).verdict is Verdict.BAD


def test_a_partition_that_nobody_writes_to_is_stale_also_if_it_was_never_written() -> None:
    assert Newest({0: 100, 1: 40}, 3).stale(50) == [1, 2]


def test_a_key_that_ends_soon_is_told(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    line = f'[up]\nkind = "http_token"\nstations = ["upper"]\nfamilies = ["water"]\n[up.keys.a]\ntoken_sha256 = "{"ab" * 32}"\nnot_before = "2020-01-01T00:00:00Z"\n'
    (tmp_path / "gateways.toml").write_text(f'{line}not_after = "2999-01-01T00:00:00Z"\n', "utf-8")
    assert [one.verdict for one in active(Settings(), [load_folder(tmp_path)])] == [Verdict.OK, Verdict.OK]
    (tmp_path / "gateways.toml").write_text(f'{line}not_after = "2021-01-01T00:00:00Z"\n', "utf-8")
    found = list(active(Settings(), [load_folder(tmp_path)]))
    assert verdicts(found)[1] == ("x", "up has no valid key: nothing from it is heard then")
    assert found[1].fix.startswith("`tocsin gateway token up`")
    assert verdicts(list(active(Settings(), [])))[0][0] == "x"


def test_an_mqtt_broker_is_asked_what_it_dropped(tmp_path: Path) -> None:
    one = Mosquitto(tmp_path / "mosquitto")
    try:
        account = {"username": "gateway", "password": USERS["gateway"]}
        assert verdicts(list(mqtt(MqttBroker("127.0.0.1", one.port, "doctor", **account)))) == [
            ("ok", f"127.0.0.1:{one.port} as doctor lets us in and has dropped nothing")
        ]
        found = list(mqtt(MqttBroker("127.0.0.1", one.port, "doctor", username="gateway", password="wrong")))  # noqa: S106
        assert found[0].verdict is Verdict.BAD
        assert "refuses the connection" in found[0].said
    finally:
        one.stop()
    assert "no MQTT broker answers" in next(mqtt(MqttBroker("127.0.0.1", one.port, "doctor"))).said


def test_a_port_that_takes_a_connection_and_says_nothing_does_not_let_us_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_mqtt, "WAIT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        (one,) = mqtt(MqttBroker("127.0.0.1", mute.getsockname()[1], "doctor"))
    assert one.verdict is Verdict.BAD
    assert "takes the connection and gives no answer" in one.said


def test_messages_that_an_mqtt_broker_dropped_are_told(tmp_path: Path) -> None:
    # As a broker is that nobody set up, and a session whose owner is away.
    one = Mosquitto(tmp_path / "mosquitto", {"max_queued_messages": "10", "max_queued_bytes": "0", "max_inflight_messages": "20"})
    away = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(one.port), "-u", "gateway", "-P", USERS["gateway"]]
    try:
        subprocess.run([*away, "-i", "away", "-c", "-x", "3600", "-V", "5", "-q", "1", "-t", "tocsin/#", "-E"], check=True, timeout=20)
        one.publish("tocsin/station-7/stage", [b"1"] * 200)
        until = time.monotonic() + 15
        while True:  # its counters come once a second
            found = next(mqtt(MqttBroker("127.0.0.1", one.port, "doctor", username="gateway", password=USERS["gateway"])))
            if found.verdict is Verdict.BAD or time.monotonic() > until:
                break
            time.sleep(0.5)
    finally:
        one.stop()
    assert found.verdict is Verdict.BAD
    assert found.said.startswith(f"127.0.0.1:{one.port} as doctor dropped 1")
    assert "max_queued_messages 0" in found.fix


def test_an_account_for_mqtt_without_mqtt_is_not_taken_for_kafkas() -> None:
    done = CliRunner().invoke(app, ["doctor", "--username", "night"])
    assert (done.exit_code, "for --mqtt; Kafka's user stands in the settings" in done.output) == (1, True)


def test_a_role_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(TocsinError, match="one of installer, worker"):
        role_of("workers")
    with pytest.raises(TocsinError, match="centre:<whose>"):
        role_of("centre")
