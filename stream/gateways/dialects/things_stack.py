"""The Things Stack v3: the uplink message of its MQTT server, webhooks and pub/sub, as JSON (`ttn.lorawan.v3.ApplicationUp`).

Values come out of `decoded_payload`, which its payload formatter fills. Uplinks that somebody simulated in the console are refused: they were
never measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.accept.refusal import Fault, Refused
from stream.gateways.readings import Uplink, at_place, document, instant_of, uplink_of
from stream.gateways.verdict import Wrong

if TYPE_CHECKING:
    from stream.gateways.dialect import Asked
    from stream.gateways.verdict import Item

NAME = "things_stack"
CONTENT_TYPES: tuple[str, ...] = ("application/vnd.thethings.v3+json",)


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:
    """The readings of an uplink. Observed when the network server had it (`uplink_message.received_at`), unless the mapping names a time."""
    up = document(payload)
    if isinstance(up, Wrong):
        return [up]
    message = up.get("uplink_message")
    if not isinstance(message, dict):
        return [Wrong("$.uplink_message", Fault(Refused.MISSING_FIELD, "no uplink", "subscribe to v3/+/devices/+/up only"))]
    if up.get("simulated") is True or message.get("simulated") is True:
        return [
            Wrong(
                "$.simulated",
                Fault(
                    Refused.OTHER_LANE,
                    "a simulated uplink was never measured",
                    "try payloads with `tocsin gateway try`; only what the device itself sends is taken",
                ),
            )
        ]
    found = message.get("decoded_payload")
    if not isinstance(found, dict):
        return [
            Wrong("$.uplink_message.decoded_payload", Fault(Refused.MISSING_FIELD, "not decoded", "give the device a payload formatter"))
        ]
    at = message.get("received_at") or up.get("received_at")
    taken = at_place(message, ("rx_metadata", 0, "time")) or at_place(message, ("rx_metadata", 0, "received_at"))
    uplink = Uplink("$.uplink_message.decoded_payload", found, at, _frame(message), instant_of(taken or at))
    return uplink_of(ask.mapping, [at_place(up, ("end_device_ids", "device_id")), at_place(up, ("end_device_ids", "dev_eui"))], uplink)


def _frame(message: dict[str, object]) -> str | None:
    """The frame: its counter begins again with each session. Protobuf leaves out a counter of 0."""
    session, count = message.get("session_key_id"), message.get("f_cnt", 0)
    return f"{session}/{count}" if isinstance(session, str) and session and isinstance(count, int) else None
