"""What the fold remembers of signed batches, a part of its state."""

from __future__ import annotations

import msgspec


class SignedBatch(msgspec.Struct, array_like=True):
    """A signed batch that was taken: its number, the first bytes of its hash, and which of its parts is next (`stream.decide.sequences`)."""

    sequence: int
    batch: bytes
    next_part: int
