"""Which version of the fold decides: one record on the topic `regions`, as all that workers must agree on. Who is not in force says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.records.journal import decode
from stream.records.switching import FoldVersion, switches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from stream.records.journal import Entry
    from stream.runtime.fold_like import FoldLike

KEY = "fold_version"
"""The record's key."""


class InForce(msgspec.Struct, frozen=True):
    """The version that decides, and the one it took over from, "" for the first of a lane."""

    version: str
    before: str = ""


_decoder = msgspec.json.Decoder(InForce)


def to_bytes(in_force: InForce) -> bytes:
    """The record's value."""
    return msgspec.json.encode(in_force)


def from_bytes(value: bytes | None) -> InForce | None:
    """What a record says; None for a tombstone or what cannot be read.

    >>> from_bytes(to_bytes(InForce("6", "5"))), from_bytes(None), from_bytes(b"?")
    (InForce(version='6', before='5'), None, None)
    """
    try:
        return None if value is None else _decoder.decode(value)
    except msgspec.DecodeError:
        return None


def entitled(fold: FoldLike, in_force: InForce | None, present: Collection[str]) -> InForce | None:
    """What is in force once this fold's turn has come, None while it has not. `present`: versions that checkpoints of this journal are of.

    The first version of a lane needs no ceremony, and neither does one that can go on from the state of the version in force (a plain rolling
    restart), unless it is the one that was replaced: the way back is ordered by a person.
    """
    own = fold.VERSION
    if in_force is None:
        before = "" if own in present or not present else next((one for one in sorted(present, reverse=True) if one in fold.MIGRATES), None)
        return None if before is None else InForce(own, before)
    if in_force.version == own:
        return in_force
    return InForce(own, in_force.version) if in_force.version in fold.MIGRATES and in_force.before != own else None


class Turn:
    """Whose turn it is in a partition, for a process with this fold. `shadow`: it only follows, until its own version is in force.

    `before`: the version that it takes over from, "" = none, this is the first of the lane. `in_force`: what is in force at the moment.
    """

    def __init__(self, fold: FoldLike, in_force: Callable[[], InForce | None], *, shadow: bool) -> None:
        self.fold = fold
        self._in_force = in_force
        self.before = ""
        self.shadow = shadow

    def taken(self, state: Any) -> bool:
        """Whether nothing is left to be done before this fold decides alone."""
        return not self.before or self.fold.decided_by(state) == self.fold.VERSION

    def quiet(self, state: Any) -> bool:
        """Whether what is decided now is not to be said: it is, or was, another version's turn."""
        return self.shadow or not (self.taken(state) or self.fold.taking_over(state))

    def ends(self, state: Any, value: bytes) -> bool:
        """Whether another process decides from this record on."""
        message = decode(value) if switches(value) else None
        if not isinstance(message, FoldVersion):
            return False
        if self.shadow:
            in_force = self._in_force()
            return message.version == self.fold.VERSION and in_force is not None and in_force.version == self.fold.VERSION
        return message.version != self.fold.VERSION and not self.quiet(state)


def together(entries: Sequence[Entry], most: int) -> int:
    """How many of these records may be decided in one go: a message of a takeover is always the first of its go.

    >>> from stream.records.journal import Entry, Tick, encode
    >>> tick, switch = encode(Tick(1, 5.0, 0)), encode(FoldVersion("6", "5"))
    >>> together([Entry(0, 0, tick), Entry(1, 0, switch), Entry(2, 0, tick)], 9), together([Entry(1, 0, switch), Entry(2, 0, tick)], 9)
    (1, 2)
    """
    some = entries[:most]
    return next((number for number, one in enumerate(some) if number and switches(one.value)), len(some))
