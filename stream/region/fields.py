"""Reading TOML tables strictly: every key is asked for by name, and a key nobody asked for is a problem, with its line."""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.problems import Findings

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_QUOTES = str.maketrans("", "", "\"' ")


@dataclass(slots=True)
class Fields:
    """One table of a TOML file while it is read. `path`: the keys that lead to it; `index`: which of several `[[...]]` (from 0)."""

    file: str
    text: str
    table: Mapping[str, Any]
    findings: Findings
    path: tuple[str, ...] = ()
    index: int = 0
    _asked: set[str] = field(default_factory=set)

    def problem(self, key: str, problem: str, fix: str) -> None:
        """Records a problem at the line of `key` (of the table itself if the key is not there)."""
        self.findings.add(self.file, line_of(self.text, self.path, key, self.index), ".".join((*self.path, key)), problem, fix)

    def note(self, key: str, note: str, fix: str) -> None:
        """Records what a person should know, at the line of `key` (of the table itself if the key is not there)."""
        self.findings.note(self.file, line_of(self.text, self.path, key, self.index), ".".join((*self.path, key)), note, fix)

    def string(self, key: str, *, otherwise: str | None = None) -> str:
        """A text; `otherwise` (a problem if None) where the key is missing."""
        value = self._ask(key, needed=otherwise is None)
        if value is None:
            return otherwise or ""
        if not isinstance(value, str) or (otherwise is None and not value):
            self.problem(key, f"{value!r} is no text", f'write {key} = "..."')
            return otherwise or ""
        return value

    def strings(self, key: str, *, needed: bool = True) -> tuple[str, ...]:
        """A list of texts."""
        value = self._ask(key, needed=needed)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value) or (needed and not value):
            self.problem(key, f"{value!r} is no list of texts", f'write {key} = ["...", "..."]')
            return ()
        if len(set(value)) != len(value):
            self.problem(key, "a name stands twice", "write each once")
        return tuple(dict.fromkeys(value))

    def number(self, key: str, low: float, high: float) -> float | None:
        """A finite number from `low` to `high`; None if it is not given."""
        value = self._ask(key, needed=False)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.problem(key, f"{value!r} is no finite number", f"write {key} = a number from {low:g} to {high:g}")
            return None
        if not low <= value <= high:
            self.problem(key, f"{value:g} is out of range", f"give a number from {low:g} to {high:g}")
            return None
        return float(value)

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`; None if it is not given."""
        value = self.number(key, low, high)
        if value is not None and value != int(value):
            self.problem(key, f"{value:g} is no whole number", f"give a whole number from {low} to {high}")
            return None
        return None if value is None else int(value)

    def flag(self, key: str) -> bool:
        """True or false; false if it is not given."""
        value = self._ask(key, needed=False)
        if value is not None and not isinstance(value, bool):
            self.problem(key, f"{value!r} is neither true nor false", f"write {key} = true, or leave it out")
            return False
        return bool(value)

    def sub(self, key: str) -> Fields | None:
        """The table below `key`; None if it is not there."""
        value = self._ask(key, needed=False)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.problem(key, f"{value!r} is no table", f"write a table [{'.'.join((*self.path, key))}]")
            return None
        return Fields(self.file, self.text, value, self.findings, (*self.path, key), self.index)

    def subs(self, key: str) -> tuple[Fields, ...]:
        """The tables of an array `[[key]]`."""
        value = self._ask(key, needed=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.problem(key, f"{value!r} is no array of tables", f"write [[{'.'.join((*self.path, key))}]]")
            return ()
        return tuple(Fields(self.file, self.text, item, self.findings, (*self.path, key), at) for at, item in enumerate(value))

    def names(self) -> tuple[str, ...]:
        """The keys of the table, in the order of the file."""
        return tuple(self.table)

    def no_more(self) -> None:
        """Every key that was not asked for is a problem."""
        for key in self.table:
            if key not in self._asked:
                self.problem(key, "no such key", f"remove or correct it: {nearest(key, self._asked)}")

    def _ask(self, key: str, *, needed: bool) -> Any:
        self._asked.add(key)
        value = self.table.get(key)
        if value is None and needed:
            self.problem(key, "is missing", f"add {key} = ...")
        return value


def read_toml(file: str, data: bytes, findings: Findings) -> Fields | None:
    """The top table of a TOML file; None, with the problem recorded, if it cannot be read."""
    try:
        text = data.decode("utf-8-sig")
        return Fields(file, text, tomllib.loads(text), findings)
    except UnicodeDecodeError as error:
        findings.add(file, data.count(b"\n", 0, error.start) + 1, "", "is not UTF-8", "save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        findings.add(
            file, int(line[1]) if line else text.count("\n") + 1, "", f"is no TOML: {error}", "correct the syntax (https://toml.io)"
        )
    return None


def line_of(text: str, path: tuple[str, ...], key: str, index: int = 0) -> int:
    r"""The line (from 1) of `key` in the table `path` (the index-th of several), the table's own line without it, 0 if neither is found.

    >>> line_of("a = 1\n[t.u]\nb = 2\n", ("t", "u"), "b"), line_of("a = 1\n[t]\n", ("t",), "x")
    (3, 2)
    """
    wanted, here, seen, table_line = ".".join(path).translate(_QUOTES), "", -1, 0
    full = ".".join((*path, key)).translate(_QUOTES)
    is_key = re.compile(rf"""^\s*["']?{re.escape(key)}["']?\s*[=.]""")
    inline = re.compile(rf"""[{{,]\s*["']?{re.escape(key)}["']?\s*=""")
    array = _array_of(text, path)
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            here = header[2].translate(_QUOTES)
            if header[1] == "[[" and here == array:
                seen += 1
            if (here == wanted and (not array or seen == index)) or (here == full and not table_line):
                table_line = number
            if here == full and (not array or seen == index):
                return number
        elif not array or seen == index:
            if here == wanted and is_key.match(line):
                return number
            if path and re.match(rf"\s*{re.escape(path[-1])}\s*=", line) and here == ".".join(path[:-1]):
                table_line = number
                if inline.search(line):
                    return number
    return table_line


def _array_of(text: str, path: tuple[str, ...]) -> str:
    """The dotted path of the array of tables that `path` lies in, "" if in none."""
    for size in range(len(path), 0, -1):
        dotted = ".".join(path[:size])
        if f"[[{dotted}]]" in text.replace(" ", ""):
            return dotted
    return ""
