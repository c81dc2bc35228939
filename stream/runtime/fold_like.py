"""What the runtime needs of a fold: `stream.decide.fold.Fold`; tests bring a small one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.records.journal import Entry
    from stream.records.output import Output
    from stream.records.switching import Phase


class FoldLike(Protocol):
    """States are opaque to the runtime."""

    VERSION: str
    MIGRATES: frozenset[str]
    """Other versions whose snapshots `restore` takes."""

    def initial(self, partition: int) -> Any:
        """The state before the first record."""

    def apply(self, state: Any, entries: Sequence[Entry]) -> list[Output]:
        """The next records; UnknownRegion is raised before anything is changed."""

    def snapshot(self, state: Any) -> bytes:
        """The state as bytes."""

    def restore(self, data: bytes) -> Any:
        """The state of a snapshot."""

    def heavy(self, state: Any) -> bool:
        """Whether one record may keep the fold busy for long."""

    def at_once(self, state: Any) -> int:
        """How many records of a light state may be applied at a time."""

    def active(self, state: Any) -> Mapping[str, str]:
        """Region name to hash, as activated in this partition."""

    def awaited(self, state: Any) -> frozenset[str]:
        """The hashes of regions that records wait for."""

    def other_lane(self, state: Any) -> int:
        """How many records of other lanes were refused so far."""

    def time_suspect(self, state: Any) -> bool:
        """Whether the clocks of the broker and of the partition's owner contradict each other."""

    def awaits_tick(self, state: Any) -> bool:
        """Whether records wait for a tick that says what time it is."""

    def phase(self, state: Any) -> Phase:
        """Whose turn it is in this partition, as far as this state has come."""

    def go_on(self, state: Any, version: str, next_offset: int) -> None:
        """Note that another version has decided this state up to there."""
