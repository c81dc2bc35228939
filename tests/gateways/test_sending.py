"""A gateway's sender with a real Kafka that is there, is killed, and comes back: what it said it has is in the doors, once or more, in order."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal
import threading
import time
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import generate_latest

from stream.errors import TocsinError
from stream.gateways import sending
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.sending import Sender
from stream.gateways.shelf import Shelf
from stream.gateways.spool import Spool, SpoolFull
from stream.gateways.verdict import ToDoor, Verdict
from stream.runtime.broker import Broker
from stream.runtime.topics import Topics
from tests.runtime.lane import read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from stream.settings import Settings

NOBODY = "127.0.0.1:9"
PATIENCE_S = 2.0
WAIT_S = 60.0


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that these tests kill; each leaves it running."""
    with Broker.start(tmp_path_factory.mktemp("mortal")) as broker:
        yield broker


@asynccontextmanager
async def sender(settings: Settings, folder: Path | None, **changes: Any) -> AsyncIterator[Sender]:
    one = Sender(settings, Spool(folder) if folder is not None else None, **{"patience_s": PATIENCE_S, **changes})
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not look():  # noqa: ASYNC110  (what is looked at has no event)
            await asyncio.sleep(0.05)


def water(number: int, length: int = 0) -> list[ToDoor]:
    return [ToDoor("water", b"%d" % number + b" " * length, (0,))]


def found(settings: Settings, family: str = "water") -> list[list[int]]:
    """The numbers on a door, by partition."""
    topic = Topics(settings.prefix).doors[("water", "air", "health").index(family)]
    return [[int(one.value()) for one in part] for part in read_all(settings.bootstrap, topic, settings.partitions)]


def firsts(numbers: list[int]) -> list[int]:
    """Each number where it stands for the first time."""
    return list(dict.fromkeys(numbers))


@pytest.mark.kafka
async def test_what_kafka_took_is_accepted_and_stands_at_the_door_of_its_family(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    metrics = GatewayMetrics()
    async with sender(settings, tmp_path, metrics=metrics) as one:
        assert (one.reachable, one.ready, one.busy, one.why) == (True, True, False, "")
        both = [ToDoor("water", b"1", (0, 2)), ToDoor("health", b"2", (1,))]
        assert await one.send(both) is Verdict.ACCEPTED
        assert await one.send([]) is Verdict.ACCEPTED
        assert (one.pending, one.oldest_at) == (0, None)
        assert set(await asyncio.gather(*(one.send(water(number), b"same") for number in range(10, 500)))) == {Verdict.ACCEPTED}
    assert [sum(found(settings, family), []) for family in ("air", "health")] == [[], [2]]  # noqa: RUF017
    same = max(found(settings), key=len)
    assert [number for number in same if number >= 10] == list(range(10, 500)), "what has one key stays in order"
    assert b'tocsin_gateway_records_total{outcome="accepted",way="live"} 492.0' in generate_latest(metrics.registry)


@pytest.mark.kafka
async def test_other_doors_are_those_that_were_given(broker: Broker, fresh_prefix: str) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    async with sender(settings, None, doors={"rain": Topics(fresh_prefix).doors[1]}) as one:
        assert await one.send([ToDoor("rain", b"7", (0,))]) is Verdict.ACCEPTED
        with pytest.raises(TocsinError, match="doors \\['rain'\\] take"):
            await one.send(water(1))
    assert sum(found(settings, "air"), []) == [7]  # noqa: RUF017


@pytest.mark.kafka
@pytest.mark.slow
async def test_through_a_death_of_kafka_nothing_that_was_answered_for_is_lost_and_order_stays(
    mortal: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(mortal.bootstrap, fresh_prefix)
    said: dict[int, Verdict] = {}
    async with sender(settings, tmp_path) as one:
        ending = asyncio.Event()

        async def station() -> None:
            number = 0
            while not ending.is_set():
                numbers = range(number, number + 20)
                answers = await asyncio.gather(*(one.send(water(each), b"one station") for each in numbers))
                said.update(zip(numbers, answers, strict=True))
                number += 20
                await asyncio.sleep(0.01)

        work = asyncio.create_task(station())
        await until(lambda: len(said) > 200)
        await asyncio.to_thread(mortal.kill)
        await until(lambda: not one.reachable)
        before = len(said)
        await until(lambda: len(said) > before + 500)
        assert one.pending > 500
        assert one.oldest_at
        assert one.ready
        await asyncio.to_thread(mortal.restart)
        await until(lambda: one.reachable and one.oldest_at is None)
        before = len(said)
        # At once again from the moment on in which nothing waits: a busy machine may need longer for that than 200 records.
        await until(lambda: len(said) > before + 200 and said[max(said)] is Verdict.ACCEPTED)
        ending.set()
        await work
        assert said[max(said)] is Verdict.ACCEPTED
    assert set(said.values()) == {Verdict.ACCEPTED, Verdict.STORED}
    parts = [part for part in found(settings) if part]
    assert len(parts) == 1, "one key is one partition"
    assert firsts(parts[0]) == sorted(said), "all of it, in the order in which it was handed in"
    doubled = sum(count - 1 for count in Counter(parts[0]).values())
    print(f"\n{len(said)} answered for, {Counter(said.values())}, {doubled} arrived twice")
    assert doubled <= 40, "only what was under way when Kafka was lost, and one batch of the disk"


@pytest.mark.kafka
@pytest.mark.slow
async def test_a_kafka_that_hangs_is_one_that_cannot_be_reached(mortal: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(mortal.bootstrap, fresh_prefix)
    async with sender(settings, tmp_path) as one:
        assert await one.send(water(1)) is Verdict.ACCEPTED
        os.kill(mortal.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(PATIENCE_S * 3):
                assert await one.send(water(2)) is Verdict.STORED
                assert await one.send(water(3)) is Verdict.STORED
        finally:
            os.kill(mortal.pid, signal.SIGCONT)
        await until(lambda: one.pending == 0)
        assert await one.send(water(4)) is Verdict.ACCEPTED
    assert {number for part in found(settings) for number in part} == {1, 2, 3, 4}


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_an_earlier_process_stored_goes_first(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    async with sender(toy_settings(NOBODY, fresh_prefix), tmp_path, patience_s=0.5) as one:
        assert (one.reachable, one.ready) == (False, True)
        assert one.why
        for number in range(5):
            assert await one.send(water(number), b"k") is Verdict.STORED
        assert one.pending == 5
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    async with sender(settings, tmp_path) as one:
        await one.send(water(5), b"k")
        await until(lambda: one.pending == 0)
    assert [part for part in found(settings) if part] == [[0, 1, 2, 3, 4, 5]]
    assert Spool(tmp_path).size == 0


async def test_without_a_spool_and_without_kafka_everything_is_refused(fresh_prefix: str) -> None:
    async with sender(toy_settings(NOBODY, fresh_prefix), None, patience_s=0.3) as one:
        assert not one.ready
        with pytest.raises(SpoolFull, match=r"cannot be reached .*, and there is no spool"):
            await one.send(water(1))
        assert one.pending == 0


async def test_a_full_spool_refuses_but_still_takes_what_fits(fresh_prefix: str, tmp_path: Path) -> None:
    metrics = GatewayMetrics()
    one = Sender(toy_settings(NOBODY, fresh_prefix), Spool(tmp_path, bytes_max=1_000), patience_s=0.3, metrics=metrics)
    await one.start()
    assert await one.send(water(1, 800)) is Verdict.STORED
    answers = await asyncio.gather(one.send(water(2, 900)), one.send(water(3, 60)), return_exceptions=True)
    assert isinstance(answers[0], SpoolFull)
    assert answers[1] is Verdict.STORED
    assert one.pending == 2
    await one.stop()
    exposed = generate_latest(metrics.registry).decode()
    for line in (
        'records_total{outcome="stored",way="live"} 2.0',
        'records_total{outcome="refused",way="live"} 1.0',
        'spool_records{way="live"} 2.0',
    ):
        assert f"tocsin_gateway_{line}" in exposed
    oldest = re.search(r'spool_oldest_timestamp_seconds\{way="live"\} (\S+)', exposed)
    assert oldest is not None
    assert 0 < time.time() - float(oldest[1]) < WAIT_S


async def test_a_disk_that_fails_is_a_refusal_not_a_promise(fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sender(toy_settings(NOBODY, fresh_prefix), tmp_path, patience_s=0.3) as one:

        def fails(_: int) -> None:
            raise OSError(errno.EIO, "the disk is broken")

        with monkeypatch.context() as broken:
            broken.setattr(os, "fsync", fails)
            with pytest.raises(SpoolFull, match=r"cannot be written: .*the disk is broken"):
                await one.send(water(1))
        assert await one.send(water(2)) is Verdict.STORED
        assert one.pending == 1


async def test_nothing_is_said_to_be_stored_before_the_disk_says_so(
    fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, may_go_on, asked = os.fsync, threading.Event(), threading.Event()

    def waits(file: int) -> None:
        asked.set()
        assert may_go_on.wait(WAIT_S)
        real(file)

    async with sender(toy_settings(NOBODY, fresh_prefix), tmp_path, patience_s=0.3) as one:
        monkeypatch.setattr(os, "fsync", waits)
        task = asyncio.create_task(one.send(water(1)))
        assert await asyncio.to_thread(asked.wait, WAIT_S)
        await asyncio.sleep(0.2)
        assert not task.done()
        may_go_on.set()
        assert await task is Verdict.STORED


async def test_a_record_that_no_door_takes_is_refused_before_it_could_stop_all_others(fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(NOBODY, fresh_prefix, door_bytes_max=100)
    async with sender(settings, tmp_path, patience_s=0.3) as one:
        with pytest.raises(TocsinError, match="a record of 101 bytes for 'water'"):
            await one.send(water(1, 100))
        assert one.pending == 0


async def test_a_caller_that_went_away_leaves_nothing_behind(fresh_prefix: str, tmp_path: Path) -> None:
    async with sender(toy_settings(NOBODY, fresh_prefix), tmp_path, patience_s=0.3) as one:
        tasks = [asyncio.create_task(one.send(water(number))) for number in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        assert await tasks[0] is Verdict.STORED
        assert await tasks[2] is Verdict.STORED
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        assert (one.pending, one._bytes) == (2, 0)


async def test_many_that_wait_for_the_disk_share_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = Counter[str]()
    real = os.fsync
    shelf = Shelf(Spool(tmp_path), GatewayMetrics())

    def counted(file: int) -> None:
        syncs["fsync"] += 1
        real(file)

    monkeypatch.setattr(os, "fsync", counted)
    outcomes: list[asyncio.Future[Verdict]] = [asyncio.get_running_loop().create_future() for _ in range(1_000)]
    for number, outcome in enumerate(outcomes):
        shelf.put([b"%d" % number], outcome)
    assert set(await asyncio.gather(*outcomes)) == {Verdict.STORED}
    assert await shelf.head(2_000, 1 << 20) == [b"%d" % number for number in range(1_000)]
    await shelf.close()
    assert syncs["fsync"] <= 4


async def test_too_much_under_way_is_busy(fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BUSY_BYTES", 50)
    async with sender(toy_settings(NOBODY, fresh_prefix), tmp_path, patience_s=0.3) as one:
        task = asyncio.create_task(one.send(water(1, 60)))
        await asyncio.sleep(0)
        assert one.busy
        await task
        assert not one.busy
