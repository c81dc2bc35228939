"""What a gateway says of each item: the verdict the doors will come to, found with the same code before anything is sent.

Items are judged one by one by `stream.accept.door`, so that no item costs another its place, and what is good goes on in as few records as the
doors' size limit allows. What is good here is `accepted` only when the sender has said so; whoever sends replaces that verdict.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.accept.door import Accept, DoorRecord
from stream.accept.index import CASES, DOORS, RIVERS, index
from stream.accept.refusal import Fault, Refused, quoted
from stream.gateways.verdict import Item, Judged, ToDoor, Verdict
from stream.records.journal import Measurements, columns, decode
from stream.records.measurement import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from stream.accept.door import Limits
    from stream.gateways.verdict import Wrong
    from stream.region.model import Region

SEEN_MOST = 200_000
"""So many measurements are remembered: at 100 a second, half an hour of them; about 30 megabytes."""
HEALTH = "health"
_COUNTS = frozenset({"area", "period_start_at", "period_end_at"})
_MEASUREMENT = frozenset(Measurement.__struct_fields__)
_JUDGED_WHOLE = _COUNTS | {"report"}
_FIELD = re.compile(r" - at \$([\[\].\w]+)")
_encode = msgspec.json.Encoder().encode
_raws = msgspec.json.Decoder(list[msgspec.Raw])


class Seen:
    """The measurements that were handed in lately, by what stands in them: the last `most` of them, of this process, best effort.

    Only what Kafka or the spool has is remembered (`add`), or a repetition of what was lost would be called a duplicate. The same id or instant with
    another value is no duplicate: it goes on, and the fold judges it.

    >>> seen = Seen(2)
    >>> for one in (b"a", b"b", b"c"):
    ...     seen.add([one])
    >>> [one in seen for one in (b"a", b"b", b"c")]
    [False, True, True]
    """

    def __init__(self, most: int = SEEN_MOST) -> None:
        self._most = most
        self._marks: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, mark: bytes) -> bool:
        return mark in self._marks

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, marks: Iterable[bytes]) -> None:
        """Remember these; the oldest are forgotten."""
        kept = self._marks
        for mark in marks:
            kept[mark] = None
            kept.move_to_end(mark)
        while len(kept) > self._most:
            kept.popitem(last=False)


class Kept(NamedTuple):
    """A measurement as the journal has it: its series, domain, instant (ms), value in the unit of its series, `stream.records.journal.Flag`."""

    series: str
    domain: str
    observed_at: int
    value: float
    flags: int


class _Ready(NamedTuple):
    """One item on its way: its place in the payload, and its bytes as the door reads them."""

    item: int
    value: bytes


class Judge:
    """Judges what was found in payloads by the regions that are active; make a new one, with the same `seen`, when these change."""

    def __init__(self, regions: Sequence[Region], limits: Limits, seen: Seen | None = None) -> None:
        self._accept = Accept(regions, limits, 1)
        self._index = index(regions, 1)
        self._families = [next((door for bit, door in enumerate(DOORS) if bits >> bit & 1), RIVERS) for bits in self._index.doors.tolist()]
        self._names = {(one.region_hash, row): name for one in regions for row, name in enumerate(one.series.ids)}
        self._bytes_max = limits.door_bytes_max
        self._seen = Seen() if seen is None else seen

    def judge(
        self, found: Sequence[Item | Wrong], now: int, may: Callable[[str, str], bool] | None = None
    ) -> tuple[list[Judged], list[ToDoor]]:
        """The verdict on each item, in order, and the records for the doors of those that are neither rejected nor duplicates.

        Their verdict is ACCEPTED for the time being: the sender's word replaces it, and `remember` is called once it has them.
        `now` (ms): stands for the append time. `may(series, family)`: whether the sender may speak for a series ("" for a report of people);
        None = whoever asks may.
        """
        judged = [
            Judged(at, Verdict.REJECTED, one.path, one.fault.detail, one.fault.reason)
            if not isinstance(one, Item)
            else Judged(at, Verdict.ACCEPTED)
            for at, one in enumerate(found)
        ]
        ready: dict[str, list[_Ready]] = {}
        for at, one in enumerate(found):
            if isinstance(one, Item):
                family = self.family_of(one.fields)
                value = _bytes(one.fields) if may is None or may(series_of(one.fields), family) else _not_theirs(one.fields, family)
                if isinstance(value, Fault):
                    judged[at] = Judged(at, Verdict.REJECTED, one.path, value.detail, value.reason)
                else:
                    ready.setdefault(family, []).append(_Ready(at, value))
        doors: list[ToDoor] = []
        for family, items in ready.items():
            good = self._good(family, items, now, judged, found)
            doors += self._records(family, self._new(family, good, judged))
        return judged, doors

    def remember(self, records: Iterable[ToDoor]) -> None:
        """Note what Kafka or the spool has, so that its repetition is told as a duplicate."""
        for record in records:
            self._seen.add(_mark(record.family, one) for one in _parts(record))

    def domain_of(self, series: str) -> str:
        """The domain a series belongs to, "" if no active region has it."""
        number = self._index.number_of.get(series, -1)
        return self._index.homes[self._index.home[number]].domain if number >= 0 else ""

    def unit_of(self, series: str) -> str:
        """The unit a series is kept in, "" if no active region has it."""
        number = self._index.number_of.get(series, -1)
        return self._index.units[self._index.unit[number]] if number >= 0 else ""

    def zone_of(self, series: str) -> ZoneInfo | None:
        """The time zone of a series, None if its region names none, or no active region has it."""
        number = self._index.number_of.get(series, -1)
        return self._index.zones[number] if number >= 0 else None

    def single(self, record: ToDoor) -> list[ToDoor]:
        """A record taken apart: one for each of its items."""
        return [ToDoor(record.family, value, (item,)) for value, item in zip(_parts(record), record.items, strict=True)]

    def kept(self, record: ToDoor, now: int) -> Kept | None:
        """What the journal would hold of a record of one measurement; None of a report of people, or of what its door refuses."""
        for entry in self._accept.accept(record.family, [DoorRecord(0, 0, now, record.value)], now).entries:
            message = decode(entry.value)
            if isinstance(message, Measurements):
                rows, observed_at, value, flags = (column.tolist()[0] for column in columns(message))
                return Kept(self._names[message.region_hash, rows], message.domain, observed_at, value, flags)
        return None

    def family_of(self, fields: Mapping[str, object]) -> str:
        """Which door a measurement goes to: that of its series; what nobody knows goes where it is refused by name."""
        if _COUNTS & fields.keys():
            return HEALTH
        number = self._index.number_of.get(series_of(fields))
        return RIVERS if number is None else self._families[number]

    def _good(self, family: str, items: Sequence[_Ready], now: int, judged: list[Judged], found: Sequence[Item | Wrong]) -> list[_Ready]:
        """What its door would take; the others are marked as rejected."""
        records = [DoorRecord(0, place, now, one.value) for place, one in enumerate(items)]
        refused = {one.offset: one for one in self._accept.accept(family, records, now).refused}
        for place, one in refused.items():
            at = items[place].item
            judged[at] = Judged(at, Verdict.REJECTED, _path(found[at], one.detail), one.detail, one.reason)
        return [one for place, one in enumerate(items) if place not in refused] if refused else list(items)

    def _new(self, family: str, items: Sequence[_Ready], judged: list[Judged]) -> list[_Ready]:
        """What was not handed in before; the others are marked as duplicates."""
        new: list[_Ready] = []
        here: set[bytes] = set()
        for one in items:
            mark = _mark(family, one.value)
            if mark in self._seen or mark in here:
                judged[one.item] = Judged(one.item, Verdict.DUPLICATE)
            else:
                here.add(mark)
                new.append(one)
        return new

    def _records(self, family: str, items: Sequence[_Ready]) -> list[ToDoor]:
        """Arrays below the doors' size limit; an item alone is no array."""
        made: list[ToDoor] = []
        start = size = 0
        for at, one in enumerate(items):
            if size + len(one.value) + 2 > self._bytes_max and at > start:
                made.append(_record(family, items[start:at]))
                start, size = at, 0
            size += len(one.value) + 1
        if items[start:]:
            made.append(_record(family, items[start:]))
        return made


def series_of(fields: Mapping[str, object]) -> str:
    """The series a measurement names, "" if none."""
    if isinstance(series := fields.get("series"), str):
        return series
    quantity = fields.get("quantity")
    if isinstance(area := fields.get("area"), str):
        return f"{area}/{quantity if isinstance(quantity, str) else CASES}"
    station = fields.get("station")
    return f"{station}/{quantity}" if isinstance(station, str) and isinstance(quantity, str) else ""


def _not_theirs(fields: Mapping[str, object], family: str) -> Fault:
    return Fault(Refused.NOT_BOUND, "" if family == HEALTH else f"series {quoted(series_of(fields))} at the {family} door")


def _bytes(fields: dict[str, object]) -> bytes | Fault:
    """A measurement as the door reads it, without what the door ignores; of case counts and reports everything is kept, to be judged."""
    if not fields.keys() <= _MEASUREMENT and not fields.keys() & _JUDGED_WHOLE:
        fields = {name: value for name, value in fields.items() if name in _MEASUREMENT}
    try:
        return _encode(fields)
    except (OverflowError, ValueError):
        return Fault(Refused.OUT_OF_RANGE, "a number with more digits than can be written")
    except RecursionError:
        return Fault(Refused.TOO_DEEP, "nested too deeply to be read")


def _mark(family: str, value: bytes) -> bytes:
    return blake2b(value, digest_size=16, person=family.encode()).digest()


def _record(family: str, items: Sequence[_Ready]) -> ToDoor:
    value = items[0].value if len(items) == 1 else b"[" + b",".join([one.value for one in items]) + b"]"
    return ToDoor(family, value, tuple(one.item for one in items))


def _parts(record: ToDoor) -> list[bytes]:
    """The items of a record, as they were put in."""
    return [record.value] if len(record.items) == 1 else [bytes(one) for one in _raws.decode(record.value)]


def _path(one: Item | Wrong, detail: str) -> str:
    """Where it is wrong: the item's place, and of our own format the field as well."""
    if not isinstance(one, Item) or not one.own:
        return one.path
    field = _FIELD.search(detail)
    return one.path + field.group(1) if field else one.path
