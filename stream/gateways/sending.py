"""The one way from a gateway to the doors: Kafka first, the gateway's own disk when Kafka cannot be reached, and from there on in order.

What goes on is either acknowledged by all replicas (`accepted`) or on this disk (`stored`) before anybody is told so. While anything waits on the
disk everything new goes behind it, so that what a device sent first arrives first. The producer is not idempotent: such a one would retry
for ever, and the fold drops what arrives twice.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from stream.gateways.metrics import GatewayMetrics
from stream.runtime.topics import DOORS, Topics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.gateways.spool import Spool
    from stream.gateways.verdict import ToDoor, Verdict
    from stream.settings import Settings

log = logging.getLogger(__name__)
PATIENCE_S = 3.0
"""Kafka counts as out of reach when it has not acknowledged something for so long."""
RETRY_S = 1.0
BUSY_BYTES = 33_554_432
"""So much may be under way before callers should be told to wait."""
BUSY_FILL = 0.9
"""So full may the spool be before callers should be told to wait."""
GROUP_RECORDS = 2_000
"""Sends that wait for the disk share one `fsync`, this many records at most."""
DRAIN_RECORDS = 1_000


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """A record as it lies in the spool."""

    family: str
    key: bytes | None
    value: bytes


class _Waiting:
    """Records of one `send` and what became of them."""

    __slots__ = ("outcome", "records", "since", "size")

    def __init__(self, records: Sequence[_Kept]) -> None:
        self.records = records
        self.size = sum(len(one.value) for one in records)
        self.since = time.monotonic()
        self.outcome: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()


class Sender:
    """Sends records to the doors. `doors`: the topic of each family, of those of the lane where nothing is said.

    Without a spool what Kafka does not take is refused. `stop` closes the spool.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool | None,
        *,
        doors: Mapping[str, str] | None = None,
        metrics: GatewayMetrics | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._doors = dict(doors or zip(DOORS, Topics(settings.prefix).doors, strict=True))
        self._metrics = metrics or GatewayMetrics()
        self._patience_s = patience_s

    async def start(self) -> None:
        """Begin; returns when Kafka has answered, or has not for `patience_s`."""

    async def stop(self) -> None:
        """Wait for what is under way (what Kafka does not take within `patience_s` is stored), then let go of Kafka and the spool."""

    async def send(self, records: Sequence[ToDoor], key: bytes | None = None) -> Verdict:
        """ACCEPTED when all replicas have all of the records, STORED when the disk has. What has the same `key` stays in order.

        Raises SpoolFull when it can be neither (nothing was promised then), TocsinError for a record that is longer than a door takes.
        """
        raise NotImplementedError

    @property
    def pending(self) -> int:
        """Records that Kafka has not acknowledged: under way or on the disk."""
        return 0

    @property
    def oldest_at(self) -> int | None:
        """When the oldest record on the disk was stored (ms)."""
        return None

    @property
    def busy(self) -> bool:
        """Whether callers should hold back: too much is under way, or the disk's bound is near."""
        return False

    @property
    def reachable(self) -> bool:
        """Whether Kafka answers."""
        return False

    @property
    def ready(self) -> bool:
        """Whether something handed in now would be taken."""
        return False
