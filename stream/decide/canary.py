"""What the fold answers to the canary: that it decides. It tells the time like every record, and touches nothing else: no region need be active."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.records.canary import CanaryAnswer, put_of
from stream.records.instants import to_text
from stream.records.journal import columns
from stream.warnings.envelope import of_canary

if TYPE_CHECKING:
    from stream.records.journal import Measurements
    from stream.records.output import Output


def answer(message: Measurements, partition: int, timestamp: int) -> list[Output]:
    """One record for `warnings.canary` for every synthetic measurement in the message; nothing for values that no canary sends."""
    given = columns(message)
    found = []
    for observed_at, value in zip(given.observed_at.tolist(), given.value.tolist(), strict=True):
        put = put_of(value)
        if put is not None:
            made = CanaryAnswer(
                round_at=to_text(observed_at),
                door=put.door,
                door_partition=put.partition,
                journal_partition=partition,
                journalled_at=to_text(timestamp),
            )
            found.append(of_canary(made, message.lane, sent_at=timestamp))
    return found
