"""What the edge does with a warning, as a pure rule: fail open, but never let a revision go back or an expired warning pass for a live one."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.records.lanes import OTHER_LANE, Lane, belongs
from stream.records.output import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.records.output import Output
    from stream.runtime.compacted import Kept

STALE_MS = 60_000
"""A superseded warning older than this says nothing any more."""
DELIVERY_MS = 1_000
"""A warning that ends within so short a time would end on its way to the topic."""
REPEATS = frozenset({"reassert", "reminded", "deputies"})
"""The reasons for saying the same once more."""
LEVELS = {"none": 0, "blue": 1, "yellow": 2, "orange": 3, "red": 4}


class Verdict(StrEnum):
    """What became of a warning at the edge: the metric label; `expired` and `superseded` are the header `reason` on warnings.late."""

    PUBLISHED = "published"
    REPEATED = "repeated"
    """Equal to what stands on the topic already: not sent again."""
    OLDER = "older"
    """A lower revision than the published one, not of a higher level: not sent."""
    OLDER_BUT_HIGHER = "older_but_higher"
    """A lower revision with a higher level: sent, and an alarm."""
    DIFFERENT = "different"
    """The published revision with other bytes: sent, and an alarm."""
    OTHER_LANE = OTHER_LANE
    """It says it is of another lane than these topics: not sent, and an alarm."""
    EXPIRED = "expired"
    SUPERSEDED = "superseded"

    @property
    def sent(self) -> bool:
        """Whether it goes to the topic it was meant for."""
        return self not in {Verdict.REPEATED, Verdict.OLDER, Verdict.EXPIRED, Verdict.SUPERSEDED, Verdict.OTHER_LANE}

    @property
    def late(self) -> bool:
        """Whether it goes to warnings.late instead."""
        return self in {Verdict.EXPIRED, Verdict.SUPERSEDED}

    @property
    def alarming(self) -> bool:
        """Whether a person must know."""
        return self in {Verdict.OLDER_BUT_HIGHER, Verdict.DIFFERENT, Verdict.OTHER_LANE}


class Published(NamedTuple):
    """The highest revision of a warning that stands on a topic."""

    revision: int
    level: int
    digest: bytes


class Standing(NamedTuple):
    """What stands on `warnings`: its number of partitions, and by warning_id the highest revision."""

    partitions: int
    published: Mapping[str, Published]


class _Wire(msgspec.Struct):
    revision: int
    level: str
    lane: str = ""


_decoder = msgspec.json.Decoder(_Wire)


def digest(value: bytes | None) -> bytes:
    """What tells equal bytes from other ones."""
    return blake2b(value or b"", digest_size=16).digest()


def published(output: Output) -> Published:
    """The book-keeping entry of an output."""
    return Published(output.revision, output.level, digest(output.value))


def read_back(value: bytes | None, lane: Lane) -> Published | None:
    """The entry of a record of `warnings`; None for a tombstone, or one that is not ours or of another lane.

    >>> found = read_back(b'{"revision": 3, "level": "red", "lane": "live"}', Lane.LIVE)
    >>> found and found[:2]
    (3, 4)
    """
    if value is None:
        return None
    try:
        wire = _decoder.decode(value)
    except msgspec.DecodeError:
        return None
    if not belongs(wire.lane, lane):
        return None
    return Published(wire.revision, LEVELS.get(wire.level, 0), digest(value))


def standing(kept: Mapping[int, Mapping[bytes, Kept]], lane: Lane) -> Standing:
    """What the latest records of all partitions of `warnings` say."""
    found: dict[str, Published] = {}
    for records in kept.values():
        for key, one in records.items():
            name, entry = key.decode("utf-8", "replace"), read_back(one.value, lane)
            if entry is not None and (name not in found or entry.revision > found[name].revision):
                found[name] = entry
    return Standing(len(kept), found)


def ends(output: Output, now: int) -> bool:
    """Whether the output will have expired before a reader can have it."""
    return output.expires_at is not None and output.expires_at <= now + DELIVERY_MS


def judge(output: Output, before: Published | None, *, now: int | None, followed: bool) -> Verdict:
    """The verdict on one warning.

    `before`: the highest published revision; `now`: the broker's time, None where lateness is not judged (replay lanes, clocks that disagree);
    `followed`: a later revision of the same warning is in the same batch.
    """
    if before is not None and output.value is not None:
        if output.revision < before.revision:
            return Verdict.OLDER_BUT_HIGHER if output.level > before.level else Verdict.OLDER
        if output.revision == before.revision and output.reason not in REPEATS:
            return Verdict.REPEATED if digest(output.value) == before.digest else Verdict.DIFFERENT
    if now is not None and output.kind is Kind.CITY:
        if ends(output, now):
            return Verdict.EXPIRED
        if followed and now - output.sent_at > STALE_MS:
            return Verdict.SUPERSEDED
    return Verdict.PUBLISHED


def followed(outputs: Sequence[Output]) -> list[bool]:
    """For each output whether a later one of the same kind, warning and a higher revision is in the batch."""
    later: Counter[tuple[Kind, str]] = Counter()
    flags = []
    for output in reversed(outputs):
        key = (output.kind, output.warning_id)
        flags.append(bool(output.warning_id) and later[key] > output.revision)
        later[key] = max(later[key], output.revision)
    return flags[::-1]
