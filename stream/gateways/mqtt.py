"""`tocsin gateway mqtt`: what devices publish to an MQTT broker, into the doors; acknowledged to the broker only after Kafka or the disk has it.

Several gateways share the load by disjoint topic filters; or two take all of it, each with a client id of its own, and the fold drops what comes
twice. Nobody can be answered on MQTT: what is refused is logged, counted by reason and acknowledged, for it would be refused again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zlib import crc32

from stream.errors import TocsinError
from stream.gateways.dialect import Asked, dialect
from stream.gateways.judging import Judge, Seen
from stream.gateways.known_regions import KnownRegions
from stream.gateways.last_seen import LastSeen
from stream.gateways.metrics import LIVE, GatewayMetrics
from stream.gateways.mqtt_link import Link, MqttRefused
from stream.gateways.mqtt_metrics import MqttMetrics
from stream.gateways.mqtt_speakers import OURS, Speakers
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool, SpoolFull
from stream.gateways.verdict import Verdict
from stream.runtime.clocks import wall_ms
from stream.runtime.ending import ExitCode, end_now

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path
    from typing import Protocol

    from stream.gateways.mapping import Mapping
    from stream.gateways.mqtt_link import Delivery, MqttBroker
    from stream.gateways.mqtt_speakers import Speaker
    from stream.gateways.verdict import Item, Judged, ToDoor, Wrong
    from stream.region.model import Region
    from stream.settings import Settings

    class Sending(Protocol):
        """What is needed of `stream.gateways.sending.Sender`."""

        async def send(self, records: Sequence[ToDoor], key: bytes | None = None) -> Verdict:
            """ACCEPTED once Kafka has all of them, STORED once the disk has; raises SpoolFull."""


log = logging.getLogger(__name__)
BATCH_MOST = 1_000
"""Messages that are acknowledged together. Half of what the broker sends ahead, so that it never waits for us with an empty line."""
SHARES = 4
"""What is of one topic goes into one share and so through one partition, in its order; and a batch is not one record alone."""
FULL_RETRY_S = 1.0
ALL_OF_OURS = (f"{OURS}/#",)
STATIONS = 10_000
REFUSALS_TOLD = 3
"""Of a share of a batch; all of them are counted."""
Got = TypeVar("Got")


class Share(NamedTuple):
    """Messages of a batch that go on together: of the same topics, and said by the same one."""

    number: int
    name: str
    speaker: Speaker


class Handed(NamedTuple):
    """What a share of a batch came to: what was said of its items, and the records for the doors."""

    judged: list[Judged]
    records: list[ToDoor]


class MqttOptions(NamedTuple):
    """What this gateway needs besides the settings. Without a `spool` folder nothing is acknowledged while Kafka is away."""

    broker: MqttBroker
    mapping: Mapping
    spool: Path | None = None
    spool_bytes: int = 1 << 30

    @property
    def filters(self) -> tuple[str, ...]:
        """The topics to subscribe to: those of the mapping's sources, or all of Tocsin's own.

        Shared subscriptions are refused: the broker would give a message to one gateway and wait for it, however long that is away.
        """
        found = tuple(one.topic for one in self.mapping.sources) or ALL_OF_OURS
        if shared := [one for one in found if one.startswith("$share/")]:
            msg = f"{shared[0]}: no shared subscriptions; give several gateways disjoint filters, or let each take everything"
            raise TocsinError(msg)
        return found


class MqttGateway:
    """Takes batches from the link, hands them on, acknowledges them. `run` until told to stop."""

    def __init__(self, settings: Settings, link: Link, sender: Sending, mapping: Mapping, metrics: MqttMetrics) -> None:
        self._settings = settings
        self._link = link
        self._sender = sender
        self._mapping = mapping
        self._metrics = metrics
        self._remembered = Seen()
        self._judge: Judge | None = None
        self._speakers = Speakers((), settings.lane)
        self.known = asyncio.Event()
        """There is an active region. Without any nothing is judged, for all would be refused; what comes stays with the broker."""
        self.seen = LastSeen(STATIONS)

    async def take_regions(self, regions: tuple[Region, ...]) -> None:
        """Judge by these from now on."""
        if not regions:
            self._judge = None
            self.known.clear()
            return
        self._judge = await asyncio.to_thread(Judge, regions, self._settings, self._remembered)
        self._speakers = Speakers([one for region in regions for one in region.principals], self._settings.lane)
        self.known.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; the batch in hand is finished first, if that can be done."""
        while batch := await _unless(stopping, self._link.take(BATCH_MOST)):
            if await _unless(stopping, self.known.wait()) and (judge := self._judge) is not None:
                await self._pass_on(judge, batch, stopping)

    async def _pass_on(self, judge: Judge, batch: list[Delivery], stopping: asyncio.Event) -> None:
        shares: dict[Share, list[Delivery]] = {}
        for one in batch:
            speaker = self._speakers.of(one.topic)
            shares.setdefault(Share(crc32(one.topic.encode()) % SHARES, speaker.name, speaker), []).append(one)
        handed = {share: self._judged(judge, share.speaker, some) for share, some in shares.items()}
        if not await self._sent(handed, batch, stopping):
            return
        self._link.acknowledge(batch)
        self._metrics.messages.labels("acknowledged").inc(len(batch))
        for said in handed.values():
            judge.remember(said.records)

    def _judged(self, judge: Judge, speaker: Speaker, messages: list[Delivery]) -> Handed:
        now = wall_ms()
        found: list[Item | Wrong] = []
        for one in messages:
            found += dialect(self._mapping.dialect_of(one.topic)).decode(one.payload, Asked(one.topic, self._mapping))
        judged, records = judge.judge(found, now, speaker.may)
        refused = [said for said in judged if said.verdict is Verdict.REJECTED]
        for said in refused[:REFUSALS_TOLD]:
            log.warning("refused from %s: %s %s", speaker.name or "a device", said.path, said.error)
        if len(refused) > REFUSALS_TOLD:
            log.warning("and %d more", len(refused) - REFUSALS_TOLD)
        self._metrics.every.count(judged)
        self.seen.note(speaker.name or "mqtt", found, judged, now)
        return Handed(judged, records)

    async def _sent(self, handed: dict[Share, Handed], batch: list[Delivery], stopping: asyncio.Event) -> bool:
        """Whether all records are in Kafka or on the disk. While neither takes them the broker keeps them, and the connection alone ends that."""
        waiting = {share: one.records for share, one in handed.items() if one.records}
        while waiting:
            shares = list(waiting)
            sends = [self._sender.send(waiting[one], f"{one.number}/{one.name}".encode()) for one in shares]
            for share, outcome in zip(shares, await asyncio.gather(*sends, return_exceptions=True), strict=True):
                if isinstance(outcome, Verdict):
                    del waiting[share]
                elif not isinstance(outcome, SpoolFull):
                    raise outcome
            if waiting:
                self._metrics.messages.labels("not_taken").inc(len(batch))
                log.error("neither Kafka nor the disk takes anything; nothing is acknowledged, the broker keeps it")
                if stopping.is_set() or not all(self._link.is_current(one) for one in batch):
                    return False
                await asyncio.sleep(FULL_RETRY_S)
        return True


def run_mqtt(settings: Settings, options: MqttOptions) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. MqttRefused where the broker will not have it; all else ends the process (`ExitCode`)."""
    if settings.clock != "broker":
        msg = "a gateway is for lanes in the broker's time; leave out --clock observed"
        raise TocsinError(msg)
    asyncio.run(_run(settings, options))
    return ExitCode.CLEAN


async def _run(settings: Settings, options: MqttOptions) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    metrics = MqttMetrics(GatewayMetrics())
    metrics.every.serve(settings.metrics_port)
    spool = Spool(options.spool / LIVE, bytes_max=options.spool_bytes) if options.spool else None
    sender = Sender(settings, spool, metrics=metrics.every)
    link = Link(options.broker, options.filters, metrics.note, metrics.dropped)
    gateway = MqttGateway(settings, link, sender, options.mapping, metrics)
    regions = KnownRegions(settings, options.spool, gateway.take_regions)
    await sender.start()
    linking = asyncio.ensure_future(link.run())
    parts = [linking, *(asyncio.ensure_future(one) for one in (gateway.run(stopping), regions.run(), _say_ready(link, gateway)))]
    try:
        await asyncio.wait(parts[:-1], return_when=asyncio.FIRST_COMPLETED)
        for one in parts:
            if one.done() and (error := one.exception()) is not None:
                if isinstance(error, MqttRefused):
                    raise error
                end_now(error)  # whatever it is, nothing may be acknowledged after it
        link.stop()
        await linking
        await sender.stop()
    finally:
        for one in parts:
            one.cancel()
        await asyncio.wait(parts)
        metrics.every.stop()


async def _say_ready(link: Link, gateway: MqttGateway) -> None:
    await gateway.known.wait()
    await link.ready()
    print("ready", flush=True)  # noqa: T201


async def _unless(stopping: asyncio.Event, work: Coroutine[object, object, Got]) -> Got | None:
    """What `work` gives, None when it is time to stop before that."""
    ending, working = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(work)
    await asyncio.wait({ending, working}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if working.done() and not stopping.is_set():
        return working.result()
    working.cancel()
    return None
