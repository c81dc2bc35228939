"""Rules, runbooks and dashboards: made from what is checked in beside them, valid, and about metrics and labels that exist."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml

from stream.gateways.intake_metrics import IntakeMetrics
from stream.gateways.metrics import GatewayMetrics
from stream.health.canary_metrics import CanaryMetrics
from stream.health.census_metrics import CensusMetrics
from stream.health.metrics import Metrics
from stream.health.tallied import Tallied
from tests.deploy.command_lines import parse
from tests.deploy.needs import need
from tests.test_readme import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
PAGES = sorted(path for path in (DEPLOY / "runbooks").glob("*.md") if path.stem != "README")
BOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
OF_PROMETHEUS = {
    "up": set(), "ALERTS": {"alertname", "alertstate"}, "scrape_duration_seconds": set(), "process_start_time_seconds": set(),
    "process_cpu_seconds_total": set(), "process_resident_memory_bytes": set(),
}  # fmt: skip
OF_TARGETS = {"job", "instance"}
OPTIONS = {option for command in COMMANDS.values() for one in command.params for option in one.opts}


def maker(folder: str) -> Any:
    """The module that makes the files, loaded from where it stands (deploy/ is no package)."""
    path = DEPLOY / folder / "make.py"
    spec = importlib.util.spec_from_file_location(f"make_{folder}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


def test_what_is_checked_in_is_what_is_made() -> None:
    made = {DEPLOY / name: text for name, text in maker("prometheus").files().items()}
    made |= {DEPLOY / "grafana" / name: text for name, text in maker("grafana").files().items()}
    assert [path.name for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text] == []


def test_promtool_takes_the_rules_and_each_alert_fires_when_it_should_and_only_then() -> None:
    need("promtool")
    checked = subprocess.run(["promtool", "check", "rules", *map(str, RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tests = sorted(map(str, (DEPLOY / "prometheus" / "tests").glob("*.yml")))
    tested = subprocess.run(["promtool", "test", "rules", *tests], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout[-3000:] + tested.stderr


def test_promtool_takes_the_configuration() -> None:
    need("promtool", "amtool")
    for command in (["promtool", "check", "config", "prometheus.yml"], ["amtool", "check-config", "alertmanager.yml"]):
        done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, Any]]:
    return [rule for path in RULES for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]]


def test_every_alert_has_its_page_and_no_page_is_without_alert() -> None:
    alerts = {one["alert"]: one for one in rules() if "alert" in one}
    pages = {path.stem for path in PAGES}
    assert pages == set(alerts)
    for name, one in alerts.items():
        assert one["annotations"]["runbook_url"] == f"deploy/runbooks/{name}.md"
        assert one["labels"]["severity"] in {"page", "ticket", "heartbeat"}
        assert one["annotations"]["summary"]


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.stem)
def test_a_page_says_what_it_means_what_to_do_and_how_it_ends_by_the_expression_in_force(page: Path) -> None:
    text = page.read_text("utf-8")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert [one for one in headings if one != "Tell the operations centres"] == ["What it means for the cities", "Look", "Do", "Over"]
    (expr,) = [one["expr"] for one in rules() if one.get("alert") == page.stem]
    (shown,) = re.findall(r"```promql\n(.*?)\n```", text, flags=re.DOTALL)
    assert shown.split() == expr.split()
    if "Tell the operations centres" in headings:
        assert re.search(r"[\u4e00-\u9fff]", text)  # in both languages


def test_what_the_pages_say_to_run_or_to_look_at_exists() -> None:
    series, asked = known(), 0
    for page in sorted((DEPLOY / "runbooks").glob("*.md")):
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for code in re.findall(r"`([^`\n]+)`", text):
            if code.startswith("tocsin "):
                parse(code.split()[1:])
                asked += 1
            for name in re.findall(r"\btocsin_\w+", code):
                assert name in series, f"{page.name}: {name}"
            for name in re.findall(r"--[a-z-]+(?= |$)", code) if code.startswith("--") else ():
                assert name in OPTIONS, f"{page.name}: {name}"
    assert asked > 20


def test_an_alert_that_nobody_can_raise_any_more_is_not_silent() -> None:
    """Every metric that alerts go by comes from processes: when the last of a kind is gone, or was never there, an alert of its own says so."""
    nobody = next(one["expr"] for one in rules() if one.get("alert") == "TocsinNobodyRuns")
    for job in ("tocsin-worker", "tocsin-intake"):
        assert f'absent(up{{job="{job}"}})' in nobody
    assert next(one["expr"] for one in rules() if one.get("alert") == "TocsinCanaryDead").startswith("absent(")
    config = yaml.safe_load((DEPLOY / "prometheus" / "alertmanager.yml").read_text("utf-8"))
    (beat,) = [one for one in config["route"]["routes"] if one["matchers"] == ['severity="heartbeat"']]
    assert beat["receiver"] not in {one["receiver"] for one in config["route"]["routes"] if one is not beat} | {config["route"]["receiver"]}
    assert [one["expr"] for one in rules() if one.get("labels", {}).get("severity") == "heartbeat"] == ["vector(1)"]


def test_what_alertmanager_holds_back_are_alerts_that_exist() -> None:
    alerts = {one["alert"] for one in rules() if "alert" in one}
    config = yaml.safe_load((DEPLOY / "prometheus" / "alertmanager.yml").read_text("utf-8"))
    matchers = [one for rule in config["inhibit_rules"] for side in ("source_matchers", "target_matchers") for one in rule[side]]
    for matcher in matchers:
        pattern = re.fullmatch(r'alertname=~?"(.*)"', matcher)
        assert pattern is not None, matcher
        for name in pattern[1].split("|"):
            assert any(re.fullmatch(name, one) for one in alerts), name


def known() -> dict[str, set[str]]:
    """Every series that our processes expose by its name, with its labels; and what rules record."""
    found: dict[str, set[str]] = dict(OF_PROMETHEUS)
    for registry in (Metrics(per_city=True).registry, IntakeMetrics().registry, CanaryMetrics().registry, GatewayMetrics().registry):
        for collector, names in registry._collector_to_names.items():
            if isinstance(collector, CensusMetrics):
                found |= {f"tocsin_{one.name}": set(one.labels) for one in collector._shown}
            elif isinstance(collector, Tallied):
                found[f"{collector._name}_bucket"] = {collector._label, "le"}
            for name in names:
                found.setdefault(name, set(getattr(collector, "_labelnames", ())) | ({"le"} if name.endswith("_bucket") else set()))
    return found | {one["record"]: set() for one in rules() if "record" in one}


def selectors(node: Any) -> Iterator[Any]:
    """Every vector selector of a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("lhs", "rhs", "expr", "vector_selector", "args", "vs", "param"):
        child = getattr(node, name, None)
        for one in child if isinstance(child, list) else [child] if child is not None else []:
            yield from selectors(one)


def expressions() -> list[tuple[str, str]]:
    found = [(one.get("alert", one.get("record")), one["expr"]) for one in rules()]
    for path in BOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            found += [(f"{path.stem}: {panel['title']}", target["expr"]) for target in panel.get("targets", ())]
    return found


def test_every_expression_is_about_metrics_and_labels_that_exist() -> None:
    series = known()
    asked = 0
    for where, expr in expressions():
        for one in selectors(promql_parser.parse(expr)):
            asked += 1
            assert one.name in series, f"{where}: {one.name}"
            labels = {matcher.name for matcher in one.matchers.matchers}
            assert labels <= series[one.name] | OF_TARGETS, f"{where}: {one.name} has no {labels - series[one.name]}"
    assert asked > 120


def test_a_metric_that_is_gone_would_be_noticed() -> None:
    parsed = next(selectors(promql_parser.parse("max(rate(tocsin_no_such_total[5m]))")))
    assert parsed.name not in known()


@pytest.mark.parametrize("path", BOARDS, ids=lambda one: one.stem)
def test_every_panel_says_which_question_it_answers(path: Path) -> None:
    panels = [one for one in json.loads(path.read_text("utf-8"))["panels"] if one["type"] != "row"]
    assert panels
    assert [one["title"] for one in panels if not one.get("description") or not one["targets"]] == []
    assert [one["title"] for one in panels if len({target["refId"] for target in one["targets"]}) < len(one["targets"])] == []
