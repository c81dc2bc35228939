"""The canary's own nouns: what it hands in at every door, and what the service answers on `warnings.canary` to show that the way is open.

A synthetic measurement carries where it was put in its value, and its round in `observed_at`; nothing else about it is looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from stream.records.lanes import Lane

CITY = "canary"
"""Reserved: no region has a city of this name."""
PRINCIPAL = "canary"
"""Reserved: whose door `ingest.canary` is."""
DOMAIN_PREFIX = "canary-"
"""Reserved: of every journal partition one domain, `canary-<partition>`."""
REGION_HASH = "canary"
"""No hash of a folder (they are hex digits): by it the fold knows what is the canary's, before any region is active."""
INGEST = "ingest"
DOORS = ("water", "air", "health", INGEST)
"""Where the canary puts measurements: the shared doors, and its own, which `tocsin intake` reads."""
PARTITIONS_MOST = 1_000_000


class Put(NamedTuple):
    """The partition of a door into which a synthetic measurement was put."""

    door: str
    partition: int


def value_of(put: Put) -> int:
    """What a synthetic measurement says, so that its answer tells where it came from.

    >>> value_of(Put("air", 7)), put_of(1_000_007.0), put_of(7.5), put_of(-3.0), put_of(9e9)
    (1000007, Put(door='air', partition=7), None, None, None)
    """
    return DOORS.index(put.door) * PARTITIONS_MOST + put.partition


def put_of(value: float) -> Put | None:
    """Where it was put; None when the value is none that a canary sends."""
    if not (0 <= value < len(DOORS) * PARTITIONS_MOST and value == int(value)):
        return None
    door, partition = divmod(int(value), PARTITIONS_MOST)
    return Put(DOORS[door], partition)


class CanaryAnswer(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="canary"):
    """A synthetic measurement that came through the whole service (topic `warnings.canary`). It says nothing of any danger.

    `round_at`: of the round it was sent in. `door` (water, air, health; ingest: the canary's own) and `door_partition`: where it was put.
    `journal_partition`: which was decided on. `journalled_at`: when the journal had it.
    """

    lane: Lane = Lane.TEST
    round_at: str
    door: str
    door_partition: int
    journal_partition: int
    journalled_at: str
