"""A filled-in record of each kind that is about who said something."""

from __future__ import annotations

from stream.records.audit import AuditEntry
from stream.records.envelope import VERSION, Envelope
from stream.records.journal import SignedMeasurements
from stream.records.lanes import Lane

IDENTITY = {
    "envelope": Envelope(VERSION, "novi-sad", "k1", 7, "danube", "live", "water", "2024-05-01T11:00:00Z", b'{"value":1}', bytes(range(64))),
    "audit_entry": AuditEntry(
        audit_id="measurements.water/0/7/bad_signature",
        reason="bad_signature",
        detail="key k1 of novi-sad: sign exactly the bytes that are sent",
        by="accept",
        at="2024-05-01T11:00:00Z",
        principal="novi-sad",
        lane=Lane.LIVE,
        key_id="k1",
        sequence=7,
        batch="00112233445566778899aabbccddeeff",
        topic="measurements.water",
        partition=0,
        offset=7,
    ),
}
SIGNED = {
    "signed": SignedMeasurements(
        "basin", "0123456789abcdef", b"\x07\0\0\0", bytes(8), bytes(8), b"\0", "novi-sad", "k1", 7, bytes(range(16)), 0, lane="live"
    ),
}
