"""A region whose gateways show who they are, their private keys, and batches signed with them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stream.accept.door import Accept, Accepted, DoorRecord
from stream.records.envelope import VERSION, Envelope, seal
from stream.records.instants import DAY, HOUR, to_text
from stream.records.lanes import Lane
from stream.region.principals import Key, Principal
from stream.settings import Settings
from tests.accept.regions import region

NOW = 1_714_564_800_000  # 2024-05-01T12:00:00Z


def private(name: str) -> bytes:
    """The private key of this name: the same in every run."""
    return name.encode().ljust(32, b".")


def public(name: str) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private(name)).public_key().public_bytes_raw()


SIGNS = Principal(
    "upper-gauges",
    "ed25519",
    ("upper", "mixed"),
    ("water",),
    ("live",),
    "small",
    (
        Key("now", public("now")),
        Key("old", public("old"), not_after=NOW - HOUR),
        Key("next", public("next"), not_before=NOW + HOUR),
        Key("lost", public("lost"), revoked=True),
    ),
    signed_within_s=900.0,
    signed_only=True,
)
PRINCIPALS = (
    SIGNS,
    Principal("lower-gauges", "ed25519", ("lower", "works"), ("water",), ("live", "exercise"), "small", (Key("now", public("lower")),)),
    Principal("clinics", "ed25519", ("north", "south"), ("health",), ("live",), "small", (Key("now", public("clinics")),)),
    Principal("gone", "ed25519", ("upper",), ("water",), ("live",), "small", (Key("now", public("gone")),), revoked=True),
    Principal("drill", "ed25519", ("upper",), ("water",), ("exercise",), "small", (Key("now", public("drill")),)),
    Principal("by-token", "http_token", ("lower",), ("water",), ("live",), "small", (Key("now", bytes(32)),)),
    Principal("own-door", "kafka", ("lower",), ("water",), ("live",), "small"),
    Principal("own-shut", "kafka", ("lower",), ("water",), ("live",), "small", revoked=True),
    Principal("own-drill", "kafka", ("lower",), ("water",), ("exercise",), "small"),
)


@cache
def accept(prefix: str = "") -> Accept:
    lane = {"": Lane.LIVE, "exercise.": Lane.EXERCISE}[prefix]
    return Accept([replace(region(), principals=PRINCIPALS)], Settings(prefix=prefix, lane=lane), 12)


def stage(**fields: Any) -> dict[str, Any]:
    return {"series": "upper/stage", "observed_at": "2024-05-01T11:50:00Z", "value": 1.5} | fields


def payload(*items: dict[str, Any]) -> bytes:
    return json.dumps(list(items) or [stage()]).encode()


def envelope(**fields: Any) -> Envelope:
    """A sound envelope of the upper gauges, signed a minute ago, with these fields changed; not signed yet."""
    sound = {
        "envelope": VERSION, "principal": "upper-gauges", "key_id": "now", "sequence": 7, "audience": "small", "lane": "live",
        "family": "water", "signed_at": to_text(NOW - 60_000), "payload": payload(), "signature": bytes(64),
    }  # fmt: skip
    return Envelope(**(sound | fields))


def signed(key: str = "now", **fields: Any) -> bytes:
    return seal(envelope(**fields), private(key))


def send(value: bytes | None, door: str = "measurements.water", *, at: int = NOW, door_of: str = "", prefix: str = "") -> Accepted:
    return accept(prefix).accept(door, [DoorRecord(1, 5, at, value)], at, door_of)


def changed(sealed: bytes, /, **fields: Any) -> bytes:
    """A sealed envelope with fields changed after it was signed (as JSON)."""
    return json.dumps(json.loads(sealed) | fields).encode()


YESTERDAY = NOW - DAY
