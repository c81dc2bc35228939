"""A golden scenario as it is written down: what is pushed when, and what everybody must have heard, nothing less and nothing more.

A scenario is one TOML file in `life/`; its name says what it shows. All times count from the scenario's start ("1h30m", "2d").

    topics = ["life cycle"]         # of TOPICS
    region = "rill"                 # a folder of life/regions, or of deploy/regions as "deploy/example"
    clocks = ["broker", "observed"] # the live lane, a replay lane, or both; "broker" alone if it is not said
    ends = "4h"                     # ticks go on until then, every `ticks` ("10m"), a second after the measurements of that instant
    interval = "10m"                # of [series]: "1x6 4.5x* " is six times 1, then 4.5 until the end; _ is nothing
    [series]
    upper = "1x6 4.5x12"
    [[edit]]                        # of the region's files: `file`, and `text`, or `old` and `new`, or `append`
    [[steps]]                       # at = "1h", or from/to/every; and one of ACTS (see life_pushes)

    want = [                        # every message on a city's topic but statuses: [city, when, "msg_type level reason", {fields}]
      ["cam", "1h", "alert orange first", {path = "same_place"}],
      ["cam", "3h..9h", "update orange extended", {count = [1, 3]}],
    ]
    status = [["ava", "2h", "clear"]]             # what a reader makes of the statuses told so far; {hazard = "flood"} where there are several
    incidents = [["2h", {state = "open"}]]        # the newest record of an incident then; {which = 1} the one opened second
    opened = 1                                     # how many incidents there were in all
    records = [["station_health", "2h", {state = "silent"}]]   # every record of a kind that is named here

Fields: `"a.b"` goes into the record; a suffix compares otherwise: `.has`, `.lacks`, `.within` ([low, high], also of times), `.at` (a time),
`.count` (of a list). `repeat = "reassert"` wants the same bytes once more (the header or reason that says why).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from stream.records.instants import DAY, HOUR, MINUTE, SECOND

START = 1_790_000_000_000 // HOUR * HOUR
"""When every scenario begins."""
LIFE = Path(__file__).parent / "life"
TOPICS = (
    "fusion", "forecast at the city", "life cycle", "blindness", "cascades", "who does what", "acknowledgement and escalation",
    "discrepancies", "posture", "exercises", "consistency", "silences and inhibition", "cap", "by hand", "maintenance", "storm limit",
)  # fmt: skip
_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_TIME = re.compile(r"(?:\d+[dhms])+")
KEYS = frozenset(
    (
        "topics", "region", "clocks", "lane", "ends", "ticks", "interval", "series", "edit", "steps", "want", "status", "incidents", "opened",
        "records", "fails_because", "lane",
    )
)  # fmt: skip


class Window(NamedTuple):
    """When something is wanted, both ends and the whole of its last second included (ms after the start)."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """One push. `order` keeps what is written first first among equals."""

    at: int
    order: int
    act: str
    content: Any
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Want:
    """One line of `want`, `status`, `incidents` or `records`: `who` is a city, a kind or nobody; `least` and `most` times."""

    who: str
    window: Window
    says: str
    fields: dict[str, Any] = field(default_factory=dict)
    least: int = 1
    most: int = 1

    def __str__(self) -> str:
        times = "" if self.least == self.most == 1 else f" {self.least} to {self.most} times"
        between = f"{spoken(self.window.first)}..{spoken(self.window.last)}"
        return " ".join(filter(None, [self.who, between, self.says, repr(self.fields) if self.fields else "", times]))


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A scenario, read and checked."""

    name: str
    topics: tuple[str, ...]
    region: str
    clocks: tuple[str, ...]
    lane: str
    ends: int
    ticks: int
    edits: tuple[dict[str, str], ...]
    steps: tuple[Step, ...]
    want: tuple[Want, ...]
    status: tuple[Want, ...]
    incidents: tuple[Want, ...]
    opened: int | None
    records: tuple[Want, ...]
    fails_because: str


def duration(text: str) -> int:
    """A time in ms.

    >>> duration("1h30m"), duration("0s")
    (5400000, 0)
    """
    if not _TIME.fullmatch(text):
        msg = f"{text!r} is no time; write it like 2d, 1h30m or 10s"
        raise ValueError(msg)
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def spoken(ms: int) -> str:
    """A time as it is written in scenarios.

    >>> spoken(5400000), spoken(0)
    ('1h30m', '0s')
    """
    parts = []
    for unit, size in _UNITS.items():
        number, ms = divmod(ms, size)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def values(text: str) -> list[float | None]:
    """The values of a series, None where nothing is measured; "x*" repeats until the scenario ends.

    >>> values("1x2 _ 4.5x*")[:5]
    [1.0, 1.0, None, 4.5, 4.5]
    """
    found: list[float | None] = []
    for part in text.split():
        value, _, times = part.partition("x")
        found += [None if value == "_" else float(value)] * (10_000 if times == "*" else int(times or 1))
    return found


def window(text: str) -> Window:
    """The window of "1h" or "1h..2h"."""
    first, _, last = text.partition("..")
    return Window(duration(first), duration(last or first) + SECOND - 1)


def read(path: Path) -> Scenario:
    """The scenario of a file; ValueError for what it cannot mean."""
    raw = tomllib.loads(path.read_text("utf-8"))
    if odd := set(raw) - KEYS | {one for one in raw.get("topics", []) if one not in TOPICS}:
        msg = f"{path.name}: nothing is called {', '.join(sorted(odd))}"
        raise ValueError(msg)
    ends = duration(raw["ends"])
    return Scenario(
        name=path.stem,
        topics=tuple(raw["topics"]),
        region=raw.get("region", "rill"),
        clocks=tuple(raw.get("clocks", ["broker"])),
        lane=raw.get("lane", "live"),
        ends=ends,
        ticks=duration(raw.get("ticks", "10m")),
        edits=tuple(raw.get("edit", [])),
        steps=tuple(sorted(_steps(raw, ends), key=lambda step: (step.at, step.order))),
        want=tuple(_want(city, when, says, *more) for city, when, says, *more in raw.get("want", [])),
        status=tuple(_want(city, when, says, *more) for city, when, says, *more in raw.get("status", [])),
        incidents=tuple(_want("", when, "", fields) for when, fields in raw.get("incidents", [])),
        opened=raw.get("opened"),
        records=tuple(_want(kind, when, "", *more) for kind, when, *more in raw.get("records", [])),
        fails_because=raw.get("fails_because", ""),
    )


def _want(who: str, when: str, says: str, fields: dict[str, Any] | None = None) -> Want:
    fields = dict(fields or {})
    count = fields.pop("count", 1)
    least, most = count if isinstance(count, list) else (count, count)
    return Want(who, window(when), says, fields, least, most)


def _steps(raw: dict[str, Any], ends: int) -> list[Step]:
    found, interval = [], duration(raw.get("interval", "10m"))
    series = {name: values(text) for name, text in raw.get("series", {}).items()}
    for turn in range(max((min(len(one), ends // interval + 1) for one in series.values()), default=0)):
        now = {name: one[turn] for name, one in series.items() if turn < len(one) and one[turn] is not None}
        if now:
            found.append(Step(turn * interval, 0, "measure", now, {}))
    for order, written in enumerate(raw.get("steps", []), 1):
        fields = dict(written)
        act = next((one for one in ACTS if one in fields), None)
        if act is None:
            msg = f"step {order} does none of {', '.join(ACTS)}: {written}"
            raise ValueError(msg)
        content = fields.pop(act)
        if "at" in fields:
            times = [duration(fields.pop("at"))]
        else:
            times = list(range(duration(fields.pop("from")), duration(fields.pop("to")), duration(fields.pop("every"))))
        found += [Step(at, order, act, content, fields) for at in times]
    return found


ACTS = ("measure", "answer", "report", "statement", "activate", "stuck", "command", "wrong")
