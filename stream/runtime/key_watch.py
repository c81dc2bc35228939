"""Says in time that a principal's keys end: in the metrics all the time, in the log once at each of the last thresholds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from stream.region.key_expiry import WARN_DAYS, endings
from stream.runtime.clocks import wall_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stream.health.metrics import Metrics
    from stream.region.principals import Principal

log = logging.getLogger(__name__)
LOOK_S = 30.0


class KeyWatch:
    """Of all principals of the active regions. `principals`: asked at each look."""

    def __init__(self, metrics: Metrics, principals: Callable[[], Iterable[Principal]]) -> None:
        self._ends_at = metrics.key_ends_at
        self._principals = principals
        self._said: dict[str, int] = {}
        """The threshold that was told last, by principal; none while its keys are good for longer."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look(wall_ms())
            await asyncio.sleep(LOOK_S)

    def look(self, now: int) -> None:
        """Show and tell how it stands at this instant (ms)."""
        found = endings(self._principals(), now)
        self._ends_at.clear()
        said, self._said = self._said, {}
        for one in found:
            left = one.days_left(now)
            self._ends_at.labels(one.principal_id).set(one.ends_at / 1000)
            passed = [days for days in (*WARN_DAYS, 0) if left <= days]
            if not passed:
                continue
            self._said[one.principal_id] = passed[-1]
            if said.get(one.principal_id) != passed[-1]:
                level = logging.WARNING if left > min(WARN_DAYS) else logging.ERROR
                what = f"ends in {left:.1f} days" if left > 0 else "has ended, nothing of it is taken"
                log.log(level, "the last key of %s %s: bring in a new one (`tocsin gateway token` or `key`)", one.principal_id, what)
