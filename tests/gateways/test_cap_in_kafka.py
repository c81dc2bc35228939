"""An agency's alert from a file through the command line and a real broker to the city below."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stream.cli.main import app
from stream.records.journal import Statement, decode
from tests.gateways.cap_alerts import alert, keyed, reference
from tests.gateways.conftest import run, runner
from tests.gateways.test_cap_in import SOURCES

if TYPE_CHECKING:
    from tests.gateways.conftest import LaneOfAnswers

ROOT = Path(__file__).parents[2]


@pytest.mark.kafka
@pytest.mark.slow
def test_a_signed_alert_is_red_once_confirmed_and_its_cancel_takes_it_back_while_a_forged_one_does_nothing(
    answers: LaneOfAnswers, tmp_path: Path
) -> None:
    answers.start("intake")
    now = time.time_ns() // 1_000_000_000 * 1000 - 120_000
    (tmp_path / "upstream.pem").write_bytes(keyed("upstream", now // 86_400_000 - 1, 30)[1])
    (tmp_path / "cap_sources.toml").write_text(SOURCES, "utf-8")
    sent = {
        "a1": alert("a1", now, headline="The dam cracks", severity="Extreme"),
        "a2": alert("a2", now + 1000, msg_type="Cancel", references=reference("a1", now), headline="No dam cracks"),
        "forged": alert("a3", now).replace(b"Severe", b"Extreme"),
    }
    for name, xml in sent.items():
        (tmp_path / f"{name}.xml").write_bytes(xml)
    sources = str(tmp_path / "cap_sources.toml")

    def on_topic() -> list[dict[str, str]]:
        return [json.loads(one.value) for one in answers.on(answers.topics.acknowledgements("ava"))]

    assert "would be accepted" in run("cap-in", sources, str(tmp_path / "a1.xml"), "--try", *answers.options)
    piped = [sys.executable, "-m", "stream.cli.main", "cap-in", sources, "/dev/stdin", "--try", *answers.options]
    assert b"would be accepted" in subprocess.run(piped, input=sent["a1"], capture_output=True, check=True, cwd=ROOT).stdout
    refused = runner.invoke(app, ["cap-in", sources, str(tmp_path / "forged.xml"), *answers.options])
    assert (refused.exit_code, "signature_broken" in refused.output) == (1, True)
    assert on_topic() == []
    said = json.loads(run("cap-in", sources, str(tmp_path / "a1.xml"), "--json", *answers.options))
    report = said["does"].removeprefix("report:")
    run("confirm", "cam", report, "--by", "zhao", *answers.options)
    red = answers.until(lambda: _last(answers) if _last(answers)["level"] == "red" else None)
    assert f"report/{report}" in [each["series"] for each in red["evidence"]]
    run("cap-in", sources, str(tmp_path / "a2.xml"), *answers.options)
    assert [one["act"] for one in on_topic()] == ["report", "withdraw"]
    answers.until(lambda: _journalled(answers) == [("report", "ava"), ("confirm", "cam"), ("withdraw", "ava")])
    assert answers.until(lambda: [one for one in answers.on(answers.topics.discrepancies) if b'"withdrawn"' in one.value])


def _journalled(answers: LaneOfAnswers) -> list[tuple[str, str]]:
    made = [decode(one.value) for one in answers.on(answers.topics.journal)]
    return [(one.act, one.city_id) for one in made if isinstance(one, Statement)]


def _last(answers: LaneOfAnswers) -> dict[str, Any]:
    found = [json.loads(one.value) for one in answers.on(answers.topics.city("cam"))]
    return next((one for one in reversed(found) if one["type"] == "warning"), {"level": ""})
