"""The commands against a real broker and a real worker: activate, feed, tail, status, save the journal, replay it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.cluster import Cluster
from stream.records.journal import Tick, decode, partition_of
from stream.review.journal_file import read
from stream.runtime.follow import Followed, follow
from stream.runtime.topics import Topics, plan
from stream.settings import Settings
from stream.warnings.cap_rules import findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
runner = CliRunner()
OWN = len(plan(Settings(), ()))
"""Topics of a lane without any city."""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Iterator[list[str]]:
    """The options of a replay lane of its own, with a worker running on it."""
    file = tmp_path / "lane.toml"
    file.write_text(
        f'bootstrap = "{broker.bootstrap}"\nprefix = "{fresh_prefix}"\nlane = "test"\nclock = "observed"\npartitions = 3\n', "utf-8"
    )
    options = ["--settings", str(file)]
    log = (tmp_path / "worker.log").open("wb")
    worker = subprocess.Popen([sys.executable, "-m", "stream.cli.main", "worker", *options], stdout=log, stderr=log, cwd=ROOT)
    try:
        yield options
        assert worker.poll() is None, (tmp_path / "worker.log").read_text("utf-8")
    finally:
        worker.terminate()
        worker.wait(30)
        log.close()


def run(*arguments: str) -> str:
    done = runner.invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def on_topics(bootstrap: str, names: list[str]) -> list[Followed]:
    async def everything() -> list[Followed]:
        return [one async for read in follow(Cluster(bootstrap), names, once=True) for one in read.records]

    return asyncio.run(everything())


def test_a_region_that_puts_a_domain_into_another_partition_is_refused_and_the_active_one_stays(lane: list[str], rill: Path) -> None:
    active = json.loads(run("region", "activate", str(rill), *lane, "--json"))
    head = rill / "region.toml"
    here = partition_of("rill", 3)
    other = (here + 1) % 3
    head.write_text(head.read_text("utf-8").replace("[domains.rill]\n", f"[domains.rill]\npin = {other}\n"), "utf-8")
    refused = runner.invoke(app, ["region", "activate", str(rill), *lane])
    assert refused.exit_code != 0
    said = " ".join(refused.output.split())
    assert f"domains.rill.pin: its past is in partition {here} of the journal, and this would put it into {other}" in said
    assert "tocsin rebuild" in said
    head.write_text(head.read_text("utf-8").replace(f"pin = {other}\n", f"pin = {here}\n"), "utf-8")
    again = json.loads(run("region", "activate", str(rill), *lane, "--json"))
    assert again["region_hash"] != active["region_hash"], "a pin to where it is already moves nothing"


def test_measurements_become_warnings_that_a_city_can_read_and_anyone_can_replay(
    broker: Broker, lane: list[str], fresh_prefix: str, rill: Path, tmp_path: Path
) -> None:
    active = json.loads(run("region", "activate", str(rill), *lane, "--json"))
    assert active["cities"] == 3
    checked = run("topics", "check", str(rill), *lane)
    assert checked.startswith(f"{OWN + 6} topics are as they must be\njournal partition ")
    assert "measurements/min of 1 domains (rill)" in checked
    run("feed", str(rill), str(rill / "history.csv"), *lane)

    run("journal", "save", "--out", str(tmp_path / "journal.bin"), *lane)
    last = [decode(record.value) for record in read(tmp_path / "journal.bin") if isinstance(decode(record.value), Tick)]
    assert len([tick for tick in last if isinstance(tick, Tick) and tick.closing]) == 3, "one closing tick a partition"

    assert_topics_equal_replay(broker.bootstrap, fresh_prefix, tmp_path / "journal.bin", rill)
    tailed = json.loads(run("tail", "bor", "--once", "--json", *lane).splitlines()[-1])
    assert tailed["city_id"] == "bor"
    assert tailed["states"].keys() == {"flood/rill"}
    statuses = {one["city_id"]: one for one in map(json.loads, run("status", "--json", *lane).splitlines())}
    assert statuses["bor"]["state"] == tailed["state"]
    assert set(statuses) == {"ava", "bor", "cam"}
    assert "3 cities" in run("status", *lane)
    assert "BOR" in run("tail", "bor", "--once", *lane).upper()
    assert len(run("tail", "bor", "cam", "--once", "--json", *lane).splitlines()) == 2
    assert set(json.loads(run("tail", "ava", "bor", "cam", "--collapse", "--once", "--json", *lane))) == {"incidents", "unknown", "muted"}
    assert run("tail", "ava", "bor", "cam", "--collapse", "--once", *lane).startswith("3 cities: ")
    run("cap", "bor", "--all", "--out", str(tmp_path / "alerts"), *lane)
    alerts = sorted((tmp_path / "alerts").glob("*.xml"))
    assert alerts, "every warning of the city is an alert"
    assert [findings(one.read_bytes()) for one in alerts] == [()] * len(alerts)


def assert_topics_equal_replay(bootstrap: str, prefix: str, journal: Path, rill: Path) -> None:
    """The city topics hold, once repetitions are dropped, byte for byte what the replay of the journal says."""
    out = journal.with_name("out.jsonl")
    run("replay", str(rill), "--journal", str(journal), "--out", str(out))
    cities: dict[str, list[bytes]] = {}
    for text in out.read_bytes().splitlines():
        one = json.loads(text)
        if one["kind"] == "city":
            start = text.index(b'"value":') + len(b'"value":')
            cities.setdefault(one["city_id"], []).append(text[start:-1])
    assert set(cities) == {"ava", "bor", "cam"}
    for city, expected in cities.items():

        def found(city: str = city) -> list[bytes]:
            return list(dict.fromkeys(one.value or b"" for one in on_topics(bootstrap, [Topics(prefix).city(city)])))

        until = time.monotonic() + 30
        while len(found()) < len(dict.fromkeys(expected)) and time.monotonic() < until:
            time.sleep(0.1)
        assert found() == list(dict.fromkeys(expected)), city


def test_topics_check_tells_what_differs_and_how_to_mend_it(broker: Broker, fresh_prefix: str) -> None:
    options = ["--bootstrap", broker.bootstrap, "--prefix", fresh_prefix]
    done = runner.invoke(app, ["topics", "check", *options])
    assert done.exit_code == 1
    assert "topic is missing, must be present: tocsin topics create" in done.output
    created = json.loads(run("topics", "create", *options, "--json"))
    assert len(created["created"]) == OWN
    assert json.loads(run("topics", "create", *options, "--json")) == {"created": [], "present": OWN}
    run("topics", "check", *options)


def test_tail_names_the_command_that_is_missing(broker: Broker, fresh_prefix: str, rill: Path) -> None:
    options = ["--bootstrap", broker.bootstrap, "--prefix", fresh_prefix]
    done = runner.invoke(app, ["tail", "bor", "--once", *options])
    assert (done.exit_code, "tocsin topics create" in done.output) == (1, True)
    run("topics", "create", *options)
    done = runner.invoke(app, ["tail", "bor", "--once", *options])
    assert (done.exit_code, "tocsin region activate REGION" in done.output) == (1, True)
    run("region", "activate", str(rill), *options)
    done = runner.invoke(app, ["tail", "nowhere", "--once", *options])
    assert (done.exit_code, "no active region has a city 'nowhere'" in done.output) == (1, True)
    silent = json.loads(run("tail", "bor", "--once", "--json", *options))
    assert (silent["state"], silent["unknown"]) == ("unknown", ["flood/rill"]), "nothing was ever said: not clear"
    (shown,) = [one for one in run("status", "--json", *options).splitlines() if '"bor"' in one]
    assert json.loads(shown)["state"] == "unknown"
