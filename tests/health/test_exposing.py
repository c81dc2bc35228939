"""What a process shows of itself: metrics whose names a Prometheus likes, and probes that say what is wrong and what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager

import numpy as np
import pytest
from prometheus_client import Counter, Histogram, generate_latest

from stream.decide.census import Census, City
from stream.errors import TocsinError
from stream.gateways.intake_metrics import IntakeMetrics
from stream.gateways.metrics import GatewayMetrics
from stream.health.canary_metrics import CanaryMetrics
from stream.health.exposing import Exposed, Health, Trouble, new_registry
from stream.health.metrics import Metrics
from stream.health.probes import STARTING, probes
from stream.runtime.ports import free_ports

OF_PYTHON = ("process_", "python_")
HUNG = Health((Trouble("it hangs", "start it again"),))


@contextmanager
def shown(metrics, asked):
    port = free_ports("127.0.0.1")[0]
    exposed = Exposed(metrics.registry, "127.0.0.1", port, asked)
    try:
        yield port
    finally:
        exposed.stop()


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_probe_that_is_not_well_says_what_is_wrong_and_what_to_do():
    metrics, said = GatewayMetrics(), {"live": Health(), "ready": STARTING}
    asked = probes(metrics.process, live=lambda: said["live"], started=Health, ready=lambda: said["ready"])
    with shown(metrics, asked) as port:
        assert get(port, "/livez") == get(port, "/startupz") == (200, b'{"ok":true,"troubles":[]}\n')
        status, body = get(port, "/readyz")
        assert (status, json.loads(body)["troubles"][0]["wrong"]) == (503, "it is still starting")
        assert b"tocsin_ready 0.0" in get(port, "/metrics")[1]
        said["ready"] = Health()
        assert get(port, "/readyz")[0] == 200
        assert b"tocsin_ready 1.0" in get(port, "/metrics")[1]
        said["live"] = HUNG
        assert json.loads(get(port, "/livez")[1]) == {"ok": False, "troubles": [{"wrong": "it hangs", "fix": "start it again"}]}
        assert get(port, "/readyz")[0] == 503, "what hangs is not ready, whatever it said last"
        assert get(port, "/elsewhere")[0] == 404


def test_a_port_that_is_taken_is_said_with_what_to_do():
    with shown(GatewayMetrics(), {}) as port, pytest.raises(TocsinError, match=f"{port} cannot be listened on.*--metrics-port"):
        Exposed(new_registry(), "127.0.0.1", port, {})


def filled() -> list:
    """The metrics of every kind of process, each with a series: a metric without any is not looked at."""
    made = [Metrics(per_city=True), GatewayMetrics(), IntakeMetrics(), CanaryMetrics()]
    for one in made:
        for metric in set(one.registry._collector_to_names):
            if isinstance(metric, Counter | Histogram) or hasattr(metric, "labels"):
                labels = metric._labelnames
                metric.labels(*["x" for _ in labels]) if labels else None
    made[0].delay_s.observe("water", np.array([3.0]))
    made[0].census.now = Census(hazards={"flood"}, cities={("ava", "flood"): City(4, 1_000)})
    made[0].census.now.stations["stage"] = 3
    return made


def test_names_labels_and_units_of_all_metrics_are_what_prometheus_asks_for():
    tool = shutil.which("promtool")
    if tool is None and os.environ.get("CI") != "true":
        pytest.skip("promtool is not on this machine")
    assert tool is not None
    for one in filled():
        text = generate_latest(one.registry)
        checked = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
        assert b"_created" not in text


def test_every_metric_says_what_it_is_and_begins_with_our_name():
    families = [family for one in filled() for family in one.registry.collect() if not family.name.startswith(OF_PYTHON)]
    assert [one.name for one in families if not one.name.startswith("tocsin_") or not one.documentation] == []
    assert [one.name for one in families if not one.samples] == []


def test_no_station_and_no_series_is_a_label_and_a_city_only_where_it_is_asked_for():
    def labels(metrics) -> set[str]:
        return {label for family in metrics.registry.collect() for sample in family.samples for label in sample.labels}

    every = filled()
    assert {"station", "series", "incident"} & set.union(*map(labels, every)) == set()
    assert "city" in labels(every[0])
    without = Metrics()
    without.census.now = every[0].census.now
    assert "city" not in labels(without)
