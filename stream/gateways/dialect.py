"""Dialects: how the payloads of one kind of sender are read. One file each in `stream/gateways/dialects/`; its file name is its name.

A dialect has `NAME`, `CONTENT_TYPES` and `decode`, which turns any bytes whatever into items and faults, in order, and never raises.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from stream.errors import TocsinError
from stream.gateways import dialects

if TYPE_CHECKING:
    from stream.gateways.mapping import Mapping
    from stream.gateways.verdict import Item, Wrong


class Asked(NamedTuple):
    """What is known of a payload besides its bytes: the MQTT topic or HTTP path it came on ("" = none), and the gateway's mapping."""

    topic: str
    mapping: Mapping


class Dialect(Protocol):
    """The module of a dialect. `CONTENT_TYPES`: of HTTP requests that are read this way; the dialect's name asked for by hand goes first."""

    NAME: str
    CONTENT_TYPES: tuple[str, ...]

    def decode(self, payload: bytes, ask: Asked) -> list[Item | Wrong]:
        """What is in a payload, in order."""


@cache
def names() -> tuple[str, ...]:
    """Every dialect there is.

    >>> "tocsin_json" in names()
    True
    """
    return tuple(sorted(one.name for one in pkgutil.iter_modules(dialects.__path__)))


@cache
def dialect(name: str) -> Dialect:
    """The dialect of this name; TocsinError if there is none."""
    if name not in names():
        msg = f"no dialect {name!r}; there are {', '.join(names())}"
        raise TocsinError(msg)
    return cast("Dialect", importlib.import_module(f"{dialects.__name__}.{name}"))


def dialect_of(content_type: str) -> Dialect | None:
    """The dialect of an HTTP content type (its parameters are ignored), None if no dialect is of this type."""
    kind = content_type.partition(";")[0].strip().lower()
    return next((dialect(name) for name in names() if kind in dialect(name).CONTENT_TYPES), None)
