"""A whole exercise through a real broker: played, answered, escalated, ended, scored; and nothing outside its own topics is touched."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner

from stream.cli.main import app
from stream.cluster import Cluster
from stream.records.journal import Command, encode
from stream.records.lanes import Lane
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics
from stream.runtime.topics import plan as plan_of
from stream.settings import Settings
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.runtime.broker import Broker

ROOT = Path(__file__).parents[2]
WAIT_S = 60
runner = CliRunner()
RULES = "[rules]\nacknowledge_orange_s = 120\n"
PLAN = """
id = "rill-spring"
region = "rill"
kind = "scheduled"
notice_s = 2
lasts_s = 30
[title]
zh = "小河演习"
en = "Rill exercise"
[[measurements]]
after_s = 0
series = "upper/stage"
value = 1.0
[[measurements]]
after_s = 2
series = "upper/stage"
value = 4.5
[[expect]]
city = "bor"
level = "orange"
within_s = 25
acknowledge_within_s = 20
[[expect]]
city = "cam"
level = "yellow"
within_s = 25
"""


def written(folder: Path, prefix: str, bootstrap: str) -> tuple[Path, list[str]]:
    """The plan beside its region, and the options of a lane."""
    files = FILES | {"hazards/flood.toml": FILES["hazards/flood.toml"].replace("[rules]\n", RULES)}
    for name, text in files.items():
        (folder / "rill" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "rill" / name).write_text(text, "utf-8")
    plan, lane = folder / "plan.toml", folder / "lane.toml"
    plan.write_text(PLAN, "utf-8")
    lane.write_text(
        f'bootstrap = "{bootstrap}"\nprefix = "{prefix}"\nlane = "exercise"\npartitions = 2\ntick_s = 0.5\ninstance = "drill"\n', "utf-8"
    )
    return plan, ["--settings", str(lane)]


def ends(bootstrap: str, prefix: str) -> dict[TopicPartition, int]:
    """The end of every partition whose topic has not this prefix: what an exercise must leave as it is."""

    async def found() -> dict[TopicPartition, int]:
        reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        await reader.start()
        try:
            names = [name for name in await reader.topics() if not name.startswith((prefix, "__"))]
            await reader._client.set_topics(names)
            return await reader.end_offsets(
                [TopicPartition(name, one) for name in names for one in reader.partitions_for_topic(name) or ()]
            )
        finally:
            await reader.stop()

    return asyncio.run(found())


def on(bootstrap: str, *names: str) -> list[Any]:
    async def everything() -> list[Any]:
        reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        await reader.start()
        try:
            await reader._client.set_topics(names)
            known = [TopicPartition(name, one) for name in names for one in reader.partitions_for_topic(name) or ()]
            reader.assign(known)
            last = await reader.end_offsets(known)
            for one in known:
                reader.seek(one, 0)
            found = []
            while any([await reader.position(one) < last[one] for one in known]):
                for batch in (await reader.getmany(timeout_ms=200)).values():
                    found += batch
            return found
        finally:
            await reader.stop()

    return asyncio.run(everything())


def until(look: Callable[[], Any], say: Callable[[], str]) -> Any:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError(say())


def send(bootstrap: str, topic: str, value: bytes) -> None:
    async def one() -> None:
        sender = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await sender.start()
        await sender.send_and_wait(topic, value)
        await sender.stop()

    asyncio.run(one())


@pytest.mark.kafka
@pytest.mark.slow
def test_an_exercise_is_played_answered_and_scored_and_touches_nothing_else(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    prefix = f"exercise.{fresh_prefix}"
    topics, (plan, options) = Topics(prefix), written(tmp_path, prefix, broker.bootstrap)
    create(Cluster(broker.bootstrap), plan_of(Settings(prefix=fresh_prefix, lane=Lane.TEST, partitions=1), ["bor"]))
    send(broker.bootstrap, Topics(fresh_prefix).city("bor"), b"of another lane")
    before = ends(broker.bootstrap, prefix)
    log = (tmp_path / "run.log").open("wb")
    command = [sys.executable, "-m", "stream.cli.main", "exercise", "run", str(plan), *options]
    running = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)

    def said() -> str:
        return (tmp_path / "run.log").read_text("utf-8")

    try:
        until(lambda: "has begun" in said(), said)
        live = {"series": "upper/stage", "observed_at": "2026-03-01T00:00:00Z", "value": 9.0}
        send(broker.bootstrap, topics.doors[0], json.dumps(live).encode())
        send(broker.bootstrap, topics.journal, encode(Command("exercise_over", "rill-spring", lane="live")))

        def warning() -> Any:
            found = [json.loads(one.value) for one in on(broker.bootstrap, topics.city("bor"))]
            return next((one for one in found if one["type"] == "warning"), None)

        warned = until(warning, said)
        answered = runner.invoke(app, ["accept", "bor", warned["warning_id"], "--by", "li", *options])
        assert answered.exit_code == 0, answered.output
        assert running.wait(WAIT_S + 60) == 0, said()
    finally:
        if running.poll() is None:
            running.terminate()
            running.wait(60)
        log.close()

    assert ends(broker.bootstrap, prefix) == before, "an exercise writes to its own topics only"
    assert_everything_says_so(broker.bootstrap, topics)
    scored = runner.invoke(app, ["exercise", "score", str(plan), "--json", *options])
    assert scored.exit_code == 0, scored.output
    bor, cam = (next(one for one in json.loads(scored.stdout)["cities"] if one["city_id"] == city) for city in ("bor", "cam"))
    assert (bor["in_time"], bor["acknowledged_by"], bor["acknowledged_in_time"], bor["passed"]) == (True, "li", True, True)
    assert (cam["in_time"], cam["acknowledged_by"]) == (True, "")
    assert "rill-spring" in runner.invoke(app, ["exercise", "score", str(plan), *options]).stdout
    assert_cap_names_the_exercise(options)
    assert "rill: normal since" in runner.invoke(app, ["status", *options]).stdout
    assert "1 records say that they are of another lane" in said()


def assert_everything_says_so(bootstrap: str, topics: Topics) -> None:
    """Announced first, called off last, every text and record marked, and the live measurement refused."""
    told = [json.loads(one.value) for city in ("ava", "bor", "cam") for one in on(bootstrap, topics.city(city))]
    assert {one["type"] for one in told} == {"exercise", "warning", "status"}
    assert all(one["lane"] == "exercise" for one in told)
    assert all(one["text"]["zh"].startswith("演习") and one["text"]["en"].startswith("EXERCISE") for one in told)
    bors = [one for one in told if one["city_id"] == "bor" and one["type"] != "status"]
    assert [one.get("phase") for one in bors if one is bors[0] or one is bors[-1]] == ["announced", "over"]
    assert [one["msg_type"] for one in told if one["type"] == "warning" and one["city_id"] == "bor"][-1] == "cancel"
    assert [dict(one.headers)["reason"] for one in on(bootstrap, topics.rejected)] == [b"other_lane"]


def assert_cap_names_the_exercise(options: list[str]) -> None:
    made = runner.invoke(app, ["cap", "bor", "--all", *options])
    assert made.exit_code == 0, made.output
    assert "<status>Exercise</status>" in made.stdout
    assert "Exercise rill-spring" in made.stdout


def test_an_exercise_takes_no_lane_but_its_own(tmp_path: Path) -> None:
    plan, _ = written(tmp_path, "exercise.", "127.0.0.1:9")
    for wrong in (["--prefix", "replay."], ["--prefix", "exercise.", "--clock", "observed"]):
        done = runner.invoke(app, ["exercise", "run", str(plan), "--bootstrap", "127.0.0.1:9", *wrong])
        assert (done.exit_code, "a prefix that begins with" in done.output) == (1, True)
