"""What a worker shows of itself while it works, and while the broker is away."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from stream.decide.census import Census
from stream.health.exposing import Health
from stream.health.metrics import Metrics
from stream.records.journal import Entry
from stream.records.output import Kind, Output
from stream.runtime.census_rounds import count_not_taken
from stream.runtime.journey import came_at, came_first, raises
from stream.runtime.ports import free_ports
from stream.runtime.readiness import Standing, judge
from stream.runtime.topics import Topics
from tests.runtime.lane import Worker, await_warnings, door_producer, read_all, set_up, toy_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stream.runtime.broker import Broker


class Record:
    def __init__(self, offset: int, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
        self.offset, self.headers = offset, headers


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def value(port: int, series: str) -> float | None:
    found = re.search(rf"^{re.escape(series)} (.+)$", get(port, "/metrics")[1], re.MULTILINE)
    return None if found is None else float(found.group(1))


def until(said: Callable[[], bool], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not said():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_first_of_the_measurements_in_a_slice_counts_and_nothing_outside_of_it():
    records = [Record(1, came_at(100)), Record(2), Record(4, came_at(300)), Record(5, came_at(200)), Record(9, came_at(50))]
    assert came_first(records, [Entry(2, 0, b""), Entry(4, 0, b""), Entry(5, 0, b"")]) == 200
    assert came_first(records, [Entry(2, 0, b"")]) is None, "a tick came through no door"


@pytest.mark.parametrize(("reason", "raised"), [("first", True), ("worse", True), ("extended", False), ("cleared", False)])
def test_only_what_raises_a_warning_is_timed(reason, raised):
    told = Output(Kind.CITY, b"w", b"", 0, "ava", warning_id="w", reason=reason)
    assert raises(told) == raised
    assert not raises(Output(Kind.WARNINGS, b"w", b"", 0, "ava", warning_id="w", reason=reason))


def test_what_the_fold_did_not_take_is_counted_from_where_it_was_restored():
    metrics, before, after = Metrics(), Census(repeated=7), Census(repeated=9)
    before.counts["retired"], after.counts["retired"], after.counts["links_refused"] = 3, 4, 2
    count_not_taken(metrics, before, after)
    found = {
        one.labels.get("reason", one.name): one.value
        for name in (metrics.repeated, metrics.fold_refused)
        for one in name.collect()[0].samples
    }
    assert found == {"tocsin_repeated_measurements_total": 2, "retired": 1, "links_refused": 2}


def test_a_worker_is_ready_only_with_its_partitions_the_broker_and_the_canary():
    def wrong(found: Standing) -> str:
        return " / ".join(one.wrong for one in judge(found).troubles)

    two = frozenset({0, 1})
    assert judge(Standing(two, {0: 5.0, 1: 89.0}, canary_s=30.0)) == Health()
    assert "not heard in journal partition 1" in wrong(Standing(two, {0: 5.0, 1: 91.0}, canary_s=30.0))
    assert wrong(Standing(two, {0: 5.0})) == "journal partition 1 not restored"
    assert "the group has not said" in wrong(Standing(None))
    assert "the broker has not answered for 12 s" in wrong(Standing(two, {0: 0.0, 1: 0.0}, silent_s=12.0))
    assert all(one.fix for one in judge(Standing(None, silent_s=99.0)).troubles)


@pytest.mark.kafka
@pytest.mark.slow
def test_the_way_of_a_warning_is_measured_from_its_door_to_its_city(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    port = free_ports("127.0.0.1")[0]
    settings = toy_settings(broker.bootstrap, fresh_prefix, metrics_port=port, canary_s=1.0)
    set_up(settings)
    topics = Topics(fresh_prefix)
    worker = Worker(settings, tmp_path / "w1.log")
    try:
        worker.wait_ready()
        producer = door_producer(settings)
        for sequence in range(1, 6):
            producer.produce(topics.doors[0], f"3:{sequence}".encode(), partition=1)
        assert producer.flush(10) == 0
        assert await_warnings(broker.bootstrap, topics, {"3:5"}) == {"3:5"}
        until(lambda: value(port, 'tocsin_warning_end_to_end_seconds_count{hazard="toy"}') == 1)
        assert 0 < (value(port, 'tocsin_warning_end_to_end_seconds_sum{hazard="toy"}') or 0) < 30
        assert value(port, 'tocsin_door_records_total{door="water"}') == 5
        skew_s = value(port, "tocsin_clock_skew_seconds")
        assert skew_s is not None
        assert not abs(skew_s) > 10  # NaN until it is known
        until(lambda: value(port, f'tocsin_lag_seconds{{topic="{topics.journal}"}}') is not None)
        assert get(port, "/livez")[0] == get(port, "/startupz")[0] == 200
        # No canary runs here, though one is expected: a worker says so, and says what to do.
        until(lambda: get(port, "/readyz")[0] == 503)
        assert "tocsin canary" in json.loads(get(port, "/readyz")[1])["troubles"][0]["fix"]
        assert value(port, "tocsin_ready") == 0
        assert worker.stop() == 0
    finally:
        worker.kill()
    headers = [dict(one.headers()) for records in read_all(broker.bootstrap, topics.journal, 4) for one in records if one.headers()]
    assert headers
    assert all(abs(int.from_bytes(one["door_at"], "big") - time.time() * 1000) < 120_000 for one in headers)
