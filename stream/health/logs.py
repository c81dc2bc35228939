"""The log of a process: text for people, or a JSON object a line for machines (`log_format = "json"`), each with what the line is about.

What a line is about (`partition`, `offset`, `warning_id`, `incident_id`, `request_id`) is bound once where the work begins, and stands in every line
that is written inside, whoever writes it. Only names and numbers are bound: what was handed in, and what opens a door, is in no log.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

import structlog
from structlog.contextvars import bound_contextvars, get_contextvars, merge_contextvars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from structlog.typing import EventDict, Processor

    from stream.settings import Settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def about(**names: str | int) -> AbstractContextManager[None]:
    """Inside, every line of the log says that it is about this.

    >>> with about(partition=3):
    ...     get_contextvars()
    {'partition': 3}
    """
    return bound_contextvars(**names)


def set_up(settings: Settings, service: str, *, quiet: Iterable[str] = (), silent: Iterable[str] = ()) -> None:
    """Log to standard error from now on. `service`: which process this is (worker ...); `quiet`: loggers that only warn, `silent`: that say nothing.

    What is silent is told once by whoever tries again.
    """
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_json(settings, service) if settings.log_format == "json" else _Text(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
    for names, level in ((quiet, logging.WARNING), (silent, logging.CRITICAL)):
        for name in names:
            logging.getLogger(name).setLevel(level)


class _Text(logging.Formatter):
    """A line for people; what it is about comes last."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the base class's name)
        line = super().formatMessage(record)
        bound = get_contextvars()
        return f"{line} [{' '.join(f'{name}={value}' for name, value in bound.items())}]" if bound else line


def _json(settings: Settings, service: str) -> logging.Formatter:
    def named(_logger: object, _method: str, event: EventDict) -> EventDict:
        return {**event, "service": service, "instance": settings.instance, "lane": settings.lane.value}

    every: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        merge_contextvars,
        named,
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=every,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
