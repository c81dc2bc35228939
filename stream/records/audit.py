"""The record of the topic `audit`: somebody said something that was not his to say, or said it twice in different words."""

from __future__ import annotations

import msgspec

from stream.records.lanes import Lane


class AuditEntry(msgspec.Struct, frozen=True):
    """One refusal for reasons of identity. Of a record at a door, the bytes stand in `rejected`, under the same topic, partition and offset.

    `by`: who refused (`accept`, `intake`, `fold` or `gateway`). `principal`, `key_id` and `sequence`: as the sender says; `proven`: its signature, or its own door,
    shows that it is that principal. `topic`, `partition`, `offset`, `index`: of the record at the door; the fold, which sees only the journal, leaves them
    out and names the batch by `batch`. `batch`: of what was signed, or else of the record, the first 16 bytes of its SHA-256, in hex.
    `measurements`: how many things in it were refused for this reason (1 where it is refused as a whole); `index`: the first of them.
    Gateways keep no bytes; theirs: `remote`, the address that it came from; `shown`, the beginning of the SHA-256 (8 hex digits) of the token or
    certificate that was shown, by which it is found in `gateways.toml` (the first of several); `measurements`, requests, or items of them, within
    some seconds. Reason `many`: those that were too many to be told apart.
    """

    audit_id: str
    reason: str
    detail: str
    by: str
    at: str
    principal: str
    lane: Lane
    proven: bool = False
    key_id: str = ""
    sequence: int | None = None
    batch: str = ""
    domain: str = ""
    topic: str = ""
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    measurements: int = 1
    remote: str = ""
    shown: str = ""
