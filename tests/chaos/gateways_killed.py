"""Kills gateways at every stage and at random, with a real mosquitto, a real Kafka that goes away too, and devices that go on sending.

`python -m tests.chaos.gateways_killed --kills 100` kills each gateway so often, and one on aiomqtt beside them, and says what was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from stream.errors import BrokerError
from stream.records.instants import from_text
from stream.records.journal import Measurements, columns, decode
from stream.region.load import load
from stream.runtime.broker import Broker
from stream.runtime.feeding import await_read
from stream.runtime.ports import free_ports
from stream.runtime.topics import Topics
from tests.chaos.killable import AWAY, STAGES, WAIT_S, Gateway, wait
from tests.chaos.processes import Supervisor
from tests.chaos.rivers import CITIES, PRODUCT, rivers, set_up_rivers
from tests.chaos.senders import Ledger, post, publish
from tests.gateways.mosquitto import Mosquitto
from tests.runtime.lane import journal_entries, read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.settings import Settings
    from tests.chaos.senders import Item

log = logging.getLogger(__name__)
RANDOM, STARTING = "any moment", "while it starts"
TURNS = (*STAGES, RANDOM, STARTING, RANDOM)
OUTAGE_EVERY = 5


class Loss(NamedTuple):
    """What became of what one way was answered for."""

    acknowledged: int
    lost: int
    repeated: int

    def __str__(self) -> str:
        return f"{self.acknowledged} acknowledged, {self.lost} lost, {self.repeated} arrived once more"


class Run(NamedTuple):
    """What a run came to."""

    loss: dict[str, Loss]
    kills: dict[str, Counter[str]]
    answers: dict[str, Counter[str]]
    codes: dict[str, int]
    invented: int
    """In the journal, and no device ever sent it."""
    seconds: float

    def __str__(self) -> str:
        lines = [f"{kind}: {loss}; answers {dict(self.answers[kind])}" for kind, loss in self.loss.items()]
        for kind, kills in self.kills.items():
            lines += [f"{kind}: killed {kills.total()} times", *(f"    {count:4d} {stage}" for stage, count in sorted(kills.items()))]
        return "\n".join([*lines, f"{self.invented} in the journal that nobody sent", f"{self.seconds:.0f} s"])


def kill_one(gateway: Gateway, stage: str, draw: random.Random) -> None:
    """Once, at a stage that is reached while Kafka is there, while it starts, or at any moment."""
    if stage in STAGES and gateway.kind != "aiomqtt":  # which has no stages: it has acknowledged before all of them
        gateway.start(f"{stage}=kill:{draw.randint(1, 8)}")
        gateway.die_at(stage)
        return
    gateway.start()
    if stage != STARTING:
        gateway.wait_ready()
    time.sleep(draw.uniform(0.0, 1.5))
    gateway.kill(STARTING if stage == STARTING else RANDOM)


def outage(broker: Broker, gateways: Sequence[Gateway], draw: random.Random) -> None:
    """Kafka dies; each of ours dies before and after it has stored something, and when Kafka is back and it has sent something of that."""
    *gateways, usual = gateways
    storing, stored, drained = AWAY
    for one in gateways:
        one.start(f"{storing}=kill:{draw.randint(1, 5)}")
    for one in gateways:
        one.wait_ready()
    time.sleep(1.0)
    broker.kill()
    for one in gateways:
        one.die_at(storing)
        one.start(f"{stored}=kill:{draw.randint(1, 5)}")
    for one in gateways:
        one.die_at(stored)
        one.start(f"{drained}=kill:1")
    time.sleep(draw.uniform(0.0, 3.0))
    broker.restart()
    for one in gateways:
        one.die_at(drained)
    kill_one(usual, RANDOM, draw)


def run(folder: Path, kills: int, seed: int = 7) -> Run:
    """Each gateway killed `kills` times or a few more, and what was answered for looked up in the journal (for aiomqtt's at the door)."""
    began, draw = time.monotonic(), random.Random(seed)
    with Broker.start(folder / "kafka") as broker:
        mosquitto = Mosquitto(folder / "mosquitto")
        settings = toy_settings(broker.bootstrap, "t.killed.", tick_s=2.0)
        usual = msgspec.structs.replace(settings, prefix="t.usual.")
        for one in (settings, usual):
            set_up_rivers(one, rivers())
        port = free_ports("127.0.0.1")[0]
        ours = [
            Gateway("http", settings, folder, [str(port), str(folder / "http")]),
            Gateway("mqtt", settings, folder, [str(mosquitto.port), str(folder / "mqtt")]),
        ]
        gateways = [*ours, Gateway("aiomqtt", usual, folder, [str(mosquitto.port)])]
        try:
            for one in gateways:
                one.start()
            for one in gateways:
                one.wait_ready()
            with Devices(mosquitto, port) as devices:
                turn = 0
                while min(one.kills.total() for one in ours) < kills:
                    kill_all(gateways, TURNS[turn % len(TURNS)], draw)
                    if turn % OUTAGE_EVERY == 2:
                        outage(broker, gateways, draw)
                    turn += 1
                    log.info("killed: %s", {one.kind: one.kills.total() for one in gateways})
                for one in gateways:
                    one.start()
                for one in gateways:
                    one.wait_ready()
            everything = devices.http.acknowledged | devices.mqtt.acknowledged
            wait(
                lambda: everything <= at_doors(settings).keys(),
                lambda: f"{len(everything - at_doors(settings).keys())} are not at the doors",
            )
            codes = {one.kind: one.stop() for one in ours}
            found, came, usually = journalled(settings, folder), at_doors(settings), at_rest(usual)
        finally:
            for one in gateways:
                one.close()
            mosquitto.stop()
    ledgers = {"http": devices.http, "mqtt": devices.mqtt, "aiomqtt": devices.mqtt}
    there = {"http": (found, came), "mqtt": (found, came), "aiomqtt": (usually, usually)}
    loss = {kind: lost(ledger, *there[kind]) for kind, ledger in ledgers.items()}
    answers = {kind: ledger.answers for kind, ledger in ledgers.items()}
    invented = len(found.keys() - devices.http.sent - devices.mqtt.sent)
    return Run(loss, {one.kind: one.kills for one in gateways}, answers, codes, invented, time.monotonic() - began)


class Devices:
    """Three that post and one that publishes, as long as the context lasts."""

    def __init__(self, mosquitto: Mosquitto, port: int) -> None:
        self.http, self.mqtt = Ledger(), Ledger()
        begins_at = time.time_ns() // 1_000_000 - 1_800_000
        work = [(post, port, CITIES[number::6], begins_at, self.http) for number in range(3)]
        work.append((publish, mosquitto, CITIES[3::6], begins_at, self.mqtt))
        self._threads = ThreadPoolExecutor(len(work))
        self._work = [self._threads.submit(*one) for one in work]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.ending.set()
        self.mqtt.ending.set()
        for one in self._work:
            one.result(WAIT_S)
        self._threads.shutdown()


def kill_all(gateways: Sequence[Gateway], stage: str, draw: random.Random) -> None:
    """Each once, side by side."""
    draws = [random.Random(draw.random()) for _ in gateways]
    with ThreadPoolExecutor(len(gateways)) as threads:
        list(threads.map(kill_one, gateways, [stage] * len(gateways), draws))


def at_doors(settings: Settings) -> Counter[Item]:
    """How often each measurement stands at the door."""
    found: Counter[Item] = Counter()
    for part in read_all(settings.bootstrap, Topics(settings.prefix).doors[0], settings.partitions):
        for record in part:
            body = json.loads(record.value())
            for one in body if isinstance(body, list) else [body]:
                found[f"{one['station']}/{one['quantity']}", from_text(one["observed_at"])] += 1
    return found


def at_rest(settings: Settings) -> Counter[Item]:
    """The same when no more comes."""
    before, found = None, at_doors(settings)
    while before != found:
        time.sleep(2)
        before, found = found, at_doors(settings)
    return found


def journalled(settings: Settings, folder: Path) -> Counter[Item]:
    """How often each measurement is in the journal, when a worker has read the doors."""
    workers = Supervisor(settings, folder, PRODUCT)
    try:
        workers.start("worker")
        workers.wait_ready("worker")
        asyncio.run(await_read(settings, Topics(settings.prefix).doors))
    except BrokerError as error:
        error.add_note(f"{dict(workers.ended)}\n{workers.tails()}")
        raise
    finally:
        workers.stop()
    series = load(rivers()).series.ids
    found: Counter[Item] = Counter()
    for entries in journal_entries(settings.bootstrap, settings.prefix, settings.partitions):
        for entry in entries:
            message = decode(entry.value)
            if isinstance(message, Measurements):
                arrays = columns(message)
                found.update((series[row], int(at)) for row, at in zip(arrays.rows, arrays.observed_at, strict=True))
    return found


def lost(ledger: Ledger, found: Counter[Item], came: Counter[Item]) -> Loss:
    """`found`: where what was answered for has to be. `came`: at the doors, for a worker that starts again repeats in the journal what it read."""
    missing = ledger.acknowledged - found.keys()
    return Loss(len(ledger.acknowledged), len(missing), sum(came[item] - 1 for item in ledger.acknowledged if item in came))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how often each gateway is killed")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with tempfile.TemporaryDirectory() as temporary:
        print(run(Path(temporary), given.kills, given.seed))
