"""A signed envelope, judged: who signed it, with which key, whether that key counts, and whether it was meant for here and now.

Order: readable, known principal, known key, signature; only of what is authentic is anything else asked: revocation, validity of the key,
audience, lane, family, time of signing. What costs much (the signature) comes after what costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stream.accept.decode import explain
from stream.accept.refusal import Fault, Refused, other_lane, quoted
from stream.records.envelope import SIGNATURE_BYTES, Envelope, signed_bytes
from stream.records.instants import MINUTE, SECOND, from_text, to_text

if TYPE_CHECKING:
    from stream.accept.speakers import Speakers
    from stream.records.lanes import Lane
    from stream.region.principals import Key, Principal

SIGNS = "ed25519"
AHEAD_MOST_MS = 5 * MINUTE
"""A batch is signed before it is sent, but clocks differ."""
BATCH_BYTES = 16


class Came(NamedTuple):
    """How an envelope came: the family and lane of its door, when it was appended (ms) and what the time is here; `live`: those count.

    `door_of`: whose own door it is, "" = a shared one.
    """

    family: str
    lane: Lane
    appended_at: int
    now: int
    live: bool
    door_of: str = ""


class Opened(NamedTuple):
    """An envelope that counts. `batch`: the first 16 bytes of the SHA-256 of what was signed."""

    region_hash: str
    principal: Principal
    key_id: str
    sequence: int
    batch: bytes
    payload: bytes
    envelope: Envelope


class Denied(NamedTuple):
    """An envelope that does not count: why, what it says of itself (None where it cannot be read), and whether its signature is right."""

    fault: Fault
    envelope: Envelope | None
    proven: bool = False


_decoder = msgspec.json.Decoder(Envelope)


def open_envelope(value: bytes, came: Came, speakers: Speakers) -> Opened | Denied:
    """What is in the envelope, or the first reason why it does not count."""
    try:
        envelope = _decoder.decode(value)
    except (ValueError, RecursionError) as error:
        return Denied(Fault(Refused.BAD_ENVELOPE, explain(value, error, quote=False).what), None)
    found = speakers.find(envelope.principal, envelope.audience)
    if found is None or found[1].kind != SIGNS:
        return Denied(Fault(Refused.UNKNOWN_PRINCIPAL, quoted(envelope.principal)), envelope)
    region_hash, principal = found
    key = next((one for one in principal.keys if one.key_id == envelope.key_id), None)
    if key is None:
        return Denied(Fault(Refused.UNKNOWN_KEY, f"{quoted(envelope.key_id)} of {principal.principal_id}"), envelope)
    signed = signed_bytes(envelope)
    if not _genuine(key.value, envelope.signature, signed):
        return Denied(Fault(Refused.BAD_SIGNATURE, f"key {key.key_id} of {principal.principal_id}"), envelope)
    fault = (
        _key_fault(envelope, key, principal, came) or _meant_elsewhere(envelope, principal, came) or _time_fault(envelope, principal, came)
    )
    if fault is not None:
        return Denied(fault, envelope, proven=True)
    return Opened(region_hash, principal, key.key_id, envelope.sequence, batch_of(signed), envelope.payload, envelope)


def batch_of(signed: bytes) -> bytes:
    """What a batch is recognised by."""
    return sha256(signed).digest()[:BATCH_BYTES]


def _genuine(public_key: bytes, signature: bytes, signed: bytes) -> bool:
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        _public(public_key).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4096)
def _public(key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(key)


def _signed_at(envelope: Envelope) -> int | None:
    try:
        return from_text(envelope.signed_at)
    except (ValueError, OverflowError):
        return None


def _key_fault(envelope: Envelope, key: Key, principal: Principal, came: Came) -> Fault | None:
    """Judged at the append time, which the signer cannot choose: who stole an old key could date what he signs back.

    Where the broker's clock and ours differ, either may be wrong: the key does not count if it does not by both.
    """
    if principal.revoked or key.revoked:
        return Fault(Refused.REVOKED, principal.principal_id if principal.revoked else f"key {key.key_id} of {principal.principal_id}")
    signed_at = _signed_at(envelope)
    if signed_at is None:
        return Fault(Refused.TIME_INVALID, "signed_at")
    at, until = (max(came.appended_at, came.now), min(came.appended_at, came.now)) if came.live else (signed_at, signed_at)
    if not key.not_before <= min(at, signed_at) or until >= key.not_after:
        what = f"key {key.key_id} of {principal.principal_id} is valid from {to_text(key.not_before)} to {to_text(key.not_after)}"
        return Fault(Refused.KEY_NOT_VALID, f"{what}, it is {to_text(at)}")
    return None


def _meant_elsewhere(envelope: Envelope, principal: Principal, came: Came) -> Fault | None:
    if envelope.audience != principal.audience:
        return Fault(Refused.WRONG_AUDIENCE, f"for {quoted(envelope.audience)}, here is {principal.audience}")
    if envelope.lane != came.lane.value:
        return other_lane(quoted(envelope.lane), came.lane)
    if envelope.lane not in principal.lanes:
        return Fault(Refused.OTHER_LANE, f"{principal.principal_id} may not speak on lane {came.lane.value}")
    if envelope.family != came.family:
        return Fault(Refused.WRONG_FAMILY, f"signed for {quoted(envelope.family)}, at the {came.family} door")
    if came.family not in principal.families or came.door_of not in ("", principal.principal_id):
        return Fault(Refused.NOT_BOUND, f"{principal.principal_id} at the {came.family} door{' of ' if came.door_of else ''}{came.door_of}")
    return None


def _time_fault(envelope: Envelope, principal: Principal, came: Came) -> Fault | None:
    signed_at = _signed_at(envelope)
    if not came.live or signed_at is None:
        return None
    if signed_at > max(came.appended_at, came.now) + AHEAD_MOST_MS:
        return Fault(Refused.SIGNED_TIME, f"signed {(signed_at - came.appended_at) / SECOND:.0f} s after it came")
    came_at = min(came.appended_at, came.now)
    if came_at - signed_at > principal.signed_within_s * SECOND:
        return Fault(
            Refused.SIGNED_TIME,
            f"signed {(came_at - signed_at) / SECOND:.0f} s before it came, at most {principal.signed_within_s:g} s",
        )
    return None
