"""The one way out when going on could lose something: the process ends at once, before it acknowledges, commits or checkpoints anything.

A supervisor (systemd, Kubernetes, `tocsin demo`) starts it again; what was not checkpointed is decided again, with the same ids.
"""

from __future__ import annotations

import logging
import os
import sys
from enum import IntEnum
from typing import NoReturn

from stream.errors import PublishFailed, Stalled

log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """Exit codes of a worker: 0 after a clean stop."""

    CLEAN = 0
    BUG = 70
    """Something unforeseen; the traceback is in the log."""
    RESTART = 75
    """The broker or the process itself failed for a time: start it again."""


def exit_code(error: BaseException) -> ExitCode:
    """Which code tells a supervisor best what happened.

    >>> exit_code(Stalled("x")).name, exit_code(ValueError("x")).name
    ('RESTART', 'BUG')
    """
    return ExitCode.RESTART if isinstance(error, PublishFailed | Stalled) else ExitCode.BUG


def end_now(error: BaseException) -> NoReturn:
    """End the process without any clean-up: clean-up would acknowledge or commit."""
    code = exit_code(error)
    log.critical("ending now (exit code %d): %s: %s", code, type(error).__name__, error, exc_info=error if code is ExitCode.BUG else None)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
