"""What a signer sends to a door that cannot show who wrote: a batch of measurements, as exact bytes, under one Ed25519 signature.

What is signed is the pre-authentication encoding (`signed_bytes`, the scheme of DSSE 1.0, secure-systems-lab/dsse): every field with its
length before it, so that no two envelopes have the same bytes, and nothing has to be read before the signature is checked.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stream.records.measurement import Name

VERSION: Final = "tocsin-envelope-1"
SIGNATURE_BYTES = 64


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed batch. `payload`: what would be sent unsigned (one measurement or case count, or an array), in base64 as is `signature`.

    `sequence` goes up by one with every batch of a principal and is never used twice. `audience`, `lane` and `family`: for whom, on which lane and
    to which door it was meant; it counts nowhere else. `signed_at`: RFC 3339 with an offset.
    """

    envelope: Literal["tocsin-envelope-1"]
    principal: Name
    key_id: Name
    sequence: Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740_991)]
    audience: Name
    lane: Name
    family: Name
    signed_at: Annotated[str, msgspec.Meta(max_length=40)]
    payload: bytes
    signature: bytes


def signed_bytes(envelope: Envelope) -> bytes:
    r"""What the signature is over: all fields but itself, in their order, each as `<length> <bytes>`.

    >>> signed_bytes(Envelope(VERSION, "p", "k", 7, "danube", "live", "water", "2026-01-01T00:00:00Z", b"{}", b""))
    b'17 tocsin-envelope-1 1 p 1 k 1 7 6 danube 4 live 5 water 20 2026-01-01T00:00:00Z 2 {}'
    """
    texts = (
        envelope.envelope, envelope.principal, envelope.key_id, str(envelope.sequence), envelope.audience, envelope.lane, envelope.family,
        envelope.signed_at,
    )  # fmt: skip
    return b" ".join(b"%d %b" % (len(part), part) for part in (*(text.encode() for text in texts), envelope.payload))


def seal(envelope: Envelope, private_key: bytes) -> bytes:
    """The envelope as it is sent, signed with an Ed25519 private key (its 32 bytes); whatever stood in `signature` is replaced.

    >>> one = Envelope(VERSION, "p", "k", 7, "danube", "live", "water", "2026-01-01T00:00:00Z", b"{}", b"")
    >>> msgspec.json.decode(seal(one, bytes(32)))["payload"]
    'e30='
    """
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(signed_bytes(envelope))
    return msgspec.json.encode(msgspec.structs.replace(envelope, signature=signature))
