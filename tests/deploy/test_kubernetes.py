"""The Kubernetes manifests against real schemas, and made of commands, settings and probes that exist. No cluster is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as monitoring

from stream.health.exposing import LIVE, READY, STARTED
from stream.settings import Settings
from tests.deploy.command_lines import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
OTHERS = {"keda.sh/v1alpha1": keda, "monitoring.coreos.com/v1": monitoring}
STRIMZI = "kafka.strimzi.io/"


def objects(*, of: str = "") -> list[dict[str, Any]]:
    found = [one for path in sorted(FOLDER.glob("*.yaml")) for one in yaml.safe_load_all(path.read_text("utf-8"))]
    return [one for one in found if one["apiVersion"].startswith(of)]


def pods() -> dict[str, dict[str, Any]]:
    kinds = {"StatefulSet", "Deployment", "Job"}
    return {one["metadata"]["name"]: one["spec"]["template"]["spec"] for one in objects() if one["kind"] in kinds}


def test_every_object_of_kubernetes_itself_is_what_its_schema_allows(tmp_path: Path) -> None:
    own = [one for one in objects() if one["apiVersion"] not in OTHERS and not one["apiVersion"].startswith(STRIMZI)]
    assert len(own) > 15
    whole = tmp_path / "all.yaml"
    whole.write_text(yaml.safe_dump_all(own), "utf-8")
    done = validate(whole)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed") + done.stderr.count("passed") == len(own)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump_all([{**own[0], "bogus": 1}]), "utf-8")
    assert validate(wrong).returncode != 0


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kubernetes-validate")), "--strict", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_objects_of_other_operators_are_what_their_models_know() -> None:
    found = [one for one in objects() if one["apiVersion"] in OTHERS]
    assert {one["kind"] for one in found} == {"ScaledObject", "TriggerAuthentication", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
    for one in found:
        read = getattr(OTHERS[one["apiVersion"]], one["kind"]).model_validate(one)
        # The models ignore what they do not know; so what they write again must hold everything that stood there.
        assert missing(one, read.model_dump(by_alias=True, exclude_none=True, mode="json")) == []


def missing(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Paths of values that are not found again."""
    if isinstance(wanted, dict):
        lost = [f"{path}.{key}" for key in wanted if key not in found]
        return lost + [one for key in wanted if key in found for one in missing(wanted[key], found[key], f"{path}.{key}")]
    if isinstance(wanted, list):
        return [one for number, pair in enumerate(zip(wanted, found, strict=True)) for one in missing(*pair, f"{path}[{number}]")]
    return [] if str(wanted) == str(found) else [f"{path}: {wanted} became {found}"]


def test_the_settings_are_settings() -> None:
    maps = {one["metadata"]["name"]: one for one in objects(of="v1") if one["kind"] == "ConfigMap"}
    settings = msgspec.toml.decode(maps["tocsin-settings"]["data"]["settings.toml"], type=dict)
    assert set(settings) <= set(Settings.__struct_fields__)
    read = msgspec.convert({**settings, "sasl_username": "tocsin-worker"}, Settings)
    assert read.replication >= 3
    assert read.canary_s > 0


@pytest.mark.parametrize("name", ["worker", "intake", "canary", "gateway-http", "gateway-mqtt"])
def test_each_process_is_started_as_tocsin_takes_it_and_asked_how_it_is(name: str) -> None:
    pod = pods()[f"tocsin-{name}"]
    container = pod["containers"][0]
    parse(container["args"])
    probes = {one: container[one]["httpGet"]["path"] for one in ("livenessProbe", "readinessProbe", "startupProbe")}
    assert probes == {"livenessProbe": LIVE, "readinessProbe": READY, "startupProbe": STARTED}
    for one in container["env"]:
        assert one["name"].removeprefix("TOCSIN_").lower() in Settings.__struct_fields__
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted >= {one["name"] for one in pod["volumes"]}


def test_the_region_is_made_active_by_a_job_that_tocsin_takes() -> None:
    container = pods()["tocsin-install"]["containers"][0]
    parse(container["args"])
    assert {one["name"]: one.get("value") for one in container["env"]}["TOCSIN_SASL_USERNAME"] == "tocsin-installer"


def test_every_process_is_closed() -> None:
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["automountServiceAccountToken"] is False, name
        security = pod["containers"][0]["securityContext"]
        assert security["readOnlyRootFilesystem"], name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert not security["allowPrivilegeEscalation"], name


def test_workers_keep_their_names_and_leave_one_at_a_time() -> None:
    by_kind: Mapping[tuple[str, str], dict[str, Any]] = {(one["kind"], one["metadata"]["name"]): one for one in objects()}
    worker = by_kind["StatefulSet", "tocsin-worker"]["spec"]
    assert 12 % worker["replicas"] == 0
    instance = {one["name"]: one for one in worker["template"]["spec"]["containers"][0]["env"]}["TOCSIN_INSTANCE"]
    assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
    assert by_kind["PodDisruptionBudget", "tocsin-worker"]["spec"]["maxUnavailable"] == 1
    assert by_kind["ScaledObject", "tocsin-worker"]["spec"]["maxReplicaCount"] <= 12
