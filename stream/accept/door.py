"""ACCEPT: records of a door to journal messages and refusals. Stateless and pure: the clock is an argument, the broker is elsewhere."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from stream.accept.check import Arrival, check
from stream.accept.convert import warm
from stream.accept.cut import ToJournal, cut
from stream.accept.decode import SINGLE, Bad, Decoder
from stream.accept.index import DOORS, RIVERS, index
from stream.accept.refusal import Fault, Refusal, Refused, digest, other_lane
from stream.accept.reports import report_entry
from stream.errors import TocsinError
from stream.records.journal import Flag
from stream.records.lanes import belongs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.accept.decode import Decoded, Reported
    from stream.records.lanes import Lane
    from stream.region.model import Region

REFUSALS_PER_RECORD_MAX = 100
"""More bad elements in one message than this are refused together, else a quarter megabyte of junk would become 130,000 records."""


class Limits(Protocol):
    """What ACCEPT needs of `stream.settings.Settings`."""

    @property
    def door_bytes_max(self) -> int:
        """The largest message read."""

    @property
    def journal_bytes_max(self) -> int:
        """The largest journal message written."""

    @property
    def clock(self) -> str:
        """`broker` on live lanes, `observed` on replay lanes."""

    @property
    def lane(self) -> Lane:
        """Whose records the doors take."""


class DoorRecord(NamedTuple):
    """One record of a door topic; `timestamp` in ms (live lanes: the broker's append time)."""

    partition: int
    offset: int
    timestamp: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a batch: messages for the journal, refusals, how many measurements and reports were accepted (and how many of them late)."""

    entries: list[ToJournal] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    accepted: int = 0
    late: int = 0


class Accept:
    """Accepts what comes to the doors, for all active regions at once; make a new one when the set of active regions changes.

    Of a series that several regions have, the region first by name gets the measurements.
    """

    def __init__(self, regions: Sequence[Region], limits: Limits, partitions: int) -> None:
        self._index = index(regions, partitions)
        self._limits = limits
        self._decoders = {door: Decoder(cases=door == "health", bytes_max=limits.door_bytes_max, reports=door == RIVERS) for door in DOORS}
        warm()

    def accept(self, door: str, records: Sequence[DoorRecord], now: int) -> Accepted:
        """Decode, check, convert and cut a batch of one door.

        `door`: its topic's name; the family is what follows the last dot (`measurements.water` and `water` mean the same). `now`: own clock, ms,
        used to judge the future on live lanes only. Whatever bytes the records hold, nothing is raised and nothing is lost: each measurement (and report)
        is in `entries` or in `refused`. TocsinError for a door that does not exist.
        """
        family = door.rpartition(".")[2]
        if family not in self._decoders:
            msg = f"no door {door!r}; doors end in .{', .'.join(DOORS)}"
            raise TocsinError(msg)
        if not records:
            return Accepted()
        decoder = self._decoders[family]
        decoded = decoder.decode([record.value for record in records])
        entries: list[ToJournal] = []
        late = count = 0
        live, lane = self._limits.clock == "broker", self._limits.lane
        stamps = np.array([record.timestamp for record in records], np.int64)
        for start, end, report in _stretches(decoded):
            if end > start:
                good, faults = check(
                    decoded.items[start:end], Arrival(family, stamps[decoded.record[start:end]], now, live, lane), self._index
                )
                decoded.bad.extend(Bad(decoded.record[start + at], decoded.element[start + at], fault) for at, fault in faults.items())
                entries += cut(good, self._index.homes, self._limits.journal_bytes_max, by_instant=not live, lane=lane.value)
                count += len(good.row)
                late += int(np.count_nonzero(good.flags & Flag.LATE))
            if report is not None:
                appended_at = int(stamps[report.record]) if live else None
                ours = belongs(report.report.lane, lane)
                entry = report_entry(report.report, self._index, appended_at, lane) if ours else other_lane(report.report.lane, lane)
                if isinstance(entry, Fault):
                    decoded.bad.append(Bad(report.record, report.element, entry))
                else:
                    entries.append(entry)
                    count += 1
        return Accepted(entries, _refusals(door, records, decoded.bad, decoder), count, late)


def _stretches(decoded: Decoded) -> Iterator[tuple[int, int, Reported | None]]:
    """The measurements from one report to the next, as positions in `items`, each with the report that follows: their order is kept."""
    start = 0
    for report in decoded.reports:
        end = bisect_left(range(len(decoded.items)), report[:2], start, key=lambda at: (decoded.record[at], decoded.element[at]))
        yield start, end, report
        start = end
    yield start, len(decoded.items), None


def _refusals(door: str, records: Sequence[DoorRecord], bad: list[Bad], decoder: Decoder) -> list[Refusal]:
    """Refusals in order of position, those of a message with very many of them as one."""
    if not bad:
        return []
    refused: list[Refusal] = []
    per_record = Counter(one.record for one in bad)
    summed: dict[int, Counter[Refused]] = {}
    for one in sorted(bad, key=lambda one: (one.record, one.element)):
        if per_record[one.record] > REFUSALS_PER_RECORD_MAX:
            summed.setdefault(one.record, Counter())[one.fault.reason] += 1
            continue
        payload = records[one.record].value
        if one.element != SINGLE and payload is not None:
            payload = decoder.element(payload, one.element)
        refused.append(_refusal(door, records[one.record], one, payload, cases=decoder.cases))
    for record, reasons in summed.items():
        what = f"{reasons.total()} elements refused ({', '.join(f'{count} {reason}' for reason, count in sorted(reasons.items()))})"
        whole = Bad(record, SINGLE, Fault(Refused.MANY, what))
        refused.append(_refusal(door, records[record], whole, records[record].value, cases=decoder.cases))
    return sorted(refused, key=lambda refusal: (refusal.partition, refusal.offset, -1 if refusal.index is None else refusal.index))


def _refusal(door: str, record: DoorRecord, bad: Bad, payload: bytes | None, *, cases: bool) -> Refusal:
    sent = payload or b""
    return Refusal(
        reason=bad.fault.reason,
        detail=bad.fault.detail,
        topic=door,
        partition=record.partition,
        offset=record.offset,
        index=None if bad.element == SINGLE else bad.element,
        payload=None if cases else payload,
        sha256=digest(sent),
        size=len(sent),
    )
