"""Journal messages by which one version of the fold takes over from another: in each partition at one place, which every reader sees."""

from __future__ import annotations

from typing import NamedTuple

from stream.records.laned import Laned


class FoldVersion(Laned, frozen=True, array_like=True, tag="v", gc=False):
    """From here on the fold of `version` decides, and that of `before` no more. Measurements and all else that follow wait for `Standing`.

    `turn`: the number of the change, which only grows; the first version of a lane has turn 0 and no switch. What names an earlier turn than the
    partition is in was written late, and counts no more.
    """

    version: str
    before: str
    turn: int = 0


class Standing(Laned, frozen=True, array_like=True, tag="p", gc=False):
    """What stood published of a partition's warnings when the fold of `version` took over: in `parts` messages, this one being `part` from 0.

    `taken_at` names the set (ms). `records`: the newest record of each warning that had not ended, as it stands on its topic. `ended`: of the others
    (domain, hazard, incident_id, warning_id, revision). `turn`: that of the switch. `base`: whence the state came that takes over, if another
    version had decided it: that one, and the first offset that it had not. A state that came from elsewhere would not say the same: it passes
    over this set and waits for its own.
    """

    version: str
    taken_at: int
    part: int
    parts: int
    records: tuple[bytes, ...]
    ended: tuple[tuple[str, str, str, str, int], ...] = ()
    turn: int = 0
    base: tuple[str, int] = ("", 0)


class Phase(NamedTuple):
    """Where a state stands between versions. `decided_by`: who took its partition over last, "" = nobody, it is the first; `turn`: by which change.

    `taking_over`: its own version does so now. `base`: see `Standing`, ("", 0) = it was decided by its own version from the beginning.
    """

    decided_by: str = ""
    turn: int = 0
    taking_over: bool = False
    base: tuple[str, int] = ("", 0)


def switches(value: bytes) -> bool:
    """Whether a journal record is one of these, by its first bytes: cheap enough to ask of every record.

    >>> from stream.records.journal import Tick, encode
    >>> switches(encode(FoldVersion("6", "5"))), switches(encode(Standing("6", 1, 0, 1, ()))), switches(encode(Tick(1, 5.0, 0)))
    (True, True, False)
    """
    return value[1:3] in (b"\xa1v", b"\xa1p")
