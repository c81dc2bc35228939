"""What a person states by hand, judged: whether it is readable, and whether what it names is there and is its city's to speak of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.accept import answers
from stream.accept.decode import explain
from stream.accept.moment import instant
from stream.accept.refusal import Fault, Refused, other_lane, quoted
from stream.accept.silences import unsilenceable
from stream.records import journal
from stream.records.instants import DAY, MINUTE
from stream.records.lanes import belongs
from stream.records.statement import PREFIX, Statement, statement_id
from stream.region.river_network import reach_length_km

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from stream.records.acknowledgement import Acknowledgement
    from stream.records.lanes import Lane
    from stream.region.model import Domain, Region

AHEAD_MOST_MS = 5 * MINUTE
"""What was seen cannot be later than it is said, but clocks differ."""
MAINTENANCE_MOST_MS = 92 * DAY
ABOUT = frozenset({"confirm", "withdraw", "cancel", "correct", "maintain", "end_maintain", "unsilence"})
"""The acts that are about something."""


STATEMENT = "statement"


class _Type(msgspec.Struct):
    """Only whether it says that it is a statement."""

    type: str = ""


class Stated(NamedTuple):
    """A statement and what it came with: whose topic it was, when the broker took it (ms), on which lane; `now`: own clock (ms), None = the same.

    Either clock may be wrong, so that nothing is in the future, and nothing has ended, unless both say so.
    """

    made: Statement
    city_id: str
    received_at: int
    lane: Lane
    now: int | None = None


_decoder = msgspec.json.Decoder(Statement)
_type = msgspec.json.Decoder(_Type)


def read(value: bytes | None, bytes_max: int) -> Acknowledgement | Statement | Fault:
    """The answer or statement in these bytes, or what is wrong with them."""
    if value is None or len(value) > bytes_max:
        return answers.read(value, bytes_max)
    try:
        return _decoder.decode(value) if _is_statement(value) else answers.read(value, bytes_max)
    except (ValueError, RecursionError) as error:
        return explain(value, error, quote=True)


def _is_statement(value: bytes) -> bool:
    """Whether it says so; raises what JSON readers raise for what is none."""
    try:
        return _type.decode(value).type == STATEMENT
    except msgspec.ValidationError:
        return False


def judge(stated: Stated, regions: Iterable[Region]) -> journal.Statement | Fault:
    """The journal's message, checked against the active region that has the domain; or the first thing wrong with it."""
    made = stated.made
    if not belongs(made.lane, stated.lane):
        return other_lane(made.lane, stated.lane)
    found = next(((region, domain) for region in regions for domain in region.domains if domain.domain_id == made.domain), None)
    if found is None:
        return Fault(Refused.UNKNOWN_DOMAIN, f"no active region has a domain {quoted(made.domain)}")
    region, domain = found
    if stated.city_id not in region.above:
        return Fault(Refused.NOT_YOURS, f"region {region.name}, whose domain {made.domain} is, does not know {stated.city_id}")
    span = _span(stated)
    if isinstance(span, Fault):
        return span
    fault = _wrong(stated, region, domain, span)
    return fault if fault is not None else _message(stated, region, span)


def _span(stated: Stated) -> tuple[int, int | None] | Fault:
    """When it began and when it ends; said now where it does not say."""
    made, now = stated.made, stated.received_at if stated.now is None else stated.now
    starts_at = _instant(made.starts_at, stated.received_at)
    ends_at = None if made.ends_at is None else _instant(made.ends_at, 0)
    if isinstance(starts_at, Fault):
        return starts_at
    if isinstance(ends_at, Fault):
        return ends_at
    if made.act in {"report", "correct"} and starts_at > max(stated.received_at, now) + AHEAD_MOST_MS:
        return Fault(Refused.TIME_FUTURE, "starts_at is in the future")
    came_at = min(stated.received_at, now)
    if ends_at is not None and ends_at <= (came_at if made.starts_at is None else max(starts_at, came_at)):
        return Fault(Refused.PERIOD_INVALID, "it ends before it begins, or has ended")
    return starts_at, ends_at


def _instant(moment: datetime | float | None, otherwise: int) -> int | Fault:
    return otherwise if moment is None else instant(moment, None)


def _wrong(stated: Stated, region: Region, domain: Domain, span: tuple[int, int | None]) -> Fault | None:
    """What is wrong with it for its act."""
    made = stated.made
    if (fault := _unfit(made)) is not None:
        return fault
    if made.act == "report" and (fault := _unreportable(made, region, domain)) is not None:
        return fault
    if made.act in {"report", "correct"}:
        return _misplaced(stated, region)
    if made.act in {"maintain", "end_maintain"}:
        return _no_station(stated, region, domain, span)
    return unsilenceable(made, stated.city_id, (region, domain), span) if made.act == "silence" else None


def _unfit(made: Statement) -> Fault | None:
    """What is wrong with it whatever the region is."""
    if made.act in ABOUT and not made.about:
        return Fault(Refused.MISSING_FIELD, f"{made.act} says nothing of what it is about")
    if made.act in {"cancel", "correct"} and not made.text.strip():
        return Fault(Refused.NO_REASON, f"{made.act} of {quoted(made.about)}")
    anew = made.level is not None or made.city or made.reach or made.latitude is not None
    if made.act == "correct" and anew and not made.about.startswith(PREFIX):
        return Fault(Refused.OUT_OF_RANGE, f"{quoted(made.about)} is no report: only a report's level and place are corrected by hand")
    return None


def _unreportable(made: Statement, region: Region, domain: Domain) -> Fault | None:
    if not any(one.hazard == made.hazard and one.family in domain.families for one in region.hazards):
        return Fault(Refused.UNKNOWN_HAZARD, f"{region.name} has no hazard {quoted(made.hazard)} for {domain.domain_id}")
    return Fault(Refused.MISSING_FIELD, "a report without a level") if made.level is None else None


def _misplaced(stated: Stated, region: Region) -> Fault | None:
    made = stated.made
    if (made.latitude is None) != (made.longitude is None):
        return Fault(Refused.MISSING_FIELD, "latitude and longitude go together")
    if made.city and made.city not in region.city_index:
        return Fault(Refused.UNKNOWN_CITY, f"region {region.name} has no city {quoted(made.city)}")
    if made.reach:
        length_km = reach_length_km(region, made.reach)
        if length_km is None:
            return Fault(Refused.UNKNOWN_REACH, f"region {region.name} has no reach {quoted(made.reach)}")
        if made.km is None or made.km > length_km:
            return Fault(Refused.OUT_OF_RANGE, f"km {made.km} is outside reach {quoted(made.reach)} (0 to {length_km:g})")
    if made.act == "report" and not (made.reach or made.city or made.latitude is not None) and stated.city_id not in region.city_index:
        return Fault(Refused.UNKNOWN_CITY, f"{stated.city_id} is no city and says of none")
    return None


def _no_station(stated: Stated, region: Region, domain: Domain, span: tuple[int, int | None]) -> Fault | None:
    """A station is for its own city and those above it to speak of; one that stands in no city, for everybody of the region."""
    made, table = stated.made, region.series
    at = region.domain_index[domain.domain_id]
    rows = [row for row, one in enumerate(table.ids) if made.about in (one, table.station[row]) and int(table.domain[row]) == at]
    if not rows:
        return Fault(Refused.UNKNOWN_STATION, f"{domain.domain_id} has no station or series {quoted(made.about)}")
    cities = {region.cities[int(table.city[row])].city_id for row in rows if int(table.city[row]) >= 0}
    if any(stated.city_id not in (city_id, *region.above[city_id]) for city_id in cities):
        return Fault(Refused.NOT_YOURS, f"{quoted(made.about)} stands in {', '.join(sorted(cities))}")
    starts_at, ends_at = span
    if made.act == "maintain" and (ends_at is None or ends_at - starts_at > MAINTENANCE_MOST_MS):
        return Fault(Refused.PERIOD_INVALID, "maintenance has an end, at most 92 days from its beginning")
    return None


def _message(stated: Stated, region: Region, span: tuple[int, int | None]) -> journal.Statement:
    made = stated.made
    placed = bool(made.city or made.reach or made.latitude is not None)
    here = made.act == "report" and not placed
    return journal.Statement(
        domain=made.domain,
        region_hash=region.region_hash,
        city_id=stated.city_id,
        statement_id=statement_id(stated.city_id, made.id),
        act=made.act,
        by=made.by,
        received_at=stated.received_at,
        starts_at=span[0],
        ends_at=span[1],
        hazard=made.hazard,
        about=made.about,
        level=made.level or "",
        confirmed=made.confirmed,
        place_city=stated.city_id if here else made.city,
        reach=made.reach,
        km=made.km,
        latitude=made.latitude,
        longitude=made.longitude,
        value=made.value,
        unit=made.unit,
        matchers=tuple(sorted(made.matchers.items())),
        text=made.text,
        lane=stated.lane.value,
    )
