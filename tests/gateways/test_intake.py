"""Cities answer through a real broker: into the journal, through kills, with bad answers kept, and escalation only of who is silent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from stream.accept.answers import Known, judge, read
from stream.accept.refusal import Fault, Refused
from stream.cli.main import app
from stream.errors import TocsinError
from stream.gateways.intake_process import run_intake
from stream.records.acknowledgement import Acknowledgement
from stream.records.journal import Acknowledgement as Journalled
from stream.records.journal import Tick, decode
from stream.records.warning import Lane
from stream.settings import Settings
from tests.gateways.conftest import LaneOfAnswers, run, runner

WARNINGS = {"w": Known("w", 3, "bor", "rill", "cafe", Lane.TEST)}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Refused.TOMBSTONE),
        (b"x" * 2_000, Refused.TOO_LARGE),
        (b"", Refused.EMPTY),
        (b"{", Refused.NOT_JSON),
        (b"\xff", Refused.NOT_UTF8),
        (b"[]", Refused.WRONG_TYPE),
        (b'{"warning_id":"w","revision":1,"action":"seen"}', Refused.MISSING_FIELD),
        (b'{"warning_id":"w","revision":0,"action":"seen","by":"li"}', Refused.OUT_OF_RANGE),
        (b'{"warning_id":"w","revision":1,"action":"maybe","by":"li"}', Refused.OUT_OF_RANGE),
        (b'{"warning_id":"w","revision":1,"action":"seen","by":"li","city_id":"cam"}', Refused.UNKNOWN_FIELD),
        (b'{"warning_id":"w","revision":1,"action":"rejected","by":"li","note":" "}', Refused.NO_REASON),
    ],
)
def test_what_is_no_answer_is_refused_with_its_reason(value: bytes | None, reason: Refused) -> None:
    fault = read(value, 1_000)
    assert isinstance(fault, Fault)
    assert fault.reason is reason


@pytest.mark.parametrize(("city", "warning_id", "revision"), [("cam", "w", 1), ("bor", "v", 1), ("bor", "w", 4)])
def test_an_answer_to_nothing_that_stands_on_the_citys_topic_is_refused(city: str, warning_id: str, revision: int) -> None:
    fault = judge(Acknowledgement(warning_id, revision, "seen", "li"), city, 5, WARNINGS, Lane.TEST)
    assert isinstance(fault, Fault)
    assert fault.reason is Refused.UNKNOWN_WARNING


def test_who_answered_and_when_are_the_topics_and_the_brokers() -> None:
    made = judge(Acknowledgement("w", 2, "done", "li", "dams closed"), "bor", 1_234, WARNINGS, Lane.TEST)
    assert made == Journalled("rill", "cafe", "bor", "w", 2, "done", "li", "dams closed", 1_234, lane="test")


def test_an_answer_that_says_another_lane_is_refused_and_one_that_says_none_is_taken() -> None:
    fault = judge(Acknowledgement("w", 1, "seen", "li", lane=Lane.EXERCISE), "bor", 5, WARNINGS, Lane.TEST)
    assert isinstance(fault, Fault)
    assert fault.reason is Refused.OTHER_LANE
    for said in (None, Lane.TEST):
        assert isinstance(judge(Acknowledgement("w", 1, "seen", "li", lane=said), "bor", 5, WARNINGS, Lane.TEST), Journalled)


def test_intake_refuses_a_lane_of_replays() -> None:
    with pytest.raises(TocsinError, match="nobody answers a replay"):
        run_intake(Settings(prefix="r.", lane=Lane.TEST, clock="observed"))


@pytest.mark.kafka
@pytest.mark.slow
def test_answers_reach_the_journal_through_a_kill_and_only_the_silent_city_is_reminded(answers: LaneOfAnswers) -> None:
    first = answers.start("intake")
    warned = {city: answers.until(lambda city=city: answers.warning(city)) for city in ("ava", "bor", "cam")}
    assert warned["bor"]["acknowledge_by_at"]
    told = json.loads(run("accept", "bor", warned["bor"]["warning_id"], "--by", "li", "--note", "on it", "--json", *answers.options))
    answers.until(answers.journalled)
    first.kill()
    first.wait()

    good = msgspec.json.encode(Acknowledgement(warned["ava"]["warning_id"], 1, "seen", "chen"))
    answers.write("ava", b"no json", good)
    answers.write("cam", good)
    answers.start("intake")
    found = answers.until(lambda: two_or_more(answers.journalled()))
    made = {(one.city_id, one.action, one.by): one for one in found}
    assert set(made) == {("bor", "accepted", "li"), ("ava", "seen", "chen")}
    assert told["received_at"][:19] == datetime.fromtimestamp(made["bor", "accepted", "li"].received_at / 1000, UTC).isoformat()[:19]
    refused = answers.until(lambda: two_or_more(answers.on(answers.topics.rejected)))
    assert {(dict(one.headers)["topic"].decode().rpartition(".")[2], dict(one.headers)["reason"]) for one in refused} == {
        ("ava", b"not_json"),
        ("cam", b"unknown_warning"),
    }

    def reminded() -> set[str]:
        topics = {answers.topics.city(city): city for city in warned}
        return {topics[one.topic] for one in answers.on(*topics) if dict(one.headers).get("ce_escalation") == b"reminded"}

    assert answers.until(reminded) == {"cam"}
    ticks = [tick for one in answers.on(answers.topics.journal) if isinstance(tick := decode(one.value), Tick)]
    assert max(tick.acknowledgements_written_at for tick in ticks) > warned_at(warned["cam"])
    answers.running[-1].terminate()
    assert answers.running[-1].wait(30) == 0


def two_or_more(found: list[Any]) -> list[Any]:
    return found if len(found) > 1 else []


def warned_at(warning: dict[str, Any]) -> float:
    return datetime.fromisoformat(warning["sent_at"]).timestamp() * 1000


@pytest.mark.kafka
@pytest.mark.slow
def test_the_command_says_what_is_wrong_before_it_writes(answers: LaneOfAnswers) -> None:
    warning = answers.until(lambda: answers.warning("bor"))
    done = runner.invoke(app, ["accept", "bor", "wrn-none", *answers.options])
    assert (done.exit_code, warning["warning_id"] in done.output) == (1, True)
    done = runner.invoke(app, ["accept", "bor", warning["warning_id"], "--revision", "9", *answers.options])
    assert (done.exit_code, "newest revision" in done.output) == (1, True)
    done = runner.invoke(app, ["reject", "bor", warning["warning_id"], *answers.options])
    assert (done.exit_code, "--note" in done.output) == (2, True)
    assert answers.on(answers.topics.acknowledgements("bor")) == []
    for command in ("ack", "done"):
        assert "by duty" in run(command, "bor", warning["warning_id"], "--by", "duty", *answers.options)
    assert [json.loads(one.value)["action"] for one in answers.on(answers.topics.acknowledgements("bor"))] == ["seen", "done"]
