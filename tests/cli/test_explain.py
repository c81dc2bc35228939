"""`tocsin explain`: from a replay, and from the topics of a real broker after a real worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.runtime.broker import Broker

runner = CliRunner()
ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize(("language", "says"), [("en", "5  How and when it comes to Bor"), ("zh", "怎么来、何时到")])
def test_a_region_s_own_history_is_explained_without_a_broker(rill: Path, language: str, says: str) -> None:
    out = run("explain", "bor", "--revision", "1", "--replay", str(rill), "--lang", language)
    assert says in out
    assert "1.8" in out
    assert "upper" in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_a_recorded_journal_and_files_give_the_same_explanation(rill: Path) -> None:
    own = run("explain", "bor", "--replay", str(rill), "--json")
    files = run("explain", "bor", "--replay", str(rill), "--file", str(rill / "history.csv"), "--json")
    assert json.loads(own) == json.loads(files)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["wrn-00", "--replay", "songhua"], "there is no warning 'wrn-00'"),
        (["harbin", "--replay", "songhua", "--lang", "fr"], "there are en, zh"),
        (["harbin", "--replay", "songhua", "--zone", "Mars/Phobos"], "is no time zone"),
        (["harbin", "--replay", "danube"], "has no history to replay"),
    ],
)
def test_what_cannot_be_explained_is_said_with_what_there_is(arguments: list[str], says: str) -> None:
    done = runner.invoke(app, ["explain", *arguments])
    assert (done.exit_code, says in done.output) == (1, True), done.output


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[list[str]]:
    """The options of a replay lane of its own, with a worker running on it."""
    file = tmp_path / "lane.toml"
    file.write_text(
        f'bootstrap = "{broker.bootstrap}"\nprefix = "{fresh_prefix}"\nlane = "test"\nclock = "observed"\npartitions = 3\n', "utf-8"
    )
    log = (tmp_path / "worker.log").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-m", "stream.cli.main", "worker", "--settings", str(file)], stdout=log, stderr=log, cwd=ROOT
    )
    try:
        yield ["--settings", str(file)]
        assert worker.poll() is None, (tmp_path / "worker.log").read_text("utf-8")
    finally:
        worker.terminate()
        worker.wait(30)
        log.close()


def published(lane: list[str], revisions: list[object]) -> dict[str, object]:
    """The explanation from the topics, as soon as all that the replay says was published."""
    until = time.monotonic() + 30
    while True:
        done = runner.invoke(app, ["explain", "bor", "--revision", "1", "--json", *lane])
        made = json.loads(done.stdout) if done.exit_code == 0 else {}
        if made.get("revisions") == revisions or time.monotonic() > until:
            assert done.exit_code == 0, done.output
            return made
        time.sleep(0.2)


@pytest.mark.kafka
@pytest.mark.slow
def test_the_topics_of_a_lane_explain_a_warning_as_its_replay_does(lane: list[str], rill: Path) -> None:
    run("region", "activate", str(rill), *lane)
    run("feed", str(rill), str(rill / "history.csv"), *lane)
    from_replay = json.loads(run("explain", "bor", "--revision", "1", "--replay", str(rill), "--json"))
    from_topics = published(lane, from_replay["revisions"])
    assert from_topics["missing"] == []
    for what in ("warning", "evidence", "measured", "own_stations", "incident"):
        assert from_topics[what] == from_replay[what], what
    steps = {one["step"]: one["lines"] for one in from_topics["text"]["zh"]["steps"]}
    assert steps.keys() >= {"measured", "believed", "found", "sure", "way", "decision", "told", "unknown"}
    by_alert = run("explain", f"{from_topics['warning']['warning_id']}-1", *lane)
    assert "Bor" in by_alert
    done = runner.invoke(app, ["explain", "wrn-00", *lane])
    assert (done.exit_code, "there is no warning 'wrn-00'" in done.output) == (1, True)
