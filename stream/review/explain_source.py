"""What stands behind a warning and is no measuring station: a person's report, another danger, a forecast, a cluster of cases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from stream.review.explain_facts import NOT_MEASURED, hazard_of

if TYPE_CHECKING:
    from stream.records.journal import Linked, Statement
    from stream.records.warning import EvidenceSummary
    from stream.region.cascades import Cascade
    from stream.region.model import Region
    from stream.review.explain_facts import Facts
    from stream.review.explain_voice import Voice

REPORT, LINKED, FORECAST, SCAN = NOT_MEASURED
CONFIRMS = "confirm"


class Place(NamedTuple):
    """Where a source stands. `city_id` "" and `reach` "" when it stands in no city, on no river; NaN = unknown."""

    city_id: str
    reach: str
    reach_km: float
    latitude: float
    longitude: float


def is_measured(series: str) -> bool:
    """Whether a station measures it.

    >>> is_measured("linhe/stage"), is_measured("report/stm-1f")
    (True, False)
    """
    return not series.startswith(NOT_MEASURED)


def station(voice: Voice, facts: Facts, series: str) -> str:
    """What a source is called in a sentence: its station, who reported it, what it follows from."""
    if series.startswith(REPORT):
        said = statement(facts, series)
        return voice.say("name_report") if said is None else voice.say("name_report_by", by=said.by, city=voice.city(said.city_id))
    if series.startswith(LINKED):
        link = link_of(facts, series)
        rule = rule_of(facts, series)
        cause = link.from_hazard if link is not None else rule.cause if rule is not None else "?"
        return voice.say("name_linked", hazard=hazard_name(voice, facts.region, cause))
    if series.startswith(FORECAST):
        return voice.say("name_forecast", station=series.removeprefix(FORECAST).rpartition("/")[0])
    if series.startswith(SCAN):
        return voice.say("name_scan")
    return series.rpartition("/")[0] or series


def hazard_name(voice: Voice, region: Region | None, hazard: str) -> str:
    """The region's name for a danger."""
    known = None if region is None else hazard_of(region, hazard)
    return hazard if known is None else known.texts.get(voice.language, {}).get("name", hazard)


def quantity(voice: Voice, series: str) -> str:
    """What a series measures, in words; "" for what no instrument measures."""
    named = series.removeprefix(FORECAST)
    return voice.word(named.rpartition("/")[2]) if is_measured(named) else ""


def statement(facts: Facts, series: str) -> Statement | None:
    """What was stated by the report that a source is; None when it is not kept."""
    name = series.removeprefix(REPORT)
    return next((one for one in facts.statements if one.statement_id == name and one.act == "report"), None)


def link_of(facts: Facts, series: str) -> Linked | None:
    """The newest revision of the link that a source is; None when it is not kept."""
    found = [one for one in facts.links if one.link_id == series.rpartition("/")[2]]
    return max(found, key=lambda one: one.revision, default=None)


def rule_of(facts: Facts, series: str) -> Cascade | None:
    """The cascade rule that a source follows from."""
    name = series.removeprefix(LINKED).partition("/")[0]
    return None if facts.region is None else next((one for one in facts.region.cascades if one.name == name), None)


def place_of(facts: Facts, series: str) -> Place | None:
    """Where a source stands; None where that is nowhere, or not known."""
    region, said = facts.region, statement(facts, series) if series.startswith(REPORT) else None
    if region is None:
        return None
    if said is not None:
        return _stated(region, said)
    row = region.series.row_of.get(series.removeprefix(FORECAST))
    if row is None:
        return None
    table, city = region.series, int(region.series.city[row])
    on_river = (table.reach[row], float(table.reach_km[row]))
    return Place(region.cities[city].city_id if city >= 0 else "", *on_river, float(table.latitude[row]), float(table.longitude[row]))


def _stated(region: Region, said: Statement) -> Place:
    """As the report says, or in the city it names, at the first of its places on the river."""
    reach, km, latitude, longitude = said.reach, said.km, said.latitude, said.longitude
    at = region.city_index.get(said.place_city)
    if at is not None and latitude is None and not reach:
        place = region.cities[at].place
        latitude, longitude = place.latitude, place.longitude
        reach, km = place.river[0] if place.river else ("", None)
    return Place(said.place_city, reach, *(math.nan if one is None else one for one in (km, latitude, longitude)))


def told(voice: Voice, facts: Facts, one: EvidenceSummary) -> list[str]:
    """What is known of a source that no station measures."""
    if one.series.startswith(REPORT):
        return _report(voice, facts, one)
    if one.series.startswith(LINKED):
        return _link(voice, facts, one)
    name = station(voice, facts, one.series)
    value, at = voice.shown(one), voice.moment(one.observed_at)
    key = "source_forecast" if one.series.startswith(FORECAST) else "source_scan"
    return [voice.say(key, name=name, quantity=quantity(voice, one.series), value=value, at=at)]


def _report(voice: Voice, facts: Facts, one: EvidenceSummary) -> list[str]:
    said = statement(facts, one.series)
    name = station(voice, facts, one.series)
    if said is None:
        return [voice.say("source_report_bare", name=name, level=voice.word(one.level), at=voice.moment(one.observed_at))]
    value = "" if said.value is None else voice.say("source_value", value=voice.value(said.value, said.unit))
    fields = {"level": voice.word(said.level), "at": voice.moment(said.received_at), "value": value}
    lines = [voice.say("source_report", name=name, **fields)]
    lines += [f"  {voice.say('source_text', text=said.text)}"] if said.text else []
    confirmed = {_same(each.by): each.by.strip() for each in facts.statements if each.act == CONFIRMS and each.about == said.statement_id}
    others = [by for name, by in confirmed.items() if name != _same(said.by)]
    if others:
        lines.append(f"  {voice.say('source_confirmed', by=voice.many(others))}")
    else:
        lines.append(f"  {voice.say('source_went_there' if said.confirmed else 'source_alone')}")
    return lines


def _same(by: str) -> str:
    """A person's name however it is written: one person who signs in two ways is one."""
    return " ".join(by.split()).casefold()


def _link(voice: Voice, facts: Facts, one: EvidenceSummary) -> list[str]:
    link, rule = link_of(facts, one.series), rule_of(facts, one.series)
    name = station(voice, facts, one.series)
    lines = [voice.say("source_linked", name=name, at=voice.moment(one.observed_at))]
    if rule is not None:
        lines.append(f"  {voice.say('source_rule', rule=rule.name, percent=voice.percent(rule.probability))}")
        lines.append(f"  {voice.say('source_text', text=rule.texts.get(voice.language, ''))}")
    if link is not None:
        chain = " → ".join(f"{hazard_name(voice, facts.region, hazard)} {incident}" for incident, _, hazard in link.chain)
        lines.append(f"  {voice.say('source_chain', chain=chain)}")
    return lines
