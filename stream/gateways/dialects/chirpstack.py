"""ChirpStack v4: the uplink event of its MQTT and HTTP integrations, as JSON (`integration.UplinkEvent` of chirpstack_api).

Values come out of `object`, which ChirpStack fills when the device profile has a codec; `data`, the raw bytes, is not decoded here. Of duplicates the
network server drops those of several radio gateways itself; `deduplicationId` tells the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.accept.refusal import Fault, Refused
from stream.gateways.readings import Uplink, at_place, document, instant_of, uplink_of
from stream.gateways.verdict import Wrong

if TYPE_CHECKING:
    from stream.gateways.dialect import Asked
    from stream.gateways.verdict import Item

NAME = "chirpstack"
CONTENT_TYPES: tuple[str, ...] = ("application/vnd.chirpstack.v4+json",)


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:
    """The readings of an uplink event. Observed when the network server has it from (`time`), unless the mapping names a time in the object."""
    event = document(payload)
    if isinstance(event, Wrong):
        return [event]
    found = event.get("object")
    if not isinstance(found, dict):
        return [Wrong("$.object", Fault(Refused.MISSING_FIELD, "no decoded object", "give the device profile a codec in ChirpStack"))]
    dedup, taken = event.get("deduplicationId"), at_place(event, ("rxInfo", 0, "gwTime"))
    uplink = Uplink("$.object", found, event.get("time"), dedup if isinstance(dedup, str) else None, instant_of(taken or event.get("time")))
    return uplink_of(ask.mapping, [at_place(event, ("deviceInfo", "devEui"))], uplink)
