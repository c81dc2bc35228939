"""The one way out when going on could lose something: the process ends at once, before it acknowledges, commits or checkpoints anything.

A supervisor (systemd, Kubernetes, `tocsin demo`) starts it again; what was not checkpointed is decided again, with the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from stream.errors import BrokerError, BrokerRefused, PublishFailed, Stalled, TocsinError
from stream.health import notifying

if TYPE_CHECKING:
    from collections.abc import Awaitable

log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """Exit codes of a worker: 0 after a clean stop."""

    CLEAN = 0
    REFUSED = 1
    """The broker does not let it in, or does not allow something: starting it again does not help until somebody acts."""
    BUG = 70
    """Something unforeseen; the traceback is in the log."""
    SUPERSEDED = 76
    """Another version of the fold decides now: start the new code. The old one, started again, waits and says so."""
    RESTART = 75
    """The broker or the process itself failed for a time: start it again."""


def exit_code(error: BaseException) -> ExitCode:
    """Which code tells a supervisor best what happened.

    >>> exit_code(Stalled("x")).name, exit_code(ValueError("x")).name
    ('RESTART', 'BUG')
    """
    if isinstance(error, BrokerRefused):
        return ExitCode.REFUSED
    for_a_time = isinstance(error, PublishFailed | Stalled | BrokerError | KafkaError | KafkaException)
    return ExitCode.RESTART if for_a_time else ExitCode.BUG


def end_if_failed(task: asyncio.Task[None]) -> None:
    """End the process when a task that should run for its whole life has failed, or was cut off without anybody here having cancelled it.

    aiokafka cancels what waits for an answer on a connection that it closes: without this a task would be gone in silence, and its work with it.
    """
    if not task.cancelled():
        if (error := task.exception()) is not None:
            end_now(error)
    elif not task.cancelling():
        end_now(_cut_off(task))


async def or_end(work: Awaitable[None]) -> None:
    """The same for work that others await: Faust would acknowledge the batch of an agent that raises, and start the agent again."""
    try:
        await work
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and not task.cancelling():
            end_now(_cut_off(task))
        raise
    except Exception as error:  # noqa: BLE001
        end_now(error)


def _cut_off(task: asyncio.Task[Any]) -> BrokerError:
    return BrokerError(f"{task.get_coro()!r} was cut off with its connection to the broker; start this process again")


def told_to_stop() -> asyncio.Event:
    """An event that is set by SIGTERM and SIGINT, of which the supervisor is told, too."""
    stopping = asyncio.Event()

    def stop() -> None:
        notifying.stopping()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return stopping


def end_now(error: BaseException) -> NoReturn:
    """End the process without any clean-up: clean-up would acknowledge, commit, or send what was queued."""
    code = exit_code(error)
    unforeseen = code is ExitCode.BUG and not isinstance(error, TocsinError)
    log.critical("ending now (exit code %d): %s: %s", code, type(error).__name__, error, exc_info=error if unforeseen else None)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
