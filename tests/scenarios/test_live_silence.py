"""A silence through the real service: stated by command, heeded by the worker and by the next one after a kill, visible all the time, and taken back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.records.journal import Statement, decode
from tests.decide.conftest import FILES, make_bundle
from tests.gateways.test_intake import LaneOfAnswers, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[LaneOfAnswers]:
    """The small river on a lane in live time, with a worker and intake."""
    make_bundle(FILES, tmp_path / "rill")
    made = LaneOfAnswers(broker.bootstrap, fresh_prefix, tmp_path)
    run("region", "activate", str(tmp_path / "rill"), *made.options)
    made.start("worker")
    made.start("intake")
    try:
        made.until(lambda: "ready generation" in made.log("worker"))
        yield made
    finally:
        made.stop()


def measured(lane: LaneOfAnswers, value: float) -> None:
    file = lane.folder / "now.csv"
    file.write_text(f"series,observed_at,value\nupper/stage,{datetime.now(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')},{value}\n", "utf-8")
    run("feed", str(lane.folder / "rill"), str(file), *lane.options)


def read(lane: LaneOfAnswers, city: str, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(one.value) for one in lane.on(lane.topics.city(city))]
    return [one for one in found if one["type"] == kind]


def status_of(lane: LaneOfAnswers, city: str) -> tuple[str, list[str]]:
    said = read(lane, city, "status")
    return (said[-1]["state"], said[-1]["muted_by"]) if said else ("", [])


def test_a_silenced_city_reads_that_it_is_warned_and_muted_and_is_sent_what_stands_when_it_asks(lane: LaneOfAnswers) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    refused = CliRunner().invoke(app, ["silence", "bor", "--level", "red", "--until", until, "--text", "why", *lane.options])
    assert (refused.exit_code, "red never" in refused.output) == (1, True)
    words = ("--level", "yellow", "--until", until, "--by", "li", "--text", "we know")
    made = json.loads(run("silence", "bor", *words, "--json", *lane.options))
    lane.until(lambda: [one for record in lane.on(lane.topics.journal) if isinstance(one := decode(record.value), Statement)])

    measured(lane, 2.5)
    lane.until(lambda: read(lane, "cam", "warning"))
    name = f"silence:{made['statement_id']}"
    lane.until(lambda: status_of(lane, "bor") == ("warned", [name]))
    assert read(lane, "bor", "warning") == []
    assert "muted" in run("tail", "bor", "--once", *lane.options)
    collapsed = json.loads(run("tail", "ava", "bor", "cam", "--collapse", "--once", "--json", *lane.options))
    assert ([one["cities"] for one in collapsed["incidents"]], collapsed["muted"]) == (
        [[["ava", "blue"], ["cam", "blue"]]],
        [["flood", "rill", ["bor"]]],
    )
    stands = {one["city_id"]: one for one in map(json.loads, run("status", "--json", *lane.options).splitlines())}["bor"]
    assert (stands["state"], stands["level"], [one["muted_by"] for one in stands["active"]]) == ("warned", "blue", [[name]])

    worker = lane.running[0]
    worker.kill()
    worker.wait(30)
    lane.start("worker")
    measured(lane, 4.5)
    (raised,) = lane.until(lambda: read(lane, "bor", "warning"))
    assert (raised["msg_type"], raised["level"], raised["reason"]) == ("alert", "orange", "worse"), "a raise above the silence is sent"

    run("unsilence", "bor", made["statement_id"], "--by", "li", *lane.options)
    lane.until(lambda: status_of(lane, "bor") == ("warned", []))
    assert [one["level"] for one in read(lane, "bor", "warning")][-1] == "orange"
