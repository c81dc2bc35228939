"""WIS2 notification messages (WMO Manual on WIS, wis2-notification-message 1): the observation they carry inline, if it can be read here.

Read is inline content in the WMO GeoJSON profile for observations and measurements, one feature or a collection. Stations are known by their WIGOS
identifier, which stands in the mapping as a device, with the names of its parameters as fields. Content of other kinds (BUFR), and data that are only
linked to, are refused with what to do: a gateway fetches nothing from addresses that a message names.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING

import msgspec

from stream.accept.refusal import Fault, Refused, quoted
from stream.gateways.readings import Uplink, document, instant_of, uplink_of
from stream.gateways.verdict import Item, Wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.gateways.dialect import Asked

NAME = "wis2"
CONTENT_TYPES: tuple[str, ...] = ("application/vnd.wmo.wis2-notification+json",)
CONTENT = "$.properties.content"
UNPACKED_BYTES_MAX = 1 << 18
RESEND = "have its sender send it again; it came damaged"
_METHODS = {
    "sha256": "sha256",
    "sha384": "sha384",
    "sha512": "sha512",
    "sha3-256": "sha3_256",
    "sha3-384": "sha3_384",
    "sha3-512": "sha3_512",
}
_any = msgspec.json.Decoder()


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:
    """The measurements that are inline in a notification. Observed at their `phenomenonTime`."""
    message = document(payload)
    if isinstance(message, Wrong):
        return [message]
    properties = message.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("data_id"), str):
        return [
            Wrong(
                "$.properties.data_id", Fault(Refused.MISSING_FIELD, "no WIS2 notification", "send one with properties.data_id (WMO wnm/1)")
            )
        ]
    data = _content(properties)
    if isinstance(data, Fault):
        return [Wrong(CONTENT, data)]
    try:
        found = _any.decode(data)
    except (ValueError, RecursionError):
        found = None
    features = found.get("features") if isinstance(found, dict) and found.get("type") == "FeatureCollection" else [found]
    if (
        not isinstance(features, list)
        or not features
        or not all(isinstance(one, dict) and one.get("type") == "Feature" for one in features)
    ):
        return [Wrong(CONTENT, Fault(Refused.WRONG_TYPE, "no GeoJSON of the WMO profile", "convert BUFR first (bufr2geojson)"))]
    return [item for at, one in enumerate(features) for item in _feature(at if len(features) > 1 else None, one, properties, ask)]


def _feature(at: int | None, feature: dict[str, object], message: Mapping[str, object], ask: Asked) -> list[Item | Wrong]:
    path = f"{CONTENT}.value" if at is None else f"{CONTENT}.value.features[{at}]"
    found = feature.get("properties")
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return [Wrong(path, Fault(Refused.MISSING_FIELD, "no properties.name", "name the parameter that was observed"))]
    station = found.get("wigos_station_identifier") or message.get("wigos_station_identifier")
    own = feature.get("id")
    item_id = own if isinstance(own, str) else None
    uplink = Uplink(path, {found["name"]: found.get("value")}, found.get("phenomenonTime"), item_id, instant_of(message.get("pubtime")))
    made = uplink_of(ask.mapping, [station], uplink)
    units = found.get("units")
    for one in made:
        if isinstance(one, Item) and "unit" not in one.fields and isinstance(units, str) and units:
            one.fields["unit"] = units
    return made


def _content(properties: Mapping[str, object]) -> bytes | Fault:
    """The inline bytes, unpacked within bounds and checked against their digest."""
    content = properties.get("content")
    value = content.get("value") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(value, str):
        return Fault(Refused.MISSING_FIELD, "the data are only linked to", "hand them in, or have the sender put them inline")
    encoding = content.get("encoding")
    if not isinstance(encoding, str) or encoding not in {"utf-8", "base64", "gzip"}:
        return Fault(Refused.OUT_OF_RANGE, f"encoding {quoted(str(encoding)[:60])} is none of utf-8, base64, gzip")
    try:
        sent = value.encode() if encoding == "utf-8" else base64.b64decode(value, validate=True)
    except ValueError as error:
        return Fault(Refused.WRONG_TYPE, f"no base64: {error}", RESEND)
    data = _unzipped(sent) if encoding == "gzip" else sent
    if isinstance(data, Fault):
        return data
    return (
        data
        if _is_whole((data, sent), properties.get("integrity"))
        else Fault(Refused.WRONG_TYPE, "the content is not what its integrity says", RESEND)
    )


def _unzipped(sent: bytes) -> bytes | Fault:
    unzip = zlib.decompressobj(wbits=31)
    try:
        data = unzip.decompress(sent, UNPACKED_BYTES_MAX)
    except zlib.error as error:
        return Fault(Refused.WRONG_TYPE, f"no gzip: {error}", RESEND)
    if unzip.unconsumed_tail:
        return Fault(Refused.TOO_LARGE, f"more than {UNPACKED_BYTES_MAX} bytes when unpacked")
    return data if unzip.eof else Fault(Refused.WRONG_TYPE, "the gzip stream is cut off", RESEND)


def _is_whole(either: tuple[bytes, bytes], integrity: object) -> bool:
    """Whether the digest fits the data, or the data as packed (senders differ); a message without one says nothing."""
    if integrity is None:
        return True
    method, value = (integrity.get("method"), integrity.get("value")) if isinstance(integrity, dict) else (None, None)
    name = _METHODS.get(method) if isinstance(method, str) else None
    if name is None or not isinstance(value, str):
        return False
    return value in {base64.b64encode(hashlib.new(name, one).digest()).decode() for one in either}
