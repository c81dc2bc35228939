"""Values out of the objects that devices send, by the mapping: what all dialects of devices share."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.accept.decode import explain
from stream.accept.moment import instant
from stream.accept.refusal import Fault, Refused, quoted
from stream.gateways.verdict import Item, Wrong
from stream.records.instants import to_text

if TYPE_CHECKING:
    from collections import abc
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from stream.gateways.mapping import Device, Mapping, Place, Use

NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*")
ID_CHARS_MAX = 128
_any = msgspec.json.Decoder()


class Uplink(NamedTuple):
    """One object of a device. `path`: where it stands; `at`: its time, as sent, if the mapping names none; `gateway_at`: ms, None = not said."""

    path: str
    found: abc.Mapping[str, object]
    at: object
    item_id: str | None
    gateway_at: int | None


def document(payload: bytes) -> dict[str, object] | Wrong:
    """The JSON object a payload is, or what it is instead."""
    try:
        found = _any.decode(payload)
    except (ValueError, RecursionError) as error:
        return Wrong("$", explain(payload, error, quote=True))
    if not isinstance(found, dict):
        return Wrong("$", Fault(Refused.WRONG_TYPE, f"Expected object, got {type(found).__name__}"))
    return found


def uplink_of(mapping: Mapping, device_ids: Sequence[object], uplink: Uplink) -> list[Item | Wrong]:
    """The readings of a device that is known by one of its ids."""
    known = [one.lower() for one in device_ids if isinstance(one, str) and one]
    if not known:
        return [Wrong("$", Fault(Refused.MISSING_FIELD, "no id of the device", "send the payload as the network server made it"))]
    device = next((mapping.devices[one] for one in known if one in mapping.devices), None)
    if device is None:
        return [Wrong("$", Fault(Refused.UNKNOWN_DEVICE, f"device {quoted(known[0])} is not in gateway.toml"))]
    return readings(device, uplink)


def readings(device: Device, uplink: Uplink) -> list[Item | Wrong]:
    """What the mapping uses of an object. Fields it does not hold this time are left out, but one must be there."""
    found: list[Item | Wrong] = []
    for place, use in device.uses:
        value = at_place(uplink.found, place)
        if value is not None:
            found.append(_reading(device, uplink, (place, use), value))
    if found:
        return found
    wanted = ", ".join(sorted(".".join(map(str, place)) for place, _ in device.uses))
    return [
        Wrong(
            uplink.path,
            Fault(
                Refused.MISSING_FIELD,
                f"device {quoted(device.device_id)} sent none of {wanted}",
                "name in gateway.toml the fields that it sends",
            ),
        )
    ]


def _reading(device: Device, uplink: Uplink, what: tuple[Place, Use], value: object) -> Item | Wrong:
    place, use = what
    path = uplink.path + path_of(place)
    number = scaled(use, value)
    if isinstance(number, Fault):
        return Wrong(path, number)
    moment = at_place(uplink.found, device.time) if device.time else uplink.at
    observed_at = time_of(moment, use.zone)
    if isinstance(observed_at, Fault):
        return Wrong(uplink.path + path_of(device.time) if device.time else path, observed_at)
    fields = measurement(use, number, observed_at)
    item_id = f"{uplink.item_id}{path_of(place)}" if uplink.item_id else None
    if item_id and len(item_id) <= ID_CHARS_MAX:
        fields["id"] = item_id
    return Item(path, fields, item_id, uplink.gateway_at)


def measurement(use: Use, value: float, observed_at: str | float) -> dict[str, object]:
    """The fields of a measurement (`stream.records.measurement`)."""
    fields: dict[str, object] = {"station": use.station, "quantity": use.quantity, "value": value, "observed_at": observed_at}
    if use.unit:
        fields["unit"] = use.unit
    return fields


def at_place(found: object, place: Place) -> object:
    """What stands at a place, None if nothing does.

    >>> at_place({"a": [{"b": 1}]}, ("a", 0, "b")), at_place({"a": 1}, ("a", "b"))
    (1, None)
    """
    for step in place:
        if isinstance(found, dict):
            found = found.get(str(step))
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    return found


def path_of(place: Place) -> str:
    """A place as JSONPath has it, below its object.

    >>> path_of(("sensors", 0, "water level"))
    ".sensors[0]['water level']"
    """
    return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" if one.isidentifier() else f"[{one!r}]" for one in place)


def scaled(use: Use, value: object) -> float | Fault:
    """The value in the unit of the mapping; numbers may be written as text, as many codecs do.

    >>> from stream.gateways.mapping import Use
    >>> scaled(Use("s", "stage", "m", 0.01), "250"), scaled(Use("s", "stage"), True).reason.value, scaled(Use("s", "stage"), "1e400").reason.value
    (2.5, 'wrong_type', 'not_finite')
    """
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Fault(Refused.WRONG_TYPE, f"{'null' if value is None else quoted(str(value)[:200])} is no number")
    try:
        number = float(value) * use.scale + use.offset
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else Fault(Refused.NOT_FINITE, "the value does not fit a double after scaling")


def time_of(moment: object, zone: ZoneInfo | None) -> str | float | Fault:
    """A time as a door reads it; a text without an offset is local time in `zone`, if there is one (else the door asks the station's).

    >>> from zoneinfo import ZoneInfo
    >>> time_of("2005-11-13 13:45", ZoneInfo("Asia/Shanghai")), time_of(12, None), time_of("noon", None).reason.value
    ('2005-11-13T05:45:00Z', 12.0, 'time_invalid')
    """
    if isinstance(moment, bool) or not isinstance(moment, str | int | float):
        return Fault(Refused.MISSING_FIELD, "no time of the measurement", "send it, or name its field in gateway.toml")
    try:
        if not isinstance(moment, str):
            return float(moment)
        made = datetime.fromisoformat(moment.strip())
    except (ValueError, OverflowError):
        return Fault(Refused.TIME_INVALID, quoted(str(moment)[:200]))
    return local(made, zone)


def local(moment: datetime, zone: ZoneInfo | None) -> str | Fault:
    """An instant as text; one without an offset stays as it is if no zone is known for it."""
    if moment.tzinfo is None and zone is None:
        return moment.isoformat()
    at = instant(moment, zone)
    return at if isinstance(at, Fault) else to_text(at)


def instant_of(moment: object) -> int | None:
    """Milliseconds of a time with an offset, None for anything else: for times that only inform."""
    made = time_of(moment, None)
    if isinstance(made, Fault) or not isinstance(made, str) or not made.endswith("Z"):
        return None
    return _milliseconds(made)


def _milliseconds(text: str) -> int | None:
    found = instant(datetime.fromisoformat(text), None)
    return None if isinstance(found, Fault) else found
