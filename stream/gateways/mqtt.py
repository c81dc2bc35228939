"""From an MQTT broker into the doors: what devices publish is acknowledged to the broker only after Kafka or the disk has it.

Several gateways share the load by disjoint topic filters; or two take all of it, each with a client id of its own, and the fold drops what comes
twice. Nobody can be answered on MQTT: what is refused goes to `rejected` with its reason before it is acknowledged, for it would be refused again.
"""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zlib import crc32

from stream.gateways.dialect import Asked, dialect
from stream.gateways.judging import HEALTH, Judge, Seen
from stream.gateways.last_seen import LastSeen
from stream.gateways.mqtt_refused import kept
from stream.gateways.mqtt_speakers import Speakers
from stream.gateways.spool import SpoolFull
from stream.gateways.verdict import Item, Verdict
from stream.health.tracing import span
from stream.runtime.clocks import wall_ms
from stream.runtime.collector import settle

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Protocol

    from stream.gateways.denials import Denials
    from stream.gateways.mapping import Mapping
    from stream.gateways.mqtt_link import Delivery, Link
    from stream.gateways.mqtt_metrics import MqttMetrics
    from stream.gateways.mqtt_speakers import Speaker
    from stream.gateways.verdict import Judged, ToDoor, Wrong
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
STATIONS = 10_000
REFUSALS_TOLD = 3
"""Of a share of a batch; all of them are counted, and kept on `rejected`."""
KEPT_BYTES_MAX = 262_144
"""So much of a refused payload is kept at most: as much as the doors take in one message unless told otherwise."""
MAY_COUNT_CASES = frozenset({"tocsin_json", "csv_rows"})
"""The dialects in which case counts can be written; in all others the mapping says what is measured."""
Got = TypeVar("Got")


class Share(NamedTuple):
    """Messages of a batch that go on together: of the same topics, said by the same one, in one dialect.

    `name`: what the sender is shown as, that of the dialect where only its network server is known.
    """

    number: int
    name: str
    dialect: str
    speaker: Speaker


class Handed(NamedTuple):
    """What a share of a batch came to: the records for the doors, and those of what was refused."""

    records: list[ToDoor]
    refused: list[ToDoor]


class Senders(NamedTuple):
    """Where things go: to the doors and to `rejected`; and who was not heard, to `audit`."""

    sender: Sending
    denials: Denials


class MqttGateway:
    """Takes batches from the link, hands them on, acknowledges them. `run` until told to stop."""

    def __init__(self, settings: Settings, link: Link, senders: Senders, mapping: Mapping, metrics: MqttMetrics) -> None:
        self._settings = settings
        self._link = link
        self._sender, self._denials = senders
        self._mapping = mapping
        self._metrics = metrics
        self._remembered = Seen()
        self._judge: Judge | None = None
        self._speakers = Speakers((), settings.lane)
        self._cases = False
        self.known = asyncio.Event()
        """There is an active region. Without any nothing is judged, for all would be refused; what comes stays with the broker."""
        self.seen = LastSeen(STATIONS)
        metrics.every.watch_clocks(self.seen.clocks.count)

    async def take_regions(self, regions: tuple[Region, ...]) -> None:
        """Judge by these from now on."""
        if not regions:
            self._judge = None
            self.known.clear()
            return
        self._judge = await asyncio.to_thread(Judge, regions, self._settings, self._remembered)
        self._speakers = Speakers([one for region in regions for one in region.principals], self._settings.lane)
        self._cases = any(HEALTH in domain.families for region in regions for domain in region.domains)
        settle()  # else Python's collector walks through all regions again and again
        self.known.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; the batch in hand is finished first, if that can be done."""
        while batch := await _unless(stopping, self._link.take(BATCH_MOST)):
            if await _unless(stopping, self.known.wait()) and (judge := self._judge) is not None:
                await self._pass_on(judge, batch, stopping)

    async def _pass_on(self, judge: Judge, batch: list[Delivery], stopping: asyncio.Event) -> None:
        shares: dict[Share, list[Delivery]] = {}
        for one in batch:
            speaker, named = self._speakers.of(one.topic), self._mapping.dialect_of(one.topic)
            shares.setdefault(Share(crc32(one.topic.encode()) % SHARES, speaker.name or named, named, speaker), []).append(one)
        handed = {share: self._judged(judge, share, some) for share, some in shares.items()}
        waiting: dict[bytes | None, list[ToDoor]] = {
            f"{share.number}/{share.name}/{share.dialect}".encode(): one.records for share, one in handed.items()
        }
        waiting[None] = [record for one in handed.values() for record in one.refused]
        with span("mqtt", topic=batch[0].topic, records=len(batch)):
            sent = await self._sent(waiting, batch, stopping)
        if not sent:
            return
        self._link.acknowledge(batch)
        self._metrics.messages.labels("acknowledged").inc(len(batch))
        for said in handed.values():
            judge.remember(said.records)

    def _judged(self, judge: Judge, share: Share, messages: list[Delivery]) -> Handed:
        now, decode = wall_ms(), dialect(share.dialect).decode
        found: list[Item | Wrong] = []
        begins: list[int] = []
        for one in messages:
            begins.append(len(found))
            found += decode(one.payload, Asked(one.topic, self._mapping))
        judged, records = judge.judge(found, now, share.speaker.may)
        self._metrics.every.count(judged)
        self._denials.items(judged, share.speaker.principal, "", now)
        self.seen.note(share.name, found, judged, now, judge.zone_of)
        wrong: dict[int, list[Judged]] = {}
        for said in judged:
            if said.verdict is Verdict.REJECTED:
                wrong.setdefault(bisect_right(begins, said.item) - 1, []).append(said)
        refused: list[ToDoor] = []
        for at, some in wrong.items():
            hidden = any(self._hides(judge, share, found[said.item]) for said in some)
            most = 0 if hidden else min(KEPT_BYTES_MAX, self._settings.door_bytes_max)
            refused.append(kept(messages[at].topic, messages[at].payload, some, most=most))
        _tell([said for some in wrong.values() for said in some], share.name)
        return Handed(records, refused)

    def _hides(self, judge: Judge, share: Share, one: Item | Wrong) -> bool:
        """Whether it is about case counts, or may be for all that can be read of it."""
        if isinstance(one, Item):
            return judge.family_of(one.fields) == HEALTH
        return self._cases and share.speaker.cases and share.dialect in MAY_COUNT_CASES

    async def _sent(self, waiting: dict[bytes | None, list[ToDoor]], batch: list[Delivery], stopping: asyncio.Event) -> bool:
        """Whether all records (by the key they have in common) are in Kafka or on the disk.

        While neither takes them the broker keeps them, and the connection alone ends that.
        """
        while waiting:
            sends = [self._sender.send(records, key) for key, records in waiting.items()]
            for key, outcome in zip(tuple(waiting), await asyncio.gather(*sends, return_exceptions=True), strict=True):
                if isinstance(outcome, Verdict):
                    del waiting[key]
                elif not isinstance(outcome, SpoolFull):
                    raise outcome
            if waiting:
                self._metrics.messages.labels("not_taken").inc(len(batch))
                log.error("neither Kafka nor the disk takes anything; nothing is acknowledged, the broker keeps it")
                if stopping.is_set() or not all(self._link.is_current(one) for one in batch):
                    return False
                await asyncio.sleep(FULL_RETRY_S)
        return True


def _tell(refused: Sequence[Judged], name: str) -> None:
    for said in refused[:REFUSALS_TOLD]:
        log.warning("refused from %s: %s %s", name, said.path, said.error)
    if len(refused) > REFUSALS_TOLD:
        log.warning("and %d more", len(refused) - REFUSALS_TOLD)


async def _unless(stopping: asyncio.Event, work: Coroutine[object, object, Got]) -> Got | None:
    """What `work` gives, None when it is time to stop before that."""
    ending, working = asyncio.ensure_future(stopping.wait()), asyncio.ensure_future(work)
    await asyncio.wait({ending, working}, return_when=asyncio.FIRST_COMPLETED)
    ending.cancel()
    if working.done() and not stopping.is_set():
        return working.result()
    working.cancel()
    return None
