"""For the chaos tests only: places where a test may kill or hold a process, and bugs it may plant to prove that its checker can fail.

`TOCSIN_FAILPOINT=name=kill[:nth]` or `name=pause:seconds`, several separated by commas; `TOCSIN_PLANTED_BUG=name`. Without these variables
every call here does nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter

OUTPUTS_NOT_AWAITED = "outputs_not_awaited"
CHECKPOINT_BEFORE_OUTPUTS = "checkpoint_before_outputs"
FIRST_RECORD_AFTER_REBALANCE_DROPPED = "first_record_after_rebalance_dropped"

_points = dict(item.split("=", 1) for item in os.environ.get("TOCSIN_FAILPOINT", "").split(",") if "=" in item)
_bug = os.environ.get("TOCSIN_PLANTED_BUG", "")
_hits: Counter[str] = Counter()


def planted(bug: str) -> bool:
    """Whether this bug is switched on."""
    return _bug == bug


async def failpoint(name: str) -> None:
    """Do what the test asked for at this place: nothing, SIGKILL at the nth time, or a pause."""
    if name not in _points:
        return
    what, _, number = _points[name].partition(":")
    _hits[name] += 1
    if what == "pause":
        await asyncio.sleep(float(number))
    elif what == "kill" and _hits[name] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
