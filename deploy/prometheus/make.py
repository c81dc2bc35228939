"""Writes what stands in alert files of Python as what Prometheus and people read: rules, their tests, and a page of the runbook for each alert.

    python deploy/prometheus/make.py [FOLDER]

The files are checked in (a test compares); rules/canary.yml and rules/watching.yml stand beside them and are kept by hand, with their pages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import feeds  # noqa: E402
import objective  # noqa: E402
import service  # noqa: E402
from alert import AGAIN  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from alert import Alert, Told

GROUPS: Mapping[str, Sequence[Alert]] = {"objective": objective.ALERTS, "service": service.ALERTS, "feeds": feeds.ALERTS}
RUNBOOKS = "deploy/runbooks"
MADE = "# Made by deploy/prometheus/make.py: change it there.\n"


def rule(alert: Alert) -> dict[str, Any]:
    """An alert as Prometheus reads it."""
    return {
        "alert": alert.name, "expr": alert.expr, "for": alert.wait, "labels": {"severity": alert.severity.value},
        "annotations": {"summary": alert.summary, "description": alert.means, "runbook_url": f"{RUNBOOKS}/{alert.name}.md"},
    }  # fmt: skip


def page(alert: Alert) -> str:
    """The page of the runbook."""
    look = "".join(f"{number}. {one}\n" for number, one in enumerate(alert.look, 1))
    do = "".join(f"{number}. {one}\n" for number, one in enumerate(alert.do, 1))
    who = "A person, now." if alert.severity == "page" else "A person, this working day."
    return (
        f"# {alert.name}\n\n{who} Fires when this holds for {alert.wait}:\n\n```promql\n{alert.expr}\n```\n\n"
        f"## What it means for the cities\n\n{alert.means}\n\n## Look\n\n{look}\n## Do\n\n{do}\n{told(alert.tell)}## Over\n\n{alert.over}\n"
    )


def told(tell: Told | None) -> str:
    """What operations centres are told, and how they are told that it is over."""
    if tell is None:
        return ""
    return f"## Tell the operations centres\n\n- {tell.en}\n- {tell.zh}\n- Afterwards: {AGAIN.en} {AGAIN.zh}\n\n"


def proof(alert: Alert) -> list[dict[str, Any]]:
    """Two tests for promtool: it fires (at `fires_at`, not in the first instant), and stays quiet."""
    asked = f'ALERTS{{alertname="{alert.name}",alertstate="firing"}}'
    labels = {"alertname": alert.name, "alertstate": "firing", "severity": alert.severity.value, **(alert.labels or {})}
    firing = "ALERTS{" + ",".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
    tests = []
    for series, found in ((alert.fires, [{"labels": firing, "value": 1}]), (alert.quiet, [])):
        inputs = [{"series": name, "values": values} for name, values in series.items()]
        times = [("0m", [])] if found else []
        times.append((alert.fires_at, found))
        expected = [{"expr": asked, "eval_time": at, "exp_samples": samples} for at, samples in times]
        tests.append({"interval": "1m", "input_series": inputs, "promql_expr_test": expected})
    return tests


def files() -> dict[str, str]:
    """Everything that is made, by its path below deploy/."""
    found: dict[str, str] = {}
    for name, alerts in GROUPS.items():
        rules = [rule(one) for one in alerts]
        groups = [{"name": f"tocsin-{name}", "rules": rules}]
        if name == "objective":
            groups.insert(0, {"name": "tocsin-objective-recorded", "rules": objective.recorded()})
        found[f"prometheus/rules/{name}.yml"] = MADE + dumped({"groups": groups})
        tests = [one for alert in alerts for one in proof(alert)]
        found[f"prometheus/tests/{name}.yml"] = MADE + dumped(
            {"rule_files": [f"../rules/{name}.yml"], "evaluation_interval": "1m", "tests": tests}
        )
        found |= {f"runbooks/{one.name}.md": page(one) for one in alerts}
    return {**found, "kubernetes/rules.yaml": MADE + dumped(operators(found))}


def operators(made: Mapping[str, str]) -> dict[str, Any]:
    """All rules, those kept by hand too, as the operator of Prometheus wants them."""
    by_hand = {f"prometheus/rules/{path.name}": path.read_text("utf-8") for path in (HERE / "rules").glob("*.yml")}
    texts = {name: text for name, text in (by_hand | made).items() if name.startswith("prometheus/rules/")}
    groups = [group for name in sorted(texts) for group in yaml.safe_load(texts[name])["groups"]]
    metadata = {"name": "tocsin", "namespace": "tocsin"}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": metadata, "spec": {"groups": groups}}


def dumped(value: Any) -> str:
    """As YAML that a person can read."""
    return yaml.safe_dump(value, sort_keys=False, width=140, allow_unicode=True)


def main(folder: Path) -> None:
    """Write all of it below this folder."""
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent)
