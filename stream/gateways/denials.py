"""Who was not heard at a gateway, for the topic `audit`: what is the same is told once in some seconds, with how often it was.

Anybody who reaches the port can be refused as often as he likes, and must not fill a topic that is kept for two years: in each period so many
kinds of refusals of known senders are told apart, so many of unknown ones, and what is beyond is only counted. Unknown ones take no room from known
ones. Nothing is lost in the sum: the `measurements` of all entries are all refusals.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import TYPE_CHECKING, NamedTuple

from stream.accept.refusal import IDENTITY, Refused
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool, SpoolFull
from stream.gateways.verdict import ToDoor
from stream.records.audit import AuditEntry
from stream.records.instants import to_text
from stream.runtime.topics import Topics
from stream.warnings.envelope import of_audit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stream.gateways.metrics import GatewayMetrics
    from stream.gateways.verdict import Judged
    from stream.records.lanes import Lane
    from stream.settings import Settings

log = logging.getLogger(__name__)
WAY = "audit"
PERIOD_S = 10.0
KINDS_MOST = 20
"""Of known senders, and again of unknown ones, in a period: at most four entries a second, whatever is sent."""
UNSENT_MOST = 500
"""Entries that are kept while neither Kafka nor the disk takes them; then the oldest go. All of them stand in the log."""
SPOOL_BYTES = 16 << 20
"""Hours of the most that is ever told."""
BY = "gateway"


class Denied(NamedTuple):
    """One refusal: why, and who it is as far as is known. `proven`: what was shown is that principal's; `shown`: the beginning of its SHA-256 (hex)."""

    reason: Refused
    detail: str
    principal: str = ""
    key_id: str = ""
    proven: bool = False
    shown: str = ""
    remote: str = ""

    @property
    def kind(self) -> tuple[object, ...]:
        """What is told together. Not what was shown: whoever guesses shows something else each time."""
        return self.reason, self.principal, self.key_id, self.proven, self.remote


class _Told(NamedTuple):
    """The first refusal of a kind, when it was (ms), and how many there were."""

    denied: Denied
    at: int
    times: int


_ROOM = {True: KINDS_MOST, False: KINDS_MOST}
"""Kinds that are told apart in a period, of senders that have shown who they are, and of others."""


class Tally:
    """The refusals of one period, by kind, in bounded memory."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[object, ...], _Told] = {}
        self._room = dict(_ROOM)

    def note(self, denied: Denied, at: int, count: int = 1) -> None:
        """Count a refusal."""
        known = denied.kind in self._kinds
        if not known and not self._room[denied.proven]:
            detail = f"more than {KINDS_MOST} kinds of refusals of {'known' if denied.proven else 'unknown'} senders"
            denied = Denied(Refused.MANY, detail, proven=denied.proven)
        elif not known:
            self._room[denied.proven] -= 1
        first = self._kinds.get(denied.kind, _Told(denied, at, 0))
        self._kinds[denied.kind] = first._replace(times=first.times + count)

    def take(self) -> list[_Told]:
        """What was counted; from now on it is counted anew."""
        told, self._kinds, self._room = list(self._kinds.values()), {}, dict(_ROOM)
        return told


def denials_spool(folder: Path) -> Spool:
    """Where entries wait for Kafka, within the gateway's folder."""
    return Spool(folder / WAY, bytes_max=SPOOL_BYTES)


class Denials:
    """Writes the entries of one gateway process. `note` and `items` only count; `run` tells."""

    def __init__(self, settings: Settings, metrics: GatewayMetrics, spool: Spool | None = None, *, period_s: float = PERIOD_S) -> None:
        self._lane: Lane = settings.lane
        self._period_s = period_s
        self._denied = metrics.denied
        self._sender = Sender(settings, spool, doors={WAY: Topics(settings.prefix).audit}, metrics=metrics, way=WAY)
        self._tally = Tally()
        self._unsent: list[ToDoor] = []
        self._name = f"{BY}/{settings.instance}/{secrets.token_hex(4)}"
        self._number = 0

    def note(self, denied: Denied, at: int, count: int = 1) -> None:
        """Count a refusal at this instant (ms)."""
        self._denied.labels(denied.reason).inc(count)
        self._tally.note(denied, at, count)

    def items(self, judged: Iterable[Judged], principal: str, remote: str, at: int) -> None:
        """Count what was refused of a payload because of who sent it: a principal that has shown who it is ("" = nobody had to), and from where.

        Of unknown senders' words nothing is kept: at the health door they could be about a person.
        """
        found: dict[Refused, list[Judged]] = {}
        for one in judged:
            if one.reason in IDENTITY:
                found.setdefault(one.reason, []).append(one)
        for reason, some in found.items():
            detail = some[0].error if principal else ""
            self.note(Denied(reason, detail, principal, proven=bool(principal), remote=remote), at, len(some))

    async def run(self) -> None:
        """Tell what was counted, period by period, until cancelled; then once more."""
        try:
            await self._sender.start()
            while True:
                await asyncio.sleep(self._period_s)
                await self._tell()
        finally:
            await self._tell()
            await self._sender.stop()

    async def _tell(self) -> None:
        for one in self._tally.take():
            entry = self._entry(one)
            log.warning("refused %d times: %s %s of %r at %s", one.times, entry.reason, entry.detail, entry.principal, entry.remote)
            made = of_audit(entry, sent_at=one.at)
            self._unsent.append(ToDoor(WAY, made.value or b"", (), made.key, made.headers))
        if len(self._unsent) > UNSENT_MOST:
            log.error("%d entries for the topic audit are given up; they stand in this log", len(self._unsent) - UNSENT_MOST)
            del self._unsent[:-UNSENT_MOST]
        if self._unsent:
            try:
                await self._sender.send(self._unsent)
            except SpoolFull as error:
                log.warning("%d entries for the topic audit wait: %s", len(self._unsent), error)
            else:
                self._unsent = []

    def _entry(self, one: _Told) -> AuditEntry:
        self._number += 1
        denied = one.denied
        return AuditEntry(
            audit_id=f"{self._name}/{self._number}",
            reason=denied.reason.value,
            detail=denied.detail,
            by=BY,
            at=to_text(one.at),
            principal=denied.principal,
            lane=self._lane,
            proven=denied.proven,
            key_id=denied.key_id,
            measurements=one.times,
            remote=denied.remote,
            shown=denied.shown,
        )
