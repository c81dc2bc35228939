"""What waits on a gateway's disk goes to a real Kafka: nothing that Kafka refuses for ever stops the rest, and what is new waits for no long drain."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from prometheus_client import generate_latest

from stream.cluster import Cluster
from stream.gateways import draining
from stream.gateways.aside import Aside, Line
from stream.gateways.kept import Kept, encode
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool, SpoolFull
from stream.gateways.verdict import ToDoor, Verdict
from stream.runtime.topic_admin import create
from stream.runtime.topics import Topics, plan
from tests.runtime.lane import read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = pytest.mark.kafka
SHORT_BYTES = 2_000
"""What the door of these tests takes; usually it is far more."""
WAIT_S = 60.0


def water(number: int, length: int = 0) -> Kept:
    return Kept("water", b"one station", b"%d" % number + b" " * length)


def stored(folder: Path, payloads: Sequence[bytes]) -> None:
    """As an earlier process left them."""
    spool = Spool(folder)
    for start in range(0, len(payloads), 500):
        spool.append(payloads[start : start + 500], 1_000)
    spool.close()


def at_door(settings: Settings) -> list[int]:
    """The numbers on the door of water, of all its partitions one after the other."""
    found = read_all(settings.bootstrap, Topics(settings.prefix).doors[0], settings.partitions)
    return [int(one.value()) for part in found for one in part]


def aside(folder: Path) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in (folder / "aside.jsonl").read_bytes().splitlines()]


def lane(broker: Broker, prefix: str, **changes: Any) -> Settings:
    """Topics, of which the door of water takes only short batches."""
    settings = toy_settings(broker.bootstrap, prefix, **changes)
    create(Cluster(broker.bootstrap), plan(settings, ()))
    change = ConfigEntry("max.message.bytes", str(SHORT_BYTES), incremental_operation=AlterConfigOpType.SET)
    door = ConfigResource(ResourceType.TOPIC, Topics(prefix).doors[0], incremental_configs=[change])
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.incremental_alter_configs([door]).values():
        done.result(WAIT_S)
    return settings


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not look():  # noqa: ASYNC110  (what is looked at has no event)
            await asyncio.sleep(0.05)


async def drained(settings: Settings, folder: Path) -> GatewayMetrics:
    """Let a sender bring to Kafka what lies in the folder."""
    metrics = GatewayMetrics()
    sender = Sender(settings, Spool(folder), metrics=metrics, patience_s=3.0)
    await sender.start()
    await until(lambda: sender.pending == 0)
    assert sender.reachable, sender.why
    await sender.stop()
    return metrics


async def test_a_record_kafka_never_takes_is_set_aside_with_the_reason_and_the_rest_goes_on_in_order(
    broker: Broker, fresh_prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = lane(broker, fresh_prefix)
    long = water(50, 3 * SHORT_BYTES)
    stored(tmp_path, [encode(one) for one in [*map(water, range(50)), long, *map(water, range(51, 300))]])
    metrics = await drained(settings, tmp_path)
    assert at_door(settings) == [*range(50), *range(51, 300)], "each once, in order, but for the long one"
    (kept,) = aside(tmp_path)
    assert (kept.family, kept.key, kept.value) == (long.family, long.key, long.value)
    assert "MessageSizeTooLarge" in kept.why
    assert "set aside, Kafka never takes it: MessageSizeTooLarge" in caplog.text
    exposed = generate_latest(metrics.registry).decode()
    assert 'tocsin_gateway_set_aside_records_total{way="live"} 1.0' in exposed
    assert 'tocsin_gateway_drained_records_total{way="live"} 299.0' in exposed
    assert f'tocsin_gateway_spool_aside_bytes{{way="live"}} {(tmp_path / "aside.jsonl").stat().st_size:.1f}' in exposed
    assert 'tocsin_gateway_link_breaks_total{way="live"}' not in exposed, "Kafka was there all the time"


async def test_what_no_door_or_no_version_knows_is_set_aside_too(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    stored(tmp_path, [b"\xc1 what is this", encode(water(1)), encode(Kept("snow", None, b"2", (("a", b"b"),))), encode(water(3))])
    await drained(settings, tmp_path)
    assert at_door(settings) == [1, 3]
    unknown, snow = aside(tmp_path)
    assert (unknown.family, unknown.value) == ("", b"\xc1 what is this")
    assert (snow.family, snow.value, snow.headers) == ("snow", b"2", (("a", b"b"),))
    assert "there are ['air', 'health', 'water']" in snow.why


async def test_a_missing_topic_is_made_anew_and_nothing_is_set_aside(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane(broker, fresh_prefix)
    stored(tmp_path, [encode(water(number)) for number in range(5)])
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.delete_topics([Topics(fresh_prefix).doors[0]]).values():
        done.result(WAIT_S)
    await drained(settings, tmp_path)
    assert at_door(settings) == list(range(5))
    assert not (tmp_path / "aside.jsonl").exists()


async def test_one_that_is_handed_in_now_and_never_taken_harms_none_of_the_others(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = lane(broker, fresh_prefix)
    sender = Sender(settings, Spool(tmp_path), patience_s=3.0)
    await sender.start()
    records = [water(1), water(2, 3 * SHORT_BYTES), water(3)]
    answers = await asyncio.gather(*(sender.send([ToDoor(one.family, one.value, (0,))], one.key) for one in records))
    assert set(answers) <= {Verdict.ACCEPTED, Verdict.STORED}
    assert answers[1] is Verdict.STORED, "nothing more is known of it at that moment"
    await until(lambda: sender.ready and sender.reachable and sender.pending == 0)
    assert await sender.send([ToDoor("water", b"4", (0,))], b"one station") is Verdict.ACCEPTED
    await sender.stop()
    assert list(dict.fromkeys(at_door(settings))) == [1, 3, 4]
    assert [one.value for one in aside(tmp_path)] == [records[1].value]


async def test_after_a_long_outage_what_is_new_goes_at_once_and_what_waits_follows_no_faster_than_agreed(
    broker: Broker, fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "WAIT_S", 0.5)
    settings = toy_settings(broker.bootstrap, fresh_prefix, drain_bytes_per_s=1_000_000)
    stored(tmp_path, [encode(water(number, 1_000)) for number in range(3_000)])
    sender = Sender(settings, Spool(tmp_path), patience_s=3.0)
    began = time.monotonic()
    await sender.start()
    slowest, number = 0.0, 10_000
    while sender.pending:
        since = time.monotonic()
        assert await sender.send([ToDoor("water", b"%d" % number, (0,))], b"one station") is Verdict.ACCEPTED, "it does not go behind"
        slowest = max(slowest, time.monotonic() - since)
        number += 1
        await asyncio.sleep(0.02)
    took_s = time.monotonic() - began
    await sender.stop()
    found = at_door(settings)
    assert [one for one in found if one < 10_000] == list(range(3_000)), "what waited arrives once, in its order"
    assert [one for one in found if one >= 10_000] == list(range(10_000, number))
    assert found.index(10_000) < found.index(1_000), "the newest did not wait for all of it"
    print(f"\n3 MB at 1 MB/s: {took_s:.1f} s; the slowest of {number - 10_000} new ones {slowest * 1000:.0f} ms")
    assert took_s > 2.5
    assert slowest < 1.0


async def test_a_short_outage_keeps_the_order_and_what_is_new_goes_behind(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, drain_bytes_per_s=100_000)
    stored(tmp_path, [encode(water(number, 1_000)) for number in range(300)])
    sender = Sender(settings, Spool(tmp_path), patience_s=1.5)
    await sender.start()
    answers = [await sender.send([ToDoor("water", b"%d" % number, (0,))], b"one station") for number in range(300, 310)]
    assert set(answers) == {Verdict.STORED}
    await until(lambda: sender.pending == 0)
    await sender.stop()
    assert at_door(settings) == list(range(310))


async def test_a_disk_that_fails_while_it_drains_stops_nothing_new(
    broker: Broker, fresh_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix)
    stored(tmp_path, [encode(water(1)), b"\xc1 has to be set aside", encode(water(2))])

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    with monkeypatch.context() as broken:
        broken.setattr(Aside, "keep", fails)
        sender = Sender(settings, Spool(tmp_path), patience_s=3.0)
        await sender.start()
        await until(lambda: sender._direct)
        assert await sender.send([ToDoor("water", b"3", (0,))], b"one station") is Verdict.ACCEPTED
        assert (sender.reachable, sender.pending) == (True, 3), "what waits is still there"
    await until(lambda: sender.pending == 0)
    await sender.stop()
    assert set(at_door(settings)) == {1, 2, 3}
    assert [one.value for one in aside(tmp_path)] == [b"\xc1 has to be set aside"]


def test_a_line_that_was_cut_short_spoils_none_after_it_and_all_of_them_count_towards_the_bound(tmp_path: Path) -> None:
    spool = Spool(tmp_path, bytes_max=1_000)
    spool.aside.keep(encode(water(1)), "first", 5)
    whole = spool.aside.size
    os.truncate(tmp_path / "aside.jsonl", whole - 10)
    spool.aside.keep(encode(water(2, 500)), "second", 6)
    _, second = (tmp_path / "aside.jsonl").read_bytes().splitlines()
    assert msgspec.json.decode(second, type=Line) == Line(6, "second", "water", b"one station", water(2, 500).value, ())
    with pytest.raises(SpoolFull, match=r"are set aside, 2.. more would pass the bound of 1000"):
        spool.append([b"x" * 200], 7)
    (tmp_path / "aside.jsonl").unlink()  # somebody has looked
    spool.append([b"x" * 200], 8)
    spool.close()
