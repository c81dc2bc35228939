"""What is wrong with a region folder: all of it at once, each with file, line, field and what to do about it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to correct. `line` counts from 1; 0 = the file as a whole. `field`: column or key ("" = none in particular)."""

    file: str
    line: int
    field: str
    problem: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.field}: {self.problem}" if self.field else self.problem
        return f"{place}: {what}; {self.fix}"


class RegionError(TocsinError):
    """A region folder is not usable; `problems` lists all of it, in the order of files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"the region has {count} problem{'s' if count != 1 else ''}:\n{lines}")


@dataclass(slots=True)
class Findings:
    """Collects problems (the region cannot be used) and notes (it can, but a person should know) while a folder is read."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    _places: set[tuple[str, int, str]] = field(default_factory=set)

    def add(self, file: str, line: int, field_: str, problem: str, fix: str) -> None:
        """Adds a problem, unless one about the same place is known already (the first one said is the cause of the second)."""
        place = (file, line, field_)
        if field_ and line and place in self._places:
            return
        self._places.add(place)
        self.problems.append(Problem(file, line, field_, problem, fix))

    def note(self, file: str, line: int, field_: str, problem: str, fix: str) -> None:
        """Adds a note."""
        self.notes.append(Problem(file, line, field_, problem, fix))

    def sorted_problems(self) -> tuple[Problem, ...]:
        """All problems, by file, line and field, each once."""
        return tuple(sorted(set(self.problems)))

    def sorted_notes(self) -> tuple[Problem, ...]:
        """All notes, by file, line and field, each once."""
        return tuple(sorted(set(self.notes)))


def nearest(word: str, known: Iterable[str]) -> str:
    """A half-sentence that names the known word most like `word`, or all of them if none is like it.

    >>> nearest("celerety", ["celerity", "length"])
    'the nearest known one is "celerity"'
    >>> nearest("x", ["b", "a"])
    'known are: a, b'
    >>> nearest("x", [])
    'none is known'
    """
    words = sorted(set(known))
    like = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if like:
        return f'the nearest known one is "{like[0]}"'
    if not words:
        return "none is known"
    more = f" and {len(words) - 12} more" if len(words) > 12 else ""  # noqa: PLR2004  a dozen is readable
    return f"known are: {', '.join(words[:12])}{more}"
