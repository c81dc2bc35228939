"""What is refused of an MQTT message, for the topic `rejected`: its sender cannot be told, and once it is acknowledged nobody else has it.

One record a message, whatever is wrong with how much of it, else a message of junk would become a hundred thousand records. The broker has no
offsets, so a message is named by its topic and the hash of its bytes: delivered once more it gives the same key again.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from stream.accept.refusal import DETAIL_CHARS_MAX, Refused, digest
from stream.gateways.verdict import ToDoor
from stream.records.rejected import RejectedHeaders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.verdict import Judged

REJECTED = "rejected"
"""What the sender calls the way to this topic."""


def kept(topic: str, payload: bytes, refused: Sequence[Judged], *, most: int) -> ToDoor:
    """The record that keeps what is refused of one message, at least one thing. `most`: so many of its bytes (0: it may hold case counts).

    >>> from stream.gateways.verdict import Judged, Verdict
    >>> said = [Judged(at, Verdict.REJECTED, f"$[{at}]", "why", Refused.NOT_FINITE) for at in range(2)]
    >>> one = kept("tocsin/a/b", b"[...]", said, most=9)
    >>> one.value, [text for name, text in one.headers if name in {"reason", "detail", "topic", "size"}]
    (b'[...]', [b'not_finite', b'2 refused (2 not_finite); the first, $[0]: why', b'tocsin/a/b', b'5'])
    """
    sha256 = digest(payload)
    told = Counter(one.reason for one in refused if one.reason is not None)
    first = refused[0]
    reason, detail, index = next(iter(told), Refused.MANY), first.error, first.path
    if len(refused) > 1:
        what = ", ".join(f"{count} {one}" for one, count in sorted(told.items()))
        detail, index = f"{len(refused)} refused ({what}); the first, {first.path}: {first.error}", ""
    headers = RejectedHeaders(
        reason=(reason if len(told) == 1 else Refused.MANY).value,
        detail=detail if len(detail) <= DETAIL_CHARS_MAX else f"{detail[: DETAIL_CHARS_MAX - 3]}...",
        topic=topic,
        partition="",
        offset="",
        index=index,
        sha256=sha256,
        size=str(len(payload)),
    )
    texts = tuple((name, text.encode()) for name, text in asdict(headers).items())
    return ToDoor(REJECTED, payload[:most], (), f"mqtt/{topic}/{sha256}".encode(), texts)
