"""A real Prometheus scrapes all our processes while a warning goes out and is answered: every panel has data, and no alert fires."""

from __future__ import annotations

import json
import shutil
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.deploy.needs import need
from tests.deploy.stack import DEPLOY, Stack, until
from tests.deploy.test_observability import BOARDS
from tests.gateways.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
TOKEN = "a token that is long enough for anybody 0123456789"  # noqa: S105  (of this test only)
GATEWAYS = """[upper]
kind = "http_token"
stations = ["linhe"]
families = ["water"]
lanes = ["test"]
audience = "example"

[upper.keys.k1]
token_sha256 = "{digest}"
not_after = "2099-01-01T00:00:00Z"
"""


@pytest.fixture
def stack(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[Stack]:
    need("prometheus", "promtool")
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    found = Stack(broker, fresh_prefix, tmp_path, mosquitto)
    try:
        yield found
    finally:
        found.stop()
        mosquitto.stop()


def panels() -> Iterator[tuple[str, str]]:
    for path in BOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", ()):
                yield f"{path.stem}: {panel['title']}", target["expr"].replace("$hazard", ".*")


def test_every_panel_has_data_while_a_warning_goes_out_and_is_answered(stack: Stack, tmp_path: Path) -> None:
    region = tmp_path / "region"
    shutil.copytree(DEPLOY / "regions" / "example", region)
    (region / "gateways.toml").write_text(GATEWAYS.format(digest=sha256(TOKEN.encode()).hexdigest()), "utf-8")
    stack.tocsin("region", "activate", str(region))
    stack.start()
    stack.scrape()
    stack.post("linhe/stage", 6.3, TOKEN)
    stack.post("linhe/stage", 6.4, TOKEN)

    def warned() -> str | None:
        read = json.loads(stack.tocsin("tail", "linhe", "--once", "--json").splitlines()[-1])
        return next((one["warning_id"] for one in read["active"]), None)

    warning_id = until(warned, lambda: stack.log("worker"))
    stack.tocsin("accept", "linhe", warning_id)
    until(lambda: stack.ask("sum(tocsin_acknowledgement_seconds_count) > 0"), lambda: stack.log("intake"))

    def empty() -> list[str]:
        return [where for where, expr in panels() if not stack.ask(expr)]

    asked = len(list(panels()))
    until(lambda: not empty(), lambda: f"no data: {empty()}")
    time.sleep(5)
    assert empty() == []
    # The promise of every process about itself, as Prometheus sees it.
    assert len(stack.ask("tocsin_ready == 1")) == 5
    assert len(stack.ask('up{job=~"tocsin-.*"} == 1')) == 5
    firing = {one["metric"]["alertname"] for one in stack.ask('ALERTS{alertstate="firing"}')}
    assert "TocsinAlertsWork" in firing
    assert firing <= {"TocsinAlertsWork", "TocsinManyBlindCities", "TocsinBlindCity"}  # one city reports here, the others are blind indeed
    slowest = float(stack.ask("max(scrape_duration_seconds)")[0]["value"][1])
    series = float(stack.ask("sum(scrape_samples_scraped)")[0]["value"][1])
    print(
        f"{asked} expressions of {len(BOARDS)} dashboards have data; {series:.0f} series in 5 processes, slowest scrape {slowest * 1000:.0f} ms"
    )
