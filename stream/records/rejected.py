"""What stands in the headers of a `rejected` record; its value is the bytes as they came (none for case counts)."""

from __future__ import annotations

import msgspec


class RejectedHeaders(msgspec.Struct, frozen=True):
    """Why and where something was refused, each as UTF-8 text.

    `reason`: a name from `stream.accept.refusal.Refused`; `detail`: what is wrong, where, and what to do; `topic`, `partition`, `offset`: the
    record at the door; `index`: the element of an array, "" for the whole record; `sha256`: of the refused bytes; `size`: how many.
    Of what a gateway refused: its MQTT topic, no partition and no offset, and as `index` the path of what is wrong in the message.
    """

    reason: str
    detail: str
    topic: str
    partition: str
    offset: str
    index: str
    sha256: str
    size: str
