"""Journal messages by which one version of the fold takes over from another: in each partition at one place, which every reader sees."""

from __future__ import annotations

from stream.records.laned import Laned


class FoldVersion(Laned, frozen=True, array_like=True, tag="v", gc=False):
    """From here on the fold of `version` decides, and that of `before` no more. Measurements and all else that follow wait for `Standing`."""

    version: str
    before: str


class Standing(Laned, frozen=True, array_like=True, tag="p", gc=False):
    """What stood published of a partition's warnings when the fold of `version` took over: in `parts` messages, this one being `part` from 0.

    `taken_at` names the set (ms). `records`: the newest record of each warning that had not ended, as it stands on its topic. `ended`: of the others
    (domain, hazard, incident_id, warning_id, revision).
    """

    version: str
    taken_at: int
    part: int
    parts: int
    records: tuple[bytes, ...]
    ended: tuple[tuple[str, str, str, str, int], ...] = ()


def switches(value: bytes) -> bool:
    """Whether a journal record is one of these, by its first bytes: cheap enough to ask of every record.

    >>> from stream.records.journal import Tick, encode
    >>> switches(encode(FoldVersion("6", "5"))), switches(encode(Standing("6", 1, 0, 1, ()))), switches(encode(Tick(1, 5.0, 0)))
    (True, True, False)
    """
    return value[1:3] in (b"\xa1v", b"\xa1p")
