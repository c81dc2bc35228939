"""Tells the supervisor how a process does, in the words of sd_notify(3): started, alive, stopping. Silent where nobody asked (`NOTIFY_SOCKET`).

What is told is what the probes say, from a thread: a loop that hangs is not alive here either, and code that never lets go of the interpreter
tells nothing, which the supervisor takes for the same. A start may take as long as it must (a broker that is away, a long restore) while the process lives.
"""

from __future__ import annotations

import logging
import os
import socket
from threading import Event, Thread
from typing import TYPE_CHECKING

from stream.health.exposing import LIVE, READY, STARTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from stream.health.exposing import Health

log = logging.getLogger(__name__)
ADDRESS = "NOTIFY_SOCKET"
LOOK_S = 1.0
MORE_S = 60
"""So much more time a start asks for each time; the unit's TimeoutStartSec counts until the first time."""


def tell(probes: Mapping[str, Callable[[], Health]]) -> None:
    """From now on, in a thread, every second."""
    if os.environ.get(ADDRESS):
        Thread(target=_run, args=(probes,), name="supervisor", daemon=True).start()


def stopping() -> None:
    """The process ends, because it was told to."""
    _send("STOPPING=1")


def words(probes: Mapping[str, Callable[[], Health]]) -> Iterator[str]:
    """What is to be told, each second anew; empty while the process does not live.

    >>> from stream.health.exposing import Health, Trouble
    >>> said = {LIVE: Health(), STARTED: Health((Trouble("starting", "wait"),)), READY: Health((Trouble("no broker", "look"),))}
    >>> seen = words({path: lambda path=path: said[path] for path in said})
    >>> next(seen).split(), said.update({STARTED: Health()}), next(seen).split()
    (['EXTEND_TIMEOUT_USEC=60000000', 'STATUS=no', 'broker'], None, ['READY=1', 'STATUS=no', 'broker'])
    >>> said.update({READY: Health()}), next(seen).split(), said.update({LIVE: Health((Trouble("hangs", "end it"),))}), next(seen)
    (None, ['WATCHDOG=1', 'STATUS=ready'], None, '')
    """
    started = False
    while True:
        if probes[LIVE]().ok:
            first = "WATCHDOG=1" if started else "READY=1" if probes[STARTED]().ok else f"EXTEND_TIMEOUT_USEC={MORE_S}000000"
            started = first in {"WATCHDOG=1", "READY=1"}
            troubles = probes[READY]().troubles
            yield f"{first}\nSTATUS={troubles[0].wrong if troubles else 'ready'}"
        else:
            yield ""


def _run(probes: Mapping[str, Callable[[], Health]]) -> None:
    each, never = words(probes), Event()
    while not never.wait(LOOK_S):
        if text := next(each):
            _send(text)


def _send(text: str) -> None:
    address = os.environ.get(ADDRESS, "")
    if not address:
        return
    if address.startswith("@"):  # a name of Linux's own, not of the file system
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
            one.settimeout(LOOK_S)
            one.sendto(text.encode(), address)
    except OSError as error:
        log.warning("the supervisor at %s does not hear: %s", os.environ[ADDRESS], error)
