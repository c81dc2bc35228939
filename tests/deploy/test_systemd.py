"""The systemd units: valid, closed to what systemd can close, made of commands that exist, and the service runs with its pages never executable."""

from __future__ import annotations

import ctypes
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from stream.health.notifying import LOOK_S, MORE_S
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from stream.runtime.watchdog import LIVE_S
from stream.settings import Settings
from tests.deploy.command_lines import parse
from tests.deploy.needs import need
from tests.runtime.lane import Worker, toy_settings

if TYPE_CHECKING:
    from stream.runtime.broker import Broker

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
PRINCIPALS = FOLDER.parent / "kubernetes" / "principals.toml"
UNITS = sorted(FOLDER.glob("*.service"))
EXPOSURE_MOST = 1.5
"""What `systemd-analyze security` may give at most: 0 is closed, 10 is open. Most units of a Debian stand at 9."""
PR_GET_MDWE = 66


def started(unit: Path) -> str:
    return next(line for line in unit.read_text("utf-8").splitlines() if line.startswith("ExecStart=")).removeprefix("ExecStart=")


def test_there_is_a_unit_for_every_process() -> None:
    assert [one.name for one in UNITS] == [
        "tocsin-canary.service", "tocsin-gateway-http.service", "tocsin-gateway-mqtt@.service", "tocsin-intake.service",
        "tocsin-worker@.service",
    ]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.stem)
def test_systemd_takes_it_and_finds_it_closed(unit: Path, tmp_path: Path) -> None:
    need("systemd-analyze")
    copy = tmp_path / unit.name
    # Checked without an installation: the program is another, everything else as shipped.
    copy.write_text(unit.read_text("utf-8").replace("/opt/tocsin/bin/tocsin", "/bin/true"), "utf-8")
    asked = copy.with_name(unit.name.replace("@.", "@0."))
    if asked != copy:
        asked.symlink_to(copy.name)
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(asked)], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    security = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(copy)], capture_output=True, text=True, check=False
    )  # fmt: skip
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", security.stdout)
    assert exposure is not None, security.stdout + security.stderr
    assert float(exposure[1]) <= EXPOSURE_MOST


def test_a_misspelt_word_would_be_noticed(tmp_path: Path) -> None:
    need("systemd-analyze")
    copy = tmp_path / "wrong.service"
    copy.write_text(UNITS[0].read_text("utf-8").replace("/opt/tocsin/bin/tocsin", "/bin/true").replace("UMask=", "Umasc="), "utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False)
    assert "Umasc" in verified.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.stem)
def test_it_starts_what_tocsin_takes(unit: Path) -> None:
    program, *arguments = shlex.split(started(unit).replace("%i", "0").replace("${", "{"))
    assert program == "/opt/tocsin/bin/tocsin"
    parse(arguments)


def test_every_process_is_somebody_of_its_own_role() -> None:
    """With one user for all of a machine the table of roles would mean nothing there."""
    settings = tomllib.loads((FOLDER / "settings.toml").read_text("utf-8"))
    assert not {"sasl_username", "sasl_password_file"} & set(settings)
    for unit in UNITS:
        role = unit.name.removeprefix("tocsin-").partition(".")[0].partition("@")[0].partition("-")[0]
        lines = unit.read_text("utf-8").splitlines()
        assert f"LoadCredential=password:/etc/tocsin/{role}.password" in lines, unit.name
        (environment,) = [shlex.split(line.partition("=")[2]) for line in lines if line.startswith("Environment=")]
        own = dict(one.split("=", 1) for one in environment)
        assert f"User:{own['TOCSIN_SASL_USERNAME']}" in tomllib.loads(PRINCIPALS.read_text("utf-8"))[role], unit.name
        given = {name.removeprefix("TOCSIN_").lower(): value for name, value in own.items() if name.startswith("TOCSIN_")}
        assert msgspec.convert({**settings, **given}, Settings).canary_s > 0


@pytest.mark.parametrize("unit", UNITS, ids=lambda one: one.stem)
def test_systemd_hears_of_every_start_and_ends_only_what_did_not_end_itself(unit: Path) -> None:
    said = dict(line.split("=", 1) for line in unit.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#"))
    assert (said["Type"], said["NotifyAccess"]) == ("notify", "main")
    assert LIVE_S + float(said["WatchdogSec"]) > Settings().watchdog_s
    assert MORE_S > LOOK_S


@pytest.mark.kafka
def test_a_worker_runs_where_memory_is_never_writable_and_executable(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel cannot refuse executable memory (Linux 6.3 and later can)")
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    create(settings.cluster, plan(settings, ()))
    worker = Worker(settings, tmp_path / "worker.log", module="tests.deploy.worker_without_new_code")
    try:
        worker.wait_ready()
    finally:
        assert worker.stop() == 0
