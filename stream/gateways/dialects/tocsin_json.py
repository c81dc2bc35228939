"""Tocsin JSON: one measurement or case count as an object, an array of them, or one of either a line (NDJSON), as `tocsin schema` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.accept.decode import explain
from stream.accept.refusal import Fault, Refused
from stream.gateways.readings import instant_of
from stream.gateways.verdict import Item, Wrong

if TYPE_CHECKING:
    from stream.gateways.dialect import Asked

NAME = "tocsin_json"
GATEWAY_AT = "gateway_at"
"""Beside the fields of a measurement: when the gateway took it from the device (RFC 3339 with an offset). It shows how right the gateway's clock is."""
CONTENT_TYPES = ("application/json", "application/x-ndjson", "application/jsonl", "application/x-jsonlines")
_ABOUT_CASES = (b'"area"', b'"period_start_at"', b'"period_end_at"')
_objects = msgspec.json.Decoder(list[dict[str, object]])
_any = msgspec.json.Decoder()
_raw = msgspec.json.Decoder(msgspec.Raw)
_raws = msgspec.json.Decoder(list[msgspec.Raw])


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:  # noqa: ARG001  our own names need no mapping
    """The measurements in a payload. What is no JSON as a whole, but has lines that are, is read line by line."""
    try:
        return [_item(f"$[{at}]", one) for at, one in enumerate(_objects.decode(payload))] or [_empty("$")]
    except (ValueError, RecursionError):  # one object, or lines, or an array with something odd in it
        pass
    lines = payload.splitlines()
    if sum(bool(line.strip()) for line in lines) > 1 and not _is_json(payload) and any(map(_is_json, lines)):
        return [one for number, line in enumerate(lines, 1) if line.strip() for one in _document(f"line {number}: $", line)]
    return _document("$", payload)


def _is_json(text: bytes) -> bool:
    """Whether this is one JSON value, whatever its numbers."""
    try:
        _raw.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def _document(path: str, text: bytes) -> list[Item | Wrong]:
    """An object, or an array of which every element is read by itself."""
    if text.lstrip()[:1] != b"[":
        return [_one(path, text)]
    try:
        return [_one(f"{path}[{at}]", bytes(raw)) for at, raw in enumerate(_raws.decode(text))] or [_empty(path)]
    except (ValueError, RecursionError) as error:
        return [_unread(path, text, error)]


def _one(path: str, text: bytes) -> Item | Wrong:
    try:
        return _item(path, _any.decode(text))
    except (ValueError, RecursionError) as error:
        return _unread(path, text, error)


def _item(path: str, found: object) -> Item | Wrong:
    if not isinstance(found, dict):
        return Wrong(path, Fault(Refused.WRONG_TYPE, f"Expected object, got {type(found).__name__}"))
    item_id = found.get("id")
    gateway_at = instant_of(found[GATEWAY_AT]) if GATEWAY_AT in found else None
    return Item(path, found, item_id if isinstance(item_id, str) else None, gateway_at, own=True)


def _empty(path: str) -> Wrong:
    return Wrong(path, Fault(Refused.EMPTY, "the array has no element"))


def _unread(path: str, text: bytes, error: Exception) -> Wrong:
    """What could be about a person is not quoted."""
    return Wrong(path, explain(text, error, quote=not any(one in text for one in _ABOUT_CASES)))
