"""Who reaches whom, who is watched, and what one machine may take away: the Kubernetes objects against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.deploy.test_kafka_properties import properties
from tests.deploy.test_kubernetes import objects

if TYPE_CHECKING:
    from collections.abc import Mapping

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
BROKER = {"strimzi.io/cluster": "tocsin", "strimzi.io/kind": "Kafka", "strimzi.io/name": "tocsin-kafka", "app.kubernetes.io/name": "kafka"}
"""What Strimzi labels its brokers with (others of its pods have other names, and the cluster's as well)."""
COMPONENTS = ("worker", "intake", "canary", "gateway-http", "gateway-mqtt")
MOSQUITTO = {"app.kubernetes.io/name": "mosquitto"}


def ours(component: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": "tocsin", "app.kubernetes.io/component": component}


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether Kubernetes would select these labels; only the operators in use are known."""
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    for one in selector.get("matchExpressions", ()):
        assert one["operator"] == "DoesNotExist"
        if one["key"] in labels:
            return False
    return all(labels.get(name) == value for name, value in selector.get("matchLabels", {}).items())


def policies(labels: Mapping[str, str], direction: str) -> list[dict[str, Any]]:
    """The policies that close (and open again) this direction of a pod with these labels."""
    found = [one["spec"] for one in objects(of="networking.k8s.io/") if one["kind"] == "NetworkPolicy"]
    return [one for one in found if direction in one["policyTypes"] and selects(one["podSelector"], labels)]


def opened(labels: Mapping[str, str], direction: str) -> set[tuple[str, int]]:
    """What is opened again: protocol and port."""
    return {
        (port["protocol"], port["port"])
        for policy in policies(labels, direction)
        for rule in policy.get(direction.lower(), ())
        for port in rule["ports"]
    }


def test_everything_of_ours_is_closed_but_for_what_is_named() -> None:
    dns_and_kafka = {("UDP", 53), ("TCP", 53), ("TCP", 9093)}
    for component in COMPONENTS:
        assert policies(ours(component), "Ingress"), component
        more = {("TCP", 8883)} if component == "gateway-mqtt" else set()
        assert opened(ours(component), "Egress") == dns_and_kafka | more, component
        more = {("TCP", 8443)} if component == "gateway-http" else set()
        assert opened(ours(component), "Ingress") == {("TCP", 9108)} | more, component
    stranger = {"app.kubernetes.io/name": "stranger"}
    for direction in ("Ingress", "Egress"):
        assert policies(stranger, direction)
        assert opened(stranger, direction) == set()


def test_the_brokers_reach_each_other() -> None:
    """Strimzi makes policies of its own for what comes in and none for what goes out: closed there, no broker would reach another one."""
    assert policies(BROKER, "Egress") == []
    assert policies(BROKER, "Ingress") == []


def test_the_mqtt_broker_can_be_reached_by_the_gateway() -> None:
    assert opened(MOSQUITTO, "Ingress") == {("TCP", 8883)}


def test_every_monitor_finds_what_it_is_to_watch_as_often_as_the_alerts_ask() -> None:
    every = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["global"]["scrape_interval"]
    services = [one["metadata"].get("labels", {}) for one in objects(of="v1") if one["kind"] == "Service"]
    pods = [one["spec"]["template"]["metadata"]["labels"] for one in objects(of="apps/")]
    monitors = objects(of="monitoring.coreos.com/")
    for one in monitors:
        candidates = {"PodMonitor": pods, "ServiceMonitor": services}.get(one["kind"])
        if candidates is None:
            continue
        assert [labels for labels in candidates if selects(one["spec"]["selector"], labels)], one["metadata"]["name"]
        ends = one["spec"].get("podMetricsEndpoints", []) + one["spec"].get("endpoints", [])
        assert {end["interval"] for end in ends} == {every}
    watched = next(one for one in monitors if one["kind"] == "PodMonitor")
    assert {labels["app.kubernetes.io/component"] for labels in pods if selects(watched["spec"]["selector"], labels)} == set(COMPONENTS)


def test_the_alerts_are_there_for_the_operator_of_prometheus_too() -> None:
    (found,) = [one for one in objects(of="monitoring.coreos.com/") if one["kind"] == "PrometheusRule"]
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((PROMETHEUS / "rules").glob("*.yml"))]
    assert found["spec"]["groups"] == [group for one in files for group in one["groups"]]


def test_one_machine_takes_one_of_each_away() -> None:
    sets = {one["metadata"]["name"]: one["spec"] for one in objects(of="apps/") if one["spec"]["replicas"] > 1}
    assert set(sets) == {"tocsin-worker", "tocsin-gateway-http"}
    for name, spec in sets.items():
        spread = spec["template"]["spec"]["topologySpreadConstraints"]
        assert [one["topologyKey"] for one in spread] == ["kubernetes.io/hostname"], name
        assert selects(spread[0]["labelSelector"], spec["template"]["metadata"]["labels"]), name
    (brokers,) = [one["spec"] for one in objects() if one["kind"] == "KafkaNodePool"]
    (apart,) = brokers["template"]["pod"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert apart["topologyKey"] == "kubernetes.io/hostname"
    assert selects(apart["labelSelector"], {**BROKER, "strimzi.io/pool-name": "brokers"})


def test_a_start_may_take_as_long_as_brokers_are_away() -> None:
    """A process waits for its brokers, and ends itself when it hangs; one that is ended for waiting would be kept back by Kubernetes afterwards."""
    for one in objects(of="apps/"):
        probe = one["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 1800, one["metadata"]["name"]


def test_a_worker_has_what_was_measured() -> None:
    """One alone carried 30,000 stations and 3,000 cities with 533 MB (README, Capacity)."""
    (worker,) = [one for one in objects(of="apps/") if one["metadata"]["name"] == "tocsin-worker"]
    requests = worker["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert requests == {"cpu": "1", "memory": "1Gi"}


def test_brokers_are_set_as_the_ones_without_kubernetes() -> None:
    (kafka,) = [one for one in objects() if one["kind"] == "Kafka"]
    config = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in kafka["spec"]["kafka"]["config"].items()
    }
    closed = (
        "listener",
        "advertised.",
        "controller.",
        "ssl.",
        "sasl.",
        "process.",
        "super.",
        "authorizer.",
        "inter.broker.",
        "allow.",
    )  # Strimzi's own
    assert config == {name: value for name, value in properties("server.properties").items() if not name.startswith(closed)}


def test_a_brokers_disk_holds_what_300_cities_send_as_long_as_it_is_kept() -> None:
    """README, Capacity: 500 measurements a second, 200 bytes each at the door and 60 in the journal; with three brokers each has a copy of all."""
    days = {
        one["spec"]["topicName"]: int(one["spec"]["config"].get("retention.ms", 0)) / 86_400_000
        for one in objects()
        if one["kind"] == "KafkaTopic"
    }
    kept = 500 * 86_400 * (200 * days["measurements.water"] + 60 * days["journal"])
    (volume,) = next(one for one in objects() if one["kind"] == "KafkaNodePool")["spec"]["storage"]["volumes"]
    assert int(volume["size"].removesuffix("Gi")) * 2**30 > 1.5 * kept
