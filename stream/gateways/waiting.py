"""What a caller of the sender waits for, from the moment it hands over records until one sentence about all of them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.kept import Kept
    from stream.gateways.verdict import Verdict


class Waiting:
    """The records of one `send`, and what becomes of them."""

    __slots__ = ("outcome", "records", "since", "size")

    def __init__(self, records: Sequence[Kept]) -> None:
        self.records = records
        self.size = sum(len(one.value) for one in records)
        self.since = time.monotonic()
        self.outcome: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    def settle(self, verdict: Verdict) -> None:
        """Say it, unless the caller went away."""
        if not self.outcome.done():
            self.outcome.set_result(verdict)
