"""A broker that is away for long: what was decided before must not be told, stale, as if it were news when it comes back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from stream.records.instants import from_text
from stream.runtime.ending import ExitCode
from stream.runtime.topics import Topics
from tests.benchmarks.lane import await_decided
from tests.chaos.processes import Supervisor, outage
from tests.chaos.rivers import CITIES, PRODUCT, gauges, judged, rivers, set_up_rivers
from tests.chaos.traffic import Traffic
from tests.runtime.lane import Worker, read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
REQUEST_TIMEOUT_S = 4.0
VALIDITY_S = 8
OUTAGE_S = 14.0
UNDER_WAY = 76
"""The step of `rivers.gauges` at which the broker dies: about half of the rivers are rising, at this one and at every later."""
BEGIN_AT_S = 45.0
"""The second of the minute at which the gauges begin. A warning is valid for VALIDITY_S from its arrival, and arrivals are told in whole
minutes: what is raised before the minute is full has ended when the broker is back, what is raised just after it has not."""


@pytest.fixture(scope="module", autouse=True)
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker whose broker never comes; it waits while the other test runs."""
    worker = Worker(toy_settings("127.0.0.1:9", "nobody."), tmp_path_factory.mktemp("lonely") / "w1.log")
    yield worker
    worker.kill()


def test_a_warning_that_expired_while_the_broker_was_away_is_on_late_only(own_broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(own_broker.bootstrap, fresh_prefix, request_timeout_s=REQUEST_TIMEOUT_S)
    region = rivers(VALIDITY_S, spreading=False)
    set_up_rivers(settings, region)
    # Every batch of outputs is held for two seconds, in which each river reaches another level twice: whenever the broker dies, some raise waits.
    held_back = {"TOCSIN_FAILPOINT": "before_outputs=pause:2"}
    workers = Supervisor(settings, tmp_path, PRODUCT, env=held_back)
    workers.start("w1")
    workers.wait_ready("w1")
    time.sleep((BEGIN_AT_S - time.time()) % 60)
    with Traffic(settings, gauges(Topics(fresh_prefix), settings.partitions), 0.1) as traffic:
        while len(traffic.acknowledged) < UNDER_WAY * len(CITIES):
            time.sleep(0.02)
        outage(own_broker, OUTAGE_S)
        ended_meanwhile = dict(workers.ended)
        workers.wait_ready("w1")
        time.sleep(4)
    await_decided(settings)
    codes = workers.stop()
    verdict = judged(settings, traffic, region)
    print(
        f"\nbroker away for {OUTAGE_S:.0f} s, request timeout {REQUEST_TIMEOUT_S:.0f} s, ended on their own {dict(workers.ended)}; {verdict}"
    )
    assert ended_meanwhile, workers.tails()
    assert set(workers.ended) == {ExitCode.RESTART}, workers.tails()
    log = (tmp_path / "w1.log").read_text("utf-8")
    assert "was not acknowledged: no answer for 4." in log
    assert "start it again" in log
    assert "stood still" not in log, "a start that waited for the broker goes on when it is there"
    assert codes == {"w1": 0}, workers.tails()
    assert verdict.clean, f"{verdict}\n{workers.tails()}"
    assert verdict.figures["behind the journal's end"] <= settings.partitions
    assert verdict.figures["late"] > 0
    too_late, on_cities = [], set()
    for city in CITIES:
        for one in read_all(own_broker.bootstrap, Topics(fresh_prefix).city(city))[0]:
            on_cities.add((one.key(), one.value()))
            body = json.loads(one.value())
            if body.get("level", "none") != "none" and "expires_at" in body and one.timestamp()[1] > from_text(body["expires_at"]):
                too_late.append((one.timestamp()[1], body))
    assert too_late == []
    late = {(one.key(), one.value()) for one in read_all(own_broker.bootstrap, Topics(fresh_prefix).warnings_late)[0]}
    assert not late & on_cities


def test_a_worker_that_finds_no_broker_asks_to_be_started_again(lonely: Worker) -> None:
    assert lonely.process.wait(60) == ExitCode.RESTART
    assert "no Kafka broker answers at 127.0.0.1:9" in lonely.tail()
