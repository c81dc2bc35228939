"""What the requests of one HTTP gateway share: its bounds, its judges, where it sends, what it remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from stream.gateways.http_answers import Refusal
from stream.gateways.http_body import Budget
from stream.gateways.idempotency import Keys
from stream.gateways.last_seen import LastSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from stream.gateways.denials import Denials
    from stream.gateways.http_limits import HttpLimits
    from stream.gateways.judging import Judge
    from stream.gateways.mapping import Mapping
    from stream.gateways.metrics import GatewayMetrics
    from stream.gateways.verdict import ToDoor, Verdict


STOPPING = "the gateway is stopping; nothing of this was taken, send it again to this one in a moment, or to another"
NO_REGION = (
    "no region is known: none is active, or Kafka has not been reached since the gateway started; nothing of this was taken, send it again after "
    "Retry-After. If it stays so, its operator looks at the gateway's log and at `tocsin region activate`"
)


class Caller(NamedTuple):
    """Who sends: the name that its station sightings and keys go under, and what it may speak for (series, family); None = everything."""

    name: str
    may: Callable[[str, str], bool] | None = None

    @property
    def shown(self) -> str:
        """Who it has shown to be, "" where nobody has to show anything."""
        return "" if self.may is None else self.name


class Sending(Protocol):
    """What is needed of `stream.gateways.sending.Sender`."""

    @property
    def busy(self) -> bool:
        """Whether senders should be told to wait."""

    @property
    def ready(self) -> bool:
        """Whether something handed in now would be taken."""

    async def send(self, records: Sequence[ToDoor], key: bytes | None = None) -> Verdict:
        """ACCEPTED once Kafka has all of them, STORED once the disk has; raises SpoolFull. What has the same key stays in order."""


class Way(NamedTuple):
    """One way in: the bounds of its requests, whether it is for history, and the dialect that is spoken there ("" = whichever the sender says)."""

    body_bytes: int
    unpacked_bytes: int
    items: int
    bulk: bool = False
    dialect: str = ""


@dataclass(slots=True)
class Gateway:
    """Everything the requests of one process share. `judge` and `bulk_judge` are None until the regions are known."""

    limits: HttpLimits
    mapping: Mapping
    sender: Sending
    bulk_sender: Sending
    who: Callable[[web.Request], Caller]
    metrics: GatewayMetrics
    denials: Denials
    judge: Judge | None = None
    bulk_judge: Judge | None = None
    stopping: bool = False
    keys: Keys = field(init=False)
    seen: LastSeen = field(init=False)
    budget: Budget = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(self.limits.keys_bytes, self.limits.keys_s * 1_000)
        self.seen = LastSeen(self.limits.stations)
        self.metrics.watch_clocks(self.seen.clocks.count)
        self.budget = Budget(self.limits.in_flight_bytes, self.limits.retry_after_s)

    def live(self) -> Way:
        """POST /v1/measurements."""
        return Way(self.limits.body_bytes, self.limits.unpacked_bytes, self.limits.items)

    def sensorthings(self) -> Way:
        """POST /v1.1/Observations and its like."""
        return self.live()._replace(dialect="sensorthings")

    def backfill(self) -> Way:
        """POST /v1/backfill."""
        return Way(self.limits.backfill_body_bytes, self.limits.backfill_unpacked_bytes, self.limits.backfill_items, bulk=True)

    def ready_judge(self, *, bulk: bool) -> Judge:
        """What judges now; Refusal 503 while no region is known, 429 while more waits for Kafka than may."""
        judge = self.bulk_judge if bulk else self.judge
        if judge is None or self.stopping:
            raise self.later(503, STOPPING if self.stopping else NO_REGION)
        if (self.bulk_sender if bulk else self.sender).busy:
            raise self.later(429, "more waits for Kafka than may; nothing of this was taken, send it again after Retry-After")
        return judge

    def later(self, status: int, detail: str) -> Refusal:
        """What is answered when the same request may succeed later."""
        return Refusal(status, detail, retry_after_s=self.limits.retry_after_s)
