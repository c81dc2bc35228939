"""What a gateway says of each thing it was handed, and what it hands on: the words that its doors, its spool and its dialects share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stream.accept.refusal import Fault, Refused


class Verdict(StrEnum):
    """What became of one item. Never more than is known: `accepted` only after Kafka has acknowledged."""

    ACCEPTED = "accepted"
    """Kafka has it, on every replica that is asked."""
    STORED = "stored"
    """It is on the gateway's own disk and goes to Kafka when that can be reached; see `stream.gateways.spool`."""
    DUPLICATE = "duplicate"
    """The same was handed in before, as far as this process remembers. The fold drops what it does not."""
    REJECTED = "rejected"


class Item(NamedTuple):
    """One measurement found in a payload. `path`: where (JSONPath, or a line and column); `fields`: as `stream.records.measurement` names them.

    `item_id`: the sender's own id of it, if any. `gateway_at`: when the gateway took it from the device, as it says (ms). `own`: below `path`
    the fields stand by these very names.
    """

    path: str
    fields: dict[str, object]
    item_id: str | None = None
    gateway_at: int | None = None
    own: bool = False


class Wrong(NamedTuple):
    """One thing in a payload that is no measurement: where, and what is wrong."""

    path: str
    fault: Fault


class Judged(NamedTuple):
    """The verdict on the item at place `item` of a payload; `error`, `path` and `reason` where it was rejected."""

    item: int
    verdict: Verdict
    path: str = ""
    error: str = ""
    reason: Refused | None = None


class ToDoor(NamedTuple):
    """One record for a door (`water`, `air`, `health`); `items`: the places of those that are in it.

    `key` and `headers`: of records for other topics, that need their own.
    """

    family: str
    value: bytes
    items: tuple[int, ...]
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
