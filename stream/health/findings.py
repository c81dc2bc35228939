"""What `tocsin doctor` found: one fact a finding, whether it is well, and if not what to do about it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """What is to be thought of a fact."""

    OK = "ok"
    NOTE = "!"
    """It works, and somebody should look at it by day."""
    UNKNOWN = "?"
    """It could not be looked at: nothing says that it is well."""
    BAD = "x"
    """It does not work, or something can be lost."""


class Finding(NamedTuple):
    """One fact. `group`: what it is about (`broker`, `topics` ...); `fix`: what to do, empty when it is well."""

    group: str
    verdict: Verdict
    said: str
    fix: str = ""


class Group:
    """Findings about one thing are made with this.

    >>> Group("disk").judge(False, "3 MB free", "make room", good="room enough")
    Finding(group='disk', verdict=<Verdict.BAD: 'x'>, said='3 MB free', fix='make room')
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def ok(self, said: str) -> Finding:
        """It is well."""
        return Finding(self.name, Verdict.OK, said)

    def note(self, said: str, fix: str) -> Finding:
        """Somebody should look at it."""
        return Finding(self.name, Verdict.NOTE, said, fix)

    def unknown(self, said: str, fix: str) -> Finding:
        """It could not be looked at."""
        return Finding(self.name, Verdict.UNKNOWN, said, fix)

    def bad(self, said: str, fix: str) -> Finding:
        """It does not work."""
        return Finding(self.name, Verdict.BAD, said, fix)

    def judge(self, well: bool, said: str, fix: str, *, good: str = "") -> Finding:
        """OK with `good` (or `said`), or else BAD."""
        return self.ok(good or said) if well else self.bad(said, fix)


def summary(findings: Iterable[Finding]) -> str:
    """All of them in a line.

    >>> disk = Group("disk")
    >>> summary([disk.ok("a"), disk.ok("b"), disk.note("c", "d")]), summary([disk.bad("a", "b"), disk.unknown("c", "d")])
    ('nothing is broken: 1 to look at, 2 ok', '1 broken, 1 not known, 0 to look at, 0 ok')
    """
    count = Counter(one.verdict for one in findings)
    broken, unknown = count[Verdict.BAD], count[Verdict.UNKNOWN]
    first = f"{broken} broken, {unknown} not known, " if broken or unknown else "nothing is broken: "
    return f"{first}{count[Verdict.NOTE]} to look at, {count[Verdict.OK]} ok"
