"""Files of measurements as records for the doors: what `feed` sends and what `replay` decides on without a broker.

A CSV file has a header with `series` or `station` and `quantity` (for case counts also `area`), `observed_at` (for case counts also
`period_end_at` and `period_start_at`), `value`, and where wanted `unit`, `quality`, `id`; an empty value is no measurement. A JSONL file holds door
messages, one or an array of them a line, reports among them. Either may be gzipped (`.gz`). A time without offset is local time of the station. Everything is
read before anything is sent, and all that is wrong is said at once.
"""

from __future__ import annotations

import csv
import gzip
import math
from contextlib import nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from stream.accept.index import COUNT, RIVERS
from stream.accept.moment import instant
from stream.accept.refusal import Fault
from stream.errors import TocsinError
from stream.records.instants import SECOND, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from stream.region.model import Region

PROBLEMS_SHOWN = 20
HEALTH = "health"
_TEXTS = ("unit", "quality", "id")
_encode = msgspec.json.Encoder().encode
_items = msgspec.json.Decoder(list[msgspec.Raw])


class DoorMessage(NamedTuple):
    """One record for a door: its instant (ms), series ("" for a report), domain, family (which door) and bytes."""

    observed_at: int
    series: str
    domain: str
    family: str
    value: bytes


class Unusable(ValueError):
    """Why a line cannot become a door message."""


def families(region: Region) -> tuple[str, ...]:
    """The door of every series, by row: health for counts, else the domain's own, so that one door sees all of a domain in order."""
    doors = [next((family for family in domain.families if family != HEALTH), HEALTH) for domain in region.domains]
    units = region.series.unit
    return tuple(HEALTH if unit == COUNT else doors[int(domain)] for unit, domain in zip(units, region.series.domain, strict=True))


class Reader:
    """Turns lines into door messages with the tables of one region."""

    def __init__(self, region: Region) -> None:
        self._series = region.series
        self._domains = tuple(region.domains[int(domain)].domain_id for domain in region.series.domain)
        self._families = families(region)
        self._rivers = frozenset(domain.domain_id for domain in region.domains if RIVERS in domain.families)
        self._zones = tuple(ZoneInfo(name) if name else None for name in region.series.timezone)

    def message(self, fields: Mapping[str, Any], raw: bytes | None = None) -> DoorMessage:
        """The door message of these fields; `raw` are its bytes when it is one already. Raises Unusable."""
        if raw is not None and "report" in fields:
            return self._report(fields, raw)
        row = self._row(fields)
        text = fields.get("observed_at") or fields.get("period_end_at")
        if not text and text != 0:
            raise Unusable("no observed_at")
        at = self._instant(text, row)
        value = raw if raw is not None else _encode(self._body(fields, row, at))
        return DoorMessage(at, self._series.ids[row], self._domains[row], self._families[row], value)

    def _report(self, fields: Mapping[str, Any], raw: bytes) -> DoorMessage:
        """A person's report, at the instant it was made; what else is wrong with it, the door says."""
        domain, text = fields.get("domain"), fields.get("reported_at") or fields.get("starts_at")
        if domain not in self._rivers:
            msg = f"the region has no domain of family {RIVERS} called {domain!r}"
            raise Unusable(msg)
        return DoorMessage(self._instant(text, None), "", str(domain), RIVERS, raw)

    def _row(self, fields: Mapping[str, Any]) -> int:
        series = fields.get("series")
        if not series:
            station = fields.get("station") or fields.get("area") or ""
            quantity = fields.get("quantity") or ("cases" if fields.get("area") else "")
            series = f"{station}/{quantity}"
        row = self._series.row_of.get(series)
        if row is None:
            msg = f"the region has no series {series!r}"
            raise Unusable(msg)
        return row

    def _instant(self, text: object, row: int | None) -> int:
        try:
            moment = text if isinstance(text, int | float) else datetime.fromisoformat(str(text))
        except ValueError:
            msg = f"{text!r} is no time; write it as 2005-11-13T13:45:00+08:00"
            raise Unusable(msg) from None
        found = instant(moment, None if row is None else self._zones[row])
        if isinstance(found, Fault):
            raise Unusable(found.detail)
        return found

    def _body(self, fields: Mapping[str, Any], row: int, at: int) -> dict[str, Any]:
        value = _number(fields.get("value"))
        body: dict[str, Any] = {"series": self._series.ids[row]}
        if self._families[row] != HEALTH:
            return body | {"observed_at": to_text(at), "value": value} | {name: fields[name] for name in _TEXTS if fields.get(name)}
        start = fields.get("period_start_at")
        start_at = self._instant(start, row) if start else at - round(float(self._series.interval_s[row]) * SECOND)
        if value != int(value):
            msg = f"value {value} is no count"
            raise Unusable(msg)
        return body | {"period_start_at": to_text(start_at), "period_end_at": to_text(at), "value": int(value)}


def _number(text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        msg = f"value {text!r} is no number"
        raise Unusable(msg) from None
    if not math.isfinite(value):
        msg = f"value {text!r} is not finite"
        raise Unusable(msg)
    return value


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file. Bytes that are no UTF-8 become replacement characters, so that the line is refused where it is read."""
    with path.open("rb") as file, gzip.open(file) if path.suffix == ".gz" else nullcontext(file) as content:
        for number, line in enumerate(content):
            text = line.decode("utf-8", "replace")
            yield text if number else text.removeprefix("\ufeff")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any], None]]:
    rows = csv.DictReader(_lines(path))
    names = set(rows.fieldnames or ())
    wanted = ({"series", "station", "area"}, {"observed_at", "period_end_at"}, {"value"})
    absent = [" or ".join(sorted(choice)) for choice in wanted if not choice & names]
    if absent:
        msg = f"{path}: the header has no column {', '.join(absent)}; it has {', '.join(sorted(names)) or 'nothing'}"
        raise TocsinError(msg)
    for row in rows:
        if row["value"] is None or row["value"].strip():
            yield rows.line_num, row, None


def _json_rows(path: Path) -> Iterator[tuple[int, Any, bytes]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        whole = line.strip().encode()
        try:
            for raw in _items.decode(whole) if whole.startswith(b"[") else [whole]:
                yield number, msgspec.json.decode(raw), bytes(raw)
        except msgspec.DecodeError as error:
            yield number, str(error), b""


def _kind(path: Path) -> str:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    return suffixes[-1] if suffixes else ""


def read_files(region: Region, paths: Sequence[Path]) -> list[DoorMessage]:
    """All door messages of these files, in the order of the files; TocsinError lists what is wrong in them."""
    reader = Reader(region)
    found: list[DoorMessage] = []
    problems: list[str] = []
    for path in paths:
        if not path.is_file():
            msg = f"{path} is no file"
            raise TocsinError(msg)
        rows: Iterable[tuple[int, Any, bytes | None]] = _csv_rows(path) if _kind(path) == ".csv" else _json_rows(path)
        for number, fields, raw in rows:
            try:
                if not isinstance(fields, dict):
                    raise Unusable(fields if isinstance(fields, str) else "no JSON object")  # noqa: TRY301
                found.append(reader.message(fields, raw))
            except Unusable as error:
                problems.append(f"{path}:{number}: {error}")
    if problems:
        more = f"\n  and {len(problems) - PROBLEMS_SHOWN} more" if len(problems) > PROBLEMS_SHOWN else ""
        msg = f"nothing was sent, {len(problems)} lines are wrong:\n  " + "\n  ".join(problems[:PROBLEMS_SHOWN]) + more
        raise TocsinError(msg)
    return found


def cut(messages: Iterable[DoorMessage], start_at: int | None, end_at: int | None) -> list[DoorMessage]:
    """The messages with start_at <= observed_at < end_at (ms; None = no bound)."""
    return [
        message
        for message in messages
        if (start_at is None or message.observed_at >= start_at) and (end_at is None or message.observed_at < end_at)
    ]


def in_feed_order(messages: Iterable[DoorMessage]) -> list[DoorMessage]:
    """The order of a replay lane: by instant, then series; what is equal in both stays in the order of the file."""
    return sorted(messages, key=lambda message: (message.observed_at, message.series))


def one_door_each(messages: Iterable[DoorMessage]) -> Mapping[str, str]:
    """The family of every domain; TocsinError when one domain's records come through two doors.

    Each door is read by itself: between two of them nobody keeps the order of observation that a replay promises.
    """
    doors: dict[str, str] = {}
    for message in messages:
        if doors.setdefault(message.domain, message.family) != message.family:
            msg = (
                f"domain {message.domain!r} has records for the doors {doors[message.domain]!r} and {message.family!r}: a replay cannot keep "
                "the order of observation between two doors; give the region one domain a family, or feed the live lane"
            )
            raise TocsinError(msg)
    return doors
