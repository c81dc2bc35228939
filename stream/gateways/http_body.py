"""The body of a request, read and unpacked within bounds: what is too large is noticed before it is held, not after."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Protocol, Self

from stream.accept.refusal import quoted
from stream.gateways.http_answers import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK_BYTES = 65_536
_GZIP = 31
"""`wbits` of zlib: gzip with its header and checksum."""
_ENCODINGS = ("", "identity", "gzip", "x-gzip")


class Content(Protocol):
    """What is needed of aiohttp's `StreamReader`."""

    def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """The body in pieces of at most `n` bytes."""


class Budget:
    """Bytes that all requests together may hold."""

    def __init__(self, most: int, retry_after_s: int) -> None:
        self._most = most
        self._retry_after_s = retry_after_s
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many more; Refusal 429 when that is too many."""
        if self.held + count > self._most:
            detail = f"{self.held} bytes are being worked on, at most {self._most} may be; nothing of this was taken, send it again after Retry-After"
            raise Refusal(429, detail, retry_after_s=self._retry_after_s)
        self.held += count


class Share:
    """What one request holds of the budget; given back when the block ends."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._held = 0

    def take(self, count: int) -> None:
        """Hold so many more bytes."""
        self._budget.take(count)
        self._held += count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.held -= self._held


async def read(content: Content, length: int | None, most: int, read_s: float, share: Share) -> bytes:
    """The body as it came; Refusal 413 above `most` bytes, 408 when it takes longer than `read_s`, 429 when the budget is spent."""
    if length is not None and length > most:
        raise too_large(most, "body", "bytes")
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(read_s):
            async for piece in content.iter_chunked(CHUNK_BYTES):
                size += len(piece)
                if size > most:
                    raise too_large(most, "body", "bytes")
                share.take(len(piece))
                pieces.append(piece)
    except TimeoutError:
        raise Refusal(408, f"the body did not arrive within {read_s:g} s; send it again, in smaller pieces if the link is slow") from None
    return b"".join(pieces)


def too_large(most: int, what: str, unit: str) -> Refusal:
    """413 that says the limit."""
    return Refusal(413, f"the {what} is larger than {most} {unit}; nothing of it was taken, send it in several requests", limit=most)


def unpack(body: bytes, encoding: str, most: int) -> bytes:
    r"""The payload in a body of this Content-Encoding (none or gzip, also of several members).

    Never makes more than `most` + 1 bytes. Refusal 415 for another encoding, 400 for a damaged body, 413 above `most`.

    >>> import gzip
    >>> unpack(gzip.compress(b"[1]") + gzip.compress(b"\n"), "gzip", 100)
    b'[1]\n'
    >>> unpack(gzip.compress(b" " * 1000), "gzip", 100)
    Traceback (most recent call last):
        ...
    stream.gateways.http_answers.Refusal: 413: the unpacked body is larger than 100 bytes; nothing of it was taken, send it in several requests
    """
    encoding = encoding.strip().lower()
    if encoding not in _ENCODINGS:
        raise Refusal(415, f"Content-Encoding {quoted(encoding)} is not known here; send gzip, or no such header and the body as it is")
    if encoding in ("", "identity"):
        if len(body) > most:
            raise too_large(most, "body", "bytes")
        return body
    pieces: list[bytes] = []
    size = 0
    while body:
        member = zlib.decompressobj(_GZIP)
        try:
            piece = member.decompress(body, most + 1 - size)
        except zlib.error:
            raise Refusal(
                400,
                "the body is not gzip, or was damaged on its way; leave out Content-Encoding if it is not compressed, else send it again",
            ) from None
        size += len(piece)
        pieces.append(piece)
        if size > most:
            raise too_large(most, "unpacked body", "bytes")
        if not member.eof:
            raise Refusal(400, "the gzip body ends too early: a part is missing; send it again, whole")
        body = member.unused_data
    return b"".join(pieces)
