"""The compose file: valid, closed, pinned, and made of commands and settings that exist. No container is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.settings import Settings
from tests.deploy.command_lines import parse
from tests.deploy.needs import need

DEPLOY = Path(__file__).parents[2] / "deploy"
HADOLINT = Path(sys.executable).with_name("hadolint")
FILE = DEPLOY / "compose" / "compose.yaml"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text("utf-8"))["services"])


def check(path: Path) -> subprocess.CompletedProcess[str]:
    """The compose specification's own schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_what_the_compose_specification_allows(tmp_path: Path) -> None:
    done = check(FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(FILE.read_text("utf-8").replace("healthcheck:", "healthchek:"), "utf-8")
    assert check(wrong).returncode != 0


def test_everything_that_is_asked_for_is_there(services: dict[str, Any]) -> None:
    assert {"kafka", "worker", "intake", "gateway-http", "gateway-mqtt", "canary", "mosquitto", "prometheus", "grafana"} <= set(services)


def test_every_service_that_stays_says_how_it_is(services: dict[str, Any]) -> None:
    assert [name for name, one in services.items() if name != "setup" and "test" not in one.get("healthcheck", {})] == []


def test_images_are_pinned_by_hash_but_for_the_one_that_is_built(services: dict[str, Any]) -> None:
    assert [name for name, one in services.items() if "build" not in one and "@sha256:" not in one["image"]] == []


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    ports = [port for one in services.values() for port in one.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_our_processes_are_started_as_tocsin_takes_it(services: dict[str, Any]) -> None:
    for one in services.values():
        if "build" in one:
            parse(one["command"])
            assert one["read_only"]
            assert one["cap_drop"] == ["ALL"]


def test_the_commands_it_says_to_run_are_taken() -> None:
    told = [line.split(" --rm setup ")[1].split() for line in FILE.read_text("utf-8").splitlines() if " --rm setup " in line]
    assert len(told) == 2
    for words in told:
        parse(words)


def test_the_settings_in_it_exist(services: dict[str, Any]) -> None:
    for name, value in services["worker"]["environment"].items():
        field = name.removeprefix("TOCSIN_").lower()
        assert field in Settings.__struct_fields__, f"{name}={value}"


def test_every_folder_that_is_mounted_is_in_the_checkout(services: dict[str, Any]) -> None:
    mounted = [one.split(":")[0] for service in services.values() for one in service.get("volumes", ()) if one.startswith(".")]
    assert mounted
    assert [one for one in mounted if not (FILE.parent / one).exists()] == []


def test_secrets_are_files_that_a_read_only_container_can_be_given() -> None:
    """Compose refuses a secret from the environment for a service that is read_only (docker/compose, pull request 12531)."""
    file = yaml.safe_load(FILE.read_text("utf-8"))
    assert file["secrets"]
    assert [name for name, one in file["secrets"].items() if set(one) != {"file"}] == []
    ignored = subprocess.run(["git", "check-ignore", "-q", "deploy/compose/secrets/mqtt_password"], cwd=DEPLOY.parent, check=False)
    assert ignored.returncode == 0  # nobody commits one by mistake


MOSQUITTO = """\
    set -e
    ip link set lo up
    mount -t tmpfs none /mnt && mkdir /mnt/shipped /mnt/secrets /mnt/shm
    mount --bind {shipped} /mnt/shipped
    printf geheim > /mnt/secrets/mqtt_password
    mount -t tmpfs -o mode=755 none /var/lib/mosquitto
    sh -c '{command}' &
    broker=$!
    for _ in $(seq 50); do mosquitto_sub -u gateway -P geheim -t 'nothing' -E -W 1 2>/dev/null && break; sleep 0.1; done
    {health}
    mosquitto_sub -u gateway -P geheim -i gateway-0 -c -q 1 -t 'tocsin/#' -E
    kill $broker && wait $broker || true
    test -s /var/lib/mosquitto/mosquitto.db
"""


def test_the_mqtt_broker_starts_as_it_stands_there_and_keeps_its_sessions(services: dict[str, Any]) -> None:
    """Its command and its healthcheck, run in a network and a mount namespace of their own, with an empty volume that is root's as Docker makes it."""
    need("mosquitto", "mosquitto_sub", "unshare", "ip")
    if os.geteuid() != 0:
        pytest.skip("a mount namespace of its own can only be made by root")
    broker = services["mosquitto"]
    own = {"$$": "$", "/shipped": "/mnt/shipped", "/run/secrets": "/mnt/secrets", "/dev/shm": "/mnt/shm"}  # noqa: S108  (the container's)
    command, health = broker["command"][0], broker["healthcheck"]["test"][1]
    for old, new in own.items():
        command, health = command.replace(old, new), health.replace(old, new)
    quoted = command.replace("'", "'\\''")
    script = textwrap.dedent(MOSQUITTO).format(shipped=DEPLOY / "mosquitto", command=quoted, health=health)
    done = subprocess.run(["unshare", "-m", "-n", "sh", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_clean_and_everything_in_it_is_pinned() -> None:
    dockerfile = DEPLOY / "docker" / "Dockerfile"
    done = subprocess.run([str(HADOLINT), "--format", "json", str(dockerfile)], capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []
    bases = [line for line in dockerfile.read_text("utf-8").splitlines() if line.startswith("FROM ")]
    assert all("@sha256:" in line for line in bases)
    for lock in ("requirements.lock", "build.lock"):
        entries = (DEPLOY / "docker" / lock).read_text("utf-8").replace("\\\n", " ").splitlines()
        assert entries
        assert [line for line in entries if line.strip() and "--hash=sha256:" not in line] == []


def test_the_locked_versions_are_those_the_project_asks_for() -> None:
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = (DEPLOY / "docker" / "requirements.lock").read_text("utf-8")
    locked = dict(line.split(" ")[0].split("==") for line in lock.splitlines() if "==" in line)
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))["project"]
    for text in project["dependencies"]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        assert name in locked, f"{name} is not in requirements.lock: run deploy/docker/lock.sh"
        assert wanted.specifier.contains(locked[name]), f"{name} {locked[name]} is locked, {wanted.specifier} is asked for"


def test_a_command_line_that_tocsin_would_refuse_is_noticed() -> None:
    for wrong in (["gateway", "http", "--bogus", "x"], ["worker", "--bogus"], ["workers"], ["gateway", "mqtt"]):
        with pytest.raises(AssertionError):
            parse(wrong)
