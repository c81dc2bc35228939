"""What officers state by hand through a real broker: from the command line over their city's own topic to everybody it concerns."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from stream.cli.main import app
from stream.records.journal import Statement, decode
from stream.records.statement import statement_id
from tests.gateways.conftest import run, runner

if TYPE_CHECKING:
    from tests.gateways.conftest import LaneOfAnswers


def told(lane: LaneOfAnswers, city: str) -> list[dict[str, Any]]:
    found = [json.loads(one.value) for one in lane.on(lane.topics.city(city))]
    return [one for one in found if one["type"] == "warning"]


def last(lane: LaneOfAnswers, city: str, **wanted: str) -> dict[str, Any] | None:
    """What the city was told last, if it is that."""
    found = told(lane, city)
    return found[-1] if found and all(found[-1][name] == value for name, value in wanted.items()) else None


def discrepancies(lane: LaneOfAnswers) -> list[tuple[str, str]]:
    found = [json.loads(one.value) for one in lane.on(lane.topics.discrepancies)]
    return [(one["kind"], one["city_id"]) for one in found]


@pytest.mark.kafka
@pytest.mark.slow
def test_a_report_two_persons_stand_behind_is_red_below_and_who_leads_takes_it_all_back(answers: LaneOfAnswers) -> None:
    answers.start("intake")
    answers.until(lambda: last(answers, "cam", level="orange"))
    options = answers.options
    said = json.loads(
        run("report", "bor", "--hazard", "flood", "--level", "red", "--reach", "r2", "--km", "1", "--by", "li", "--text", "the levee gives way",
            "--id", "call-7", "--json", *options)
    )  # fmt: skip
    assert said["statement_id"] == statement_id("bor", "call-7")
    assert "confirm of stm-" in run("confirm", "cam", said["statement_id"], "--by", "zhao", *options)
    red = answers.until(lambda: last(answers, "cam", level="red"))
    assert red["reason"] == "worse"
    assert f"report/{said['statement_id']}" in [one["series"] for one in red["evidence"]]

    run("cancel", "cam", red["incident_id"], "--text", "nothing to be seen", "--by", "zhao", *options)
    assert answers.until(lambda: discrepancies(answers)) == [("disputed", "cam")]
    assert "Cam (zhao) says that this is wrong: flood" in " ".join(run("status", *options).split())
    run("cancel", "ava", red["warning_id"], "--text", "a test signal", "--by", "chen", "--domain", "rill", *options)
    for city in ("ava", "bor", "cam"):
        cancelled = answers.until(lambda city=city: last(answers, city, msg_type="cancel"))
        assert "Ava, chen: a test signal" in cancelled["text"]["en"]
    journalled = [made for one in answers.on(answers.topics.journal) if isinstance(made := decode(one.value), Statement)]
    assert sorted((one.act, one.city_id, one.by) for one in journalled) == [
        ("cancel", "ava", "chen"), ("cancel", "cam", "zhao"), ("confirm", "cam", "zhao"), ("report", "bor", "li"),
    ]  # fmt: skip


@pytest.mark.kafka
@pytest.mark.slow
def test_maintenance_is_shown_and_what_is_not_a_citys_to_say_is_refused(answers: LaneOfAnswers) -> None:
    answers.start("intake")
    options = answers.options
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    run("maintenance", "bor", "middle", "--until", until, "--by", "li", *options)
    health = answers.until(lambda: [json.loads(one.value) for one in answers.on(answers.topics.station_health)])
    assert [(one["series"], one["state"]) for one in health] == [("middle/stage", "maintenance")]

    done = runner.invoke(app, ["maintenance", "bor", "lower", "--until", until, *options])
    assert (done.exit_code, "stands in cam" in done.output) == (1, True)
    done = runner.invoke(app, ["maintenance", "bor", "middle", *options])
    assert (done.exit_code, "--until" in done.output) == (2, True)
    done = runner.invoke(app, ["cancel", "ava", "inc-1", *options])
    assert (done.exit_code, "--text" in done.output) == (2, True)
    done = runner.invoke(app, ["report", "bor", "--hazard", "flood", "--level", "pink", *options])
    assert (done.exit_code, "level" in done.output) == (1, True)

    foreign = {"type": "statement", "act": "end_maintain", "domain": "rill", "by": "li", "id": "1", "about": "lower"}
    answers.write("bor", json.dumps(foreign).encode(), json.dumps(foreign | {"city_id": "cam"}).encode())
    refused = answers.until(lambda: found if len(found := answers.on(answers.topics.rejected)) > 1 else [])
    assert {dict(one.headers)["reason"] for one in refused} == {b"not_yours", b"unknown_field"}
