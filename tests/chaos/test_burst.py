"""A gateway that was away for a day hands in what it kept of one station, all at once: nothing may stand still for so long that it seems dead."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from stream.runtime.topics import REJECTED_PARTITIONS, Topics
from tests.chaos.processes import Supervisor
from tests.chaos.rivers import PRODUCT, rivers, set_up_rivers
from tests.runtime.lane import door_producer, read_all, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
A_DAY_S = 86_400
ARRAY = 2_400
STAGE_M, FLOOD_M = 1.0, 5.5
WITHIN_S = 150
"""A day of seconds takes some 10 s to decide, and every machine has its bad days."""


def stages(gauge: str, first_at: int, values: list[float]) -> bytes:
    """A door message: a value a second."""
    return json.dumps(
        [{"series": f"{gauge}/stage", "observed_at": first_at + second, "value": value} for second, value in enumerate(values)]
    ).encode()


def wait_for_warning(settings: Settings, city: str) -> None:
    until = time.monotonic() + WITHIN_S
    while not any(
        one.value() for one in read_all(settings.bootstrap, Topics(settings.prefix).city(city))[0] if b'"msg_type"' in one.value()
    ):
        assert time.monotonic() < until, f"{city} was not warned"
        time.sleep(0.5)


def test_a_day_of_one_station_handed_in_at_once_ends_no_worker_and_the_floods_behind_it_are_told(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    set_up_rivers(settings, rivers(spreading=False))
    door, now = Topics(fresh_prefix).doors[0], int(time.time())
    producer = door_producer(settings)
    for first in range(0, A_DAY_S, ARRAY):
        producer.produce(door, stages("r0g0", now - A_DAY_S + first, [STAGE_M + (at % 7) / 100 for at in range(ARRAY)]), partition=0)
    producer.produce(door, stages("r0g0", now, [FLOOD_M] * 3), partition=0)
    producer.produce(door, stages("r5g0", now, [FLOOD_M] * 3), partition=1)
    assert producer.flush(30) == 0
    # Deciding begins when all of it stands in the journal, in one piece.
    workers = Supervisor(settings, tmp_path, PRODUCT, env={"TOCSIN_FAILPOINT": "after_assign=pause:8"})
    workers.start("w1")
    wait_for_warning(settings, "r5g0")
    wait_for_warning(settings, "r0g0")
    ended = dict(workers.ended)
    assert workers.stop() == {"w1": 0}, workers.tails()
    assert ended == {}, workers.tails()
    assert not any(read_all(settings.bootstrap, Topics(settings.prefix).rejected, REJECTED_PARTITIONS))
