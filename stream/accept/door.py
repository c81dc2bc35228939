"""ACCEPT: records of a door to journal messages and refusals. Stateless and pure: the clock is an argument, the broker is elsewhere."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from stream.accept.audit import Claim, Place, entries
from stream.accept.check import Arrival, check
from stream.accept.convert import warm
from stream.accept.cut import ToJournal, cut
from stream.accept.decode import SINGLE, Bad, Decoder
from stream.accept.envelope import Came
from stream.accept.index import DOORS, RIVERS, index
from stream.accept.refusal import Fault, Refused, other_lane
from stream.accept.refusals import refusals
from stream.accept.reports import report_entry
from stream.accept.signed import unseal
from stream.accept.speakers import Speakers
from stream.errors import TocsinError
from stream.records.journal import Flag
from stream.records.lanes import belongs
from stream.region.principals import OWN_DOOR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from stream.accept.cut import Origin
    from stream.accept.decode import Decoded, Reported
    from stream.accept.refusal import Refusal
    from stream.accept.speakers import Speaker
    from stream.records.audit import AuditEntry
    from stream.records.lanes import Lane
    from stream.region.model import Region

CASE_FAMILY = "health"


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
    """What became of a batch: messages for the journal, refusals, how many measurements and reports were accepted (and how many of them late).

    `audit`: what was refused because of who said it. `delays`: from observation to append (ms), on live lanes.
    """

    entries: list[ToJournal] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    accepted: int = 0
    late: int = 0
    audit: list[AuditEntry] = field(default_factory=list)
    delays: list[NDArray[np.int64]] = field(default_factory=list)


class Source(NamedTuple):
    """The door of a batch: its topic, its family, who writes to it (None: everybody may write everything), whose own it is ("" = shared)."""

    door: str
    family: str
    speaker: Speaker | None
    door_of: str = ""


@dataclass(slots=True)
class Work:
    """What a batch has become so far. `payloads`: of opened envelopes, what was in them; `claims`: who envelopes say they are from."""

    entries: list[ToJournal] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    accepted: int = 0
    late: int = 0
    payloads: dict[int, bytes] = field(default_factory=dict)
    claims: dict[int, Claim] = field(default_factory=dict)
    delays: list[NDArray[np.int64]] = field(default_factory=list)


class Accept:
    """Accepts what comes to the doors, for all active regions at once; make a new one when the set of active regions changes.

    Of a series that several regions have, the region first by name gets the measurements. `history`: what comes to these doors is history
    by itself, so that all of it counts as late, however young it is.
    """

    def __init__(self, regions: Sequence[Region], limits: Limits, partitions: int, *, history: bool = False) -> None:
        self._index = index(regions, partitions)
        self._limits = limits
        self._history = history
        self._speakers = Speakers(regions, self._index)
        self._decoders = {
            door: Decoder(cases=door == CASE_FAMILY, bytes_max=limits.door_bytes_max, reports=door == RIVERS) for door in DOORS
        }
        warm()

    def accept(self, door: str, records: Sequence[DoorRecord], now: int, door_of: str = "") -> Accepted:
        """Decode, check, convert and cut a batch of one door.

        `door`: its topic's name; the family is what follows the last dot (`measurements.water` and `water` mean the same). `now`: own clock, ms,
        used to judge the future on live lanes only. `door_of`: the principal whose own door it is (then the family is his). Whatever bytes the
        records hold, nothing is raised and nothing is lost: each measurement (and report) is in `entries` or in `refused`. TocsinError for a door
        that does not exist.
        """
        if door_of:
            return self._own_door(door, records, now, door_of)
        family = door.rpartition(".")[2]
        if family not in self._decoders:
            msg = f"no door {door!r}; doors end in .{', .'.join(DOORS)}"
            raise TocsinError(msg)
        return self._batch(Source(door, family, self._speakers.unsigned), records, now)

    def _own_door(self, door: str, records: Sequence[DoorRecord], now: int, door_of: str) -> Accepted:
        """What came through the door of one principal is his, whatever stands in it."""
        found = self._speakers.find(door_of)
        if found is None or found[1].kind != OWN_DOOR:
            fault = Fault(Refused.UNKNOWN_PRINCIPAL, door_of)
        elif found[1].revoked:
            fault = Fault(Refused.REVOKED, door_of)
        elif self._limits.lane.value not in found[1].lanes:
            fault = Fault(Refused.OTHER_LANE, f"{door_of} may not speak on lane {self._limits.lane.value}")
        else:
            return self._batch(Source(door, found[1].families[0], self._speakers.speaker(*found), door_of), records, now)
        # What may be case counts is kept as if it were.
        family = CASE_FAMILY if found is None else found[1].families[0]
        return self._ended(Source(door, family, None, door_of), records, Work(bad=[Bad(at, SINGLE, fault) for at in range(len(records))]))

    def _batch(self, source: Source, records: Sequence[DoorRecord], now: int) -> Accepted:
        if not records:
            return Accepted()
        decoder = self._decoders[source.family]
        decoded = decoder.decode([record.value for record in records])
        work = Work(bad=decoded.bad)
        stamps = np.array([record.timestamp for record in records], np.int64)
        live, lane = self._limits.clock == "broker", self._limits.lane
        for start, end, report in _stretches(decoded):
            if end > start:
                arrival = Arrival(source.family, stamps[decoded.record[start:end]], now, live, lane, source.speaker, self._history)
                faults = self._judge(work, decoded.items[start:end], arrival)
                work.bad.extend(Bad(decoded.record[start + at], decoded.element[start + at], fault) for at, fault in faults.items())
            if report is not None:
                self._report(work, report, int(stamps[report.record]), source)
        for number in decoded.envelopes:
            came = Came(source.family, lane, int(stamps[number]), now, live, source.door_of)
            self._unseal(work, number, records[number].value or b"", came)
        return self._ended(source, records, work)

    def _judge(self, work: Work, items: Sequence[Any], arrival: Arrival, origin: Origin | None = None) -> Mapping[int, Fault]:
        """Check measurements and cut what is good; the faults of the others by position."""
        good, faults = check(items, arrival, self._index)
        work.entries += cut(
            good, self._index.homes, self._limits.journal_bytes_max, by_instant=not arrival.live, lane=arrival.lane.value, origin=origin
        )
        work.accepted += len(good.row)
        work.late += int(np.count_nonzero(good.flags & Flag.LATE))
        if arrival.live:
            appended_at = np.delete(arrival.appended_at, list(faults)) if faults else arrival.appended_at
            work.delays.append(appended_at - good.at)
        return faults

    def _report(self, work: Work, reported: Reported, appended_at: int, source: Source) -> None:
        lane, report = self._limits.lane, reported.report
        entry: ToJournal | Fault
        if source.door_of:
            entry = Fault(Refused.NOT_BOUND, "a report; a principal speaks for stations")
        elif belongs(report.lane, lane):
            entry = report_entry(report, self._index, appended_at if self._limits.clock == "broker" else None, lane)
        else:
            entry = other_lane(report.lane, lane)
        if isinstance(entry, Fault):
            work.bad.append(Bad(reported.record, reported.element, entry))
        else:
            work.entries.append(entry)
            work.accepted += 1

    def _unseal(self, work: Work, number: int, value: bytes, came: Came) -> None:
        """What is in an envelope comes after everything unsigned of its batch; envelopes keep their order."""
        inside, claim, bad = unseal(number, value, came, self._speakers, self._decoders[came.family])
        work.claims[number] = claim
        if inside is None:
            hidden = came.family == CASE_FAMILY and not claim.proven
            work.bad += [one._replace(fault=Fault(one.fault.reason, "")) for one in bad] if hidden else bad
            return
        work.bad += bad
        work.payloads[number] = inside.payload
        items = inside.decoded.items
        if items:
            appended_at = np.full(len(items), came.appended_at, np.int64)
            arrival = Arrival(came.family, appended_at, came.now, came.live, came.lane, inside.speaker, self._history)
            faults = self._judge(work, items, arrival, inside.origin)
            work.bad.extend(Bad(number, inside.decoded.element[at], fault) for at, fault in faults.items())

    def _ended(self, source: Source, records: Sequence[DoorRecord], work: Work) -> Accepted:
        if not work.bad:
            return Accepted(work.entries, [], work.accepted, work.late, delays=work.delays)
        cases = source.family == CASE_FAMILY
        claims = dict.fromkeys(range(len(records)), Claim(source.door_of, proven=True)) | work.claims if source.door_of else work.claims
        places = [Place(source.door, one.partition, one.offset, one.timestamp, one.value) for one in records]
        audit = entries(work.bad, places, claims, self._limits.lane, cases=cases)
        # Records may be of any kind that has these fields (the client's own, in the worker).
        inner = [DoorRecord(one.partition, one.offset, one.timestamp, work.payloads.get(at, one.value)) for at, one in enumerate(records)]
        refused = refusals(source.door, inner, work.bad, self._decoders[source.family])
        return Accepted(work.entries, refused, work.accepted, work.late, audit, work.delays)


def _stretches(decoded: Decoded) -> Iterator[tuple[int, int, Reported | None]]:
    """The measurements from one report to the next, as positions in `items`, each with the report that follows: their order is kept."""
    start = 0
    for report in decoded.reports:
        end = bisect_left(range(len(decoded.items)), report[:2], start, key=lambda at: (decoded.record[at], decoded.element[at]))
        yield start, end, report
        start = end
    yield start, len(decoded.items), None
