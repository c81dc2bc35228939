"""How fast history is played, and what is sent together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.review.inputs import DoorMessage


class Pace(NamedTuple):
    """`speed` times as fast as it was observed (None = as fast as possible), in batches of at most `batch` awaited records."""

    speed: float | None = None
    batch: int = 500


def batches(messages: Sequence[DoorMessage], pace: Pace) -> Iterator[Sequence[DoorMessage]]:
    """Runs of messages that are sent together: at most `pace.batch`, and of one instant where the pace is that of a clock."""
    start = 0
    while start < len(messages):
        end = min(start + pace.batch, len(messages))
        if pace.speed is not None:
            at = messages[start].observed_at
            end = next((one for one in range(start, end) if messages[one].observed_at != at), end)
        yield messages[start:end]
        start = end
