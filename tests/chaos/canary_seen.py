"""What a canary shows, scraped once a second as Prometheus would, and handed to promtool as series: do the rules of deploy/ fire on it, and when?"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules" / "canary.yml"
STEP_S = 1.0


class Seen:
    """Scrapes until the end of the block. Instants are whole seconds since the first scrape, as promtool counts them."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/metrics"
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._began = time.time()
        self.scrapes: list[dict[str, float]] = []
        """The series of each second; none where nobody answered."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()

    def now(self) -> int:
        return int((time.time() - self._began) / STEP_S)

    def value(self, series: str) -> float | None:
        return self.scrapes[-1].get(series) if self.scrapes else None

    def newest(self) -> dict[str, float]:
        """The last scrape that was answered: on a busy machine one may come too late."""
        return next((one for one in reversed(self.scrapes) if one), {})

    def targets(self) -> set[tuple[str, str]]:
        """Every (topic, partition) that has to answer."""
        return {_target(series) for series in self.newest() if series.startswith(LAST)}

    def late(self, period_s: float) -> set[tuple[str, str]]:
        """The (topic, partition) that the rule of missing answers is about now, by the last scrape."""
        now = time.time() - self._began
        return {_target(series) for series, at in self.scrapes[-1].items() if series.startswith(LAST) and now - at > 2.5 * period_s}

    def _run(self) -> None:
        while not self._ending.wait(max(0.0, self._began + len(self.scrapes) * STEP_S - time.time())):
            self.scrapes.append(self._scrape())

    def _scrape(self) -> dict[str, float]:
        try:
            with urlopen(self._url, timeout=STEP_S) as answer:  # noqa: S310  (our own loopback address)
                text = answer.read().decode()
        except (URLError, OSError):
            return {}
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name.startswith("tocsin_canary")]
        # promtool's time begins at 0.
        return {_series(one.name, one.labels): one.value - self._began if one.name == LAST else one.value for one in samples}


LAST = "tocsin_canary_last_success_timestamp_seconds"


def _target(series: str) -> tuple[str, str]:
    """
    >>> _target(_series(LAST, {"topic": "journal", "partition": "2"}))
    ('journal', '2')
    """
    labels = dict(part.split("=") for part in series[len(LAST) + 1 : -1].split(","))
    return labels["topic"].strip('"'), labels["partition"].strip('"')


def _series(name: str, labels: dict[str, str]) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name


def promtool_available() -> bool:
    return shutil.which("promtool") is not None


class Question(NamedTuple):
    """Whether the alert fires at any second of this span (the last one in it)."""

    alert: str
    begin: int
    end: int
    fires: bool


def answered_by_promtool(scrapes: Sequence[dict[str, float]], asked: Sequence[Question], folder: Path) -> str:
    """ "" when everything is as the questions say, else what promtool says."""
    names = sorted({series for one in scrapes for series in one})
    made = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1s",
        "tests": [
            {
                "interval": "1s",
                "input_series": [{"series": name, "values": _values([one.get(name) for one in scrapes])} for name in names],
                "promql_expr_test": [_test(one) for one in asked],
            }
        ],
    }
    file = folder / "canary_test.yml"
    file.write_text(json.dumps(made), "utf-8")  # JSON is YAML
    done = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, timeout=280, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]


def _test(one: Question) -> dict[str, object]:
    firing = f'ALERTS{{alertname="{one.alert}",alertstate="firing"}}'
    return {
        "expr": f"max(max_over_time({firing}[{one.end - one.begin}s]))",
        "eval_time": f"{one.end}s",
        "exp_samples": [{"labels": "{}", "value": 1}] if one.fires else [],
    }


def _values(found: Sequence[float | None]) -> str:
    """As promtool writes them; a scrape that failed ends a series, as Prometheus does it."""
    out, before = [], None
    for value in found:
        out.append("_" if value is None and before is None else "stale" if value is None else repr(value))
        before = value
    return " ".join(out)
