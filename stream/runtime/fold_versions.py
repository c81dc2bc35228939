"""Which version of the fold decides: one record on the topic `regions`, as all that workers must agree on. Who is not in force says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.records.journal import decode
from stream.records.lanes import belongs
from stream.records.switching import FoldVersion, switches

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from stream.records.journal import Entry
    from stream.records.lanes import Lane
    from stream.runtime.checkpoint import Checkpoint
    from stream.runtime.fold_like import FoldLike
    from stream.runtime.regions_feed import RegionsFeed

KEY = "fold_version"
"""The record's key."""


class InForce(msgspec.Struct, frozen=True):
    """The version that decides, and the one it took over from, "" for the first of a lane. `turn`: the number of the change, 0 for that one."""

    version: str
    before: str = ""
    turn: int = 0


_decoder = msgspec.json.Decoder(InForce)


def to_bytes(in_force: InForce) -> bytes:
    """The record's value."""
    return msgspec.json.encode(in_force)


def from_bytes(value: bytes | None) -> InForce | None:
    """What a record says; None for a tombstone or what cannot be read.

    >>> from_bytes(to_bytes(InForce("6", "5"))), from_bytes(None), from_bytes(b"?")
    (InForce(version='6', before='5', turn=0), None, None)
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
        return None if before is None else InForce(own, before, 1 if before else 0)
    if in_force.version == own:
        return in_force
    ours = in_force.version in fold.MIGRATES and in_force.before != own
    return InForce(own, in_force.version, in_force.turn + 1) if ours else None


class Turn(NamedTuple):
    """Whose turn it is in the partitions of one assignment. `granted`: what is in force, read after the assignment; `shadow`: this only follows.

    Everything is told by the journal: `granted` is on its topic before any journal can hold the switch to it. So a state that has passed the switch
    of the newest turn, and only such a one, says what nobody else does; whoever restores an older one decides what follows in silence.
    """

    fold: FoldLike
    granted: InForce
    lane: Lane
    shadow: bool = False

    def restored(self, best: Checkpoint) -> Any:
        """The state of a checkpoint, of this version or of one that it can go on from."""
        state, manifest = self.fold.restore(best.data), best.manifest
        if manifest.fold_version != self.fold.VERSION:
            self.fold.go_on(state, manifest.fold_version, manifest.next_offset)
        return state

    def base(self, state: Any) -> tuple[str, int]:
        """Where this version went on from another one's state."""
        return self.fold.phase(state).base

    def taken(self, state: Any) -> bool:
        """Whether this fold decides alone, and nothing is left to be done before it does."""
        phase = self.fold.phase(state)
        by = {"", self.fold.VERSION} if not self.granted.before else {self.fold.VERSION}
        return self._ours and phase.turn == self.granted.turn and phase.decided_by in by and not phase.taking_over

    def quiet(self, state: Any) -> bool:
        """Whether what is decided now is not to be said: it is another version's to say, or was, and what stands is not known yet."""
        return self.shadow or not self.taken(state)

    def over(self, state: Any) -> bool:
        """Whether another process decides from this state on."""
        return not self.shadow and not self._ours and self.fold.phase(state).turn >= self.granted.turn

    def ends(self, value: bytes, in_force: InForce | None) -> bool:
        """Whether another process decides from this record on. `in_force`: as it is known now."""
        message = decode(value) if switches(value) else None
        if not isinstance(message, FoldVersion) or not belongs(message.lane, self.lane):
            return False
        if self.shadow:
            return in_force is not None and in_force.version == self.fold.VERSION == message.version and message.turn == in_force.turn
        return message.turn > self.granted.turn or (message.turn == self.granted.turn and not self._ours)

    @property
    def _ours(self) -> bool:
        return self.granted.version == self.fold.VERSION


class Turns:
    """Says at every assignment whose turn it is. `mine`: what let this process begin."""

    def __init__(self, fold: FoldLike, feed: RegionsFeed, lane: Lane, *, shadow: bool) -> None:
        self._fold = fold
        self._feed = feed
        self._lane = lane
        self._shadow = shadow
        self.mine = InForce(fold.VERSION)

    async def granted(self) -> Turn:
        """By what stands on the topic now; whoever took over has written that before it joined."""
        return Turn(self._fold, await self._feed.newest_fold_version() or self.mine, self._lane, self._shadow)

    @property
    def in_force(self) -> InForce | None:
        """As far as it is known."""
        return self._feed.fold_version

    @property
    def superseded(self) -> bool:
        """Whether another version is known to be in force."""
        known = self.in_force
        return known is not None and known.version != self._fold.VERSION and not self._shadow


def together(entries: Sequence[Entry], most: int) -> int:
    """How many of these records may be decided in one go: a message of a takeover is always the first of its go.

    >>> from stream.records.journal import Entry, Tick, encode
    >>> tick, switch = encode(Tick(1, 5.0, 0)), encode(FoldVersion("6", "5"))
    >>> together([Entry(0, 0, tick), Entry(1, 0, switch), Entry(2, 0, tick)], 9), together([Entry(1, 0, switch), Entry(2, 0, tick)], 9)
    (1, 2)
    """
    some = entries[:most]
    return next((number for number, one in enumerate(some) if number and switches(one.value)), len(some))
