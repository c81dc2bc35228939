"""Signed envelopes of a batch: opened, and what is in them decoded and judged as its signer's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.accept.audit import Claim
from stream.accept.cut import Origin
from stream.accept.decode import SINGLE, Bad
from stream.accept.envelope import Denied, open_envelope
from stream.accept.refusal import Fault, Refused

if TYPE_CHECKING:
    from stream.accept.decode import Decoded, Decoder
    from stream.accept.envelope import Came
    from stream.accept.speakers import Speaker, Speakers


class Inside(NamedTuple):
    """What is in an envelope that counts: its bytes, its readable measurements, who signed them, and what of it is bad (by element)."""

    payload: bytes
    decoded: Decoded
    speaker: Speaker
    origin: Origin


class Unsealed(NamedTuple):
    """What became of an envelope: its content or nothing, who it says it is from, and what is wrong with it or in it."""

    inside: Inside | None
    claim: Claim
    bad: list[Bad]


def unseal(number: int, value: bytes, came: Came, speakers: Speakers, decoder: Decoder) -> Unsealed:
    """Open the envelope that is record `number` of its batch."""
    opened = open_envelope(value, came, speakers)
    if isinstance(opened, Denied):
        envelope = opened.envelope
        claim = Claim("" if envelope is None else envelope.principal, opened.proven, envelope, denied=True)
        return Unsealed(None, claim, [Bad(number, SINGLE, opened.fault)])
    decoded = decoder.decode([opened.payload])
    bad = [one._replace(record=number) for one in decoded.bad]
    bad += [Bad(number, one.element, Fault(Refused.NOT_BOUND, "a report; a principal speaks for stations")) for one in decoded.reports]
    bad += [Bad(number, SINGLE, Fault(Refused.BAD_ENVELOPE, "an envelope within an envelope")) for _ in decoded.envelopes]
    principal = opened.principal
    speaker = speakers.speaker(opened.region_hash, principal)
    origin = Origin(principal.principal_id, opened.key_id, opened.sequence, opened.batch)
    claim = Claim(principal.principal_id, proven=True, envelope=opened.envelope)
    return Unsealed(Inside(opened.payload, decoded, speaker, origin), claim, bad)
