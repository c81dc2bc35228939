"""Idempotency-Key: a request that is sent again gets the answer it got (draft-ietf-httpapi-idempotency-key-header), so that retries are free.

Only what was answered for good is remembered; after 429 or 503 the same key starts anew. The memory is bounded and this process's own:
what it has forgotten is judged again, and the fold drops what comes twice.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

KEY_CHARS_MAX = 255
_FIXED_BYTES = 400
"""What an entry costs besides its key and its answer."""


class Kept(NamedTuple):
    """An answer: of which request (digest), its status and body, and when it was given (ms). A status of 0: it is still being worked on."""

    digest: bytes
    status: int
    body: bytes
    at: int

    @property
    def running(self) -> bool:
        """Whether the first request with this key has no answer yet."""
        return not self.status


class Keys:
    """Answers by key, the oldest forgotten first. Times in ms are arguments."""

    def __init__(self, bytes_most: int, keep_ms: int) -> None:
        self._bytes_most = bytes_most
        self._keep_ms = keep_ms
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._kept)

    def begin(self, key: str, digest: bytes, now: int) -> Kept | None:
        """What is remembered of this key; None if nothing, and then it counts as being worked on until `done` or `forget`.

        The caller compares `digest`: another request under the same key is the sender's mistake.

        >>> keys = Keys(10_000, 1_000)
        >>> keys.begin("a", b"1", 5), keys.begin("a", b"1", 6).running
        (None, True)
        >>> keys.done("a", 202, b"{}", 7)
        >>> keys.begin("a", b"1", 8).status, keys.begin("a", b"1", 5_000)
        (202, None)
        """
        self._expire(now)
        found = self._kept.get(key)
        if found is None:
            self._put(key, Kept(digest, 0, b"", now))
        return found

    def done(self, key: str, status: int, body: bytes, now: int) -> None:
        """Remember the answer."""
        began = self._kept[key]
        self.forget(key)
        self._put(key, Kept(began.digest, status, body, now))
        self._expire(now)

    def forget(self, key: str) -> None:
        """There was no answer that holds: the same request may be tried again."""
        if (gone := self._kept.pop(key, None)) is not None:
            self.size -= _cost(key, gone)

    def _put(self, key: str, kept: Kept) -> None:
        self._kept[key] = kept
        self.size += _cost(key, kept)

    def _expire(self, now: int) -> None:
        for key, kept in list(self._oldest(now)):
            self.size -= _cost(key, kept)
            del self._kept[key]

    def _oldest(self, now: int) -> list[tuple[str, Kept]]:
        """Those to forget: too old, or the oldest beyond the bound. What is being worked on stays."""
        gone: list[tuple[str, Kept]] = []
        size = self.size
        for key, kept in self._kept.items():
            if kept.at > now - self._keep_ms and size <= self._bytes_most:
                break
            if not kept.running:
                gone.append((key, kept))
                size -= _cost(key, kept)
        return gone


def _cost(key: str, kept: Kept) -> int:
    return _FIXED_BYTES + len(key) + len(kept.body)
