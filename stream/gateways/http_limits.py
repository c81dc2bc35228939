"""How much one HTTP gateway takes at once: every bound that a sender can meet, in one place, with what it protects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.errors import TocsinError

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
FAR = 1e12


class HttpLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of the HTTP gateway. Bytes unless named otherwise; those of `backfill` apply to POST /v1/backfill."""

    body_bytes: int = 4 * MIB
    """The largest body as it comes over the wire."""
    unpacked_bytes: int = 8 * MIB
    """The largest body after gzip: a few kilobytes could otherwise become gigabytes."""
    items: int = 20_000
    """The most measurements in one request: they are judged in one go, and everybody else waits so long."""
    backfill_body_bytes: int = 16 * MIB
    backfill_unpacked_bytes: int = 64 * MIB
    backfill_items: int = 1_000_000
    in_flight_bytes: int = 128 * MIB
    """Bodies being read, judged or waiting for Kafka, all requests together; above it, 429."""
    read_s: float = 30.0
    """A body must have arrived within this time; a sender that drips bytes would otherwise hold its share for ever."""
    retry_after_s: int = 1
    """What 429 and 503 say."""
    keys_bytes: int = 32 * MIB
    """Answers remembered by Idempotency-Key, all together."""
    keys_s: int = 86_400
    """How long an answer is remembered at most. The memory is this process's: after a restart the fold drops what comes twice."""
    stations: int = 100_000
    """How many stations (of all gateways) the last-seen page knows at most; the longest silent ones go first."""

    def __post_init__(self) -> None:
        wrong = [name for name in self.__struct_fields__ if not 0 < getattr(self, name) < FAR]
        if wrong:
            msg = f"limits must be above 0 and finite: {', '.join(wrong)}"
            raise TocsinError(msg)


def load_limits(path: Path | None) -> HttpLimits:
    """Limits from a TOML file over the usual ones; TocsinError names what is wrong."""
    if path is None:
        return HttpLimits()
    try:
        return msgspec.toml.decode(path.read_bytes(), type=HttpLimits)
    except (msgspec.MsgspecError, OSError) as error:
        msg = f"{path}: {error}; known limits: {', '.join(HttpLimits.__struct_fields__)}"
        raise TocsinError(msg) from error
