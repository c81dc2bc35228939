"""A silence that somebody asks for, judged before it is believed to be in force: what would mute nothing, or cannot, is refused with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.accept.refusal import Fault, Refused, quoted
from stream.records.instants import DAY
from stream.records.statement import SILENCE_MATCHERS, SILENCE_MOST_MS

if TYPE_CHECKING:
    from stream.records.statement import Statement
    from stream.region.model import Domain, Region

LEVELS = ("blue", "yellow", "orange")
"""What may be silenced: nothing red is ever muted."""


def unsilenceable(made: Statement, city_id: str, known: tuple[Region, Domain], span: tuple[int, int | None]) -> Fault | None:
    """What is wrong with a silence of a city, in a domain, over a span of time (ms); None if it can be kept."""
    region, _ = known
    starts_at, ends_at = span
    if city_id not in region.city_index:
        return Fault(Refused.UNKNOWN_CITY, f"{city_id} is no city: what those above cities are told is never muted")
    if not made.text.strip():
        return Fault(Refused.NO_REASON, f"silence of {city_id}")
    if ends_at is None or ends_at - starts_at > SILENCE_MOST_MS:
        return Fault(Refused.PERIOD_INVALID, f"a silence has an end, at most {SILENCE_MOST_MS // DAY} days from its beginning")
    return _unmatched(made, known)


def _unmatched(made: Statement, known: tuple[Region, Domain]) -> Fault | None:
    """What is wrong with what it is to mute."""
    region, domain = known
    level, hazard = made.matchers.get("level", made.level), made.matchers.get("hazard", made.hazard)
    if odd := sorted(set(made.matchers) - SILENCE_MATCHERS):
        return Fault(Refused.UNKNOWN_FIELD, f"a silence matches by {' and '.join(sorted(SILENCE_MATCHERS))}, not by {quoted(odd[0])}")
    if level is None:
        return Fault(Refused.MISSING_FIELD, "a silence names the highest level that it mutes")
    if level not in LEVELS:
        return Fault(Refused.OUT_OF_RANGE, f"{quoted(level)} cannot be silenced: {', '.join(LEVELS)} can, red never")
    if hazard and not any(one.hazard == hazard and one.family in domain.families for one in region.hazards):
        return Fault(Refused.UNKNOWN_HAZARD, f"{region.name} has no hazard {quoted(hazard)} for {domain.domain_id}")
    return None
