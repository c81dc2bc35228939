"""The first steps of the chain: what was measured, whether it can be believed, and what was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detectors.base import Quality
from stream.records.instants import HOUR, from_text
from stream.records.journal import Flag
from stream.records.warning import StationState
from stream.review.explain_facts import SHOWN_BEFORE
from stream.review.explain_limits import limits, times_limit
from stream.review.explain_source import is_measured, place_of, quantity, station, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.records.warning import Evidence, EvidenceSummary
    from stream.review.explain_facts import Facts
    from stream.review.explain_voice import Voice

TOLD = 4
"""So many of the series behind a warning are told in full; a storm has hundreds."""
_NO_RATE = 1e-9
_SURE = 1e-12
_DAY_S = 86_400


def measured(voice: Voice, facts: Facts) -> list[str]:
    """What stands behind the warning, the leading series first, with what was measured before; then the city's own stations."""
    lines: list[str] = []
    behind = facts.behind
    for one in behind[:TOLD]:
        lines += [_measured(voice, facts, one), *_before(voice, facts, one)] if is_measured(one.series) else told(voice, facts, one)
    if len(behind) > TOLD:
        lines.append(
            voice.say(
                "measured_more",
                stations=voice.some([f"{station(voice, facts, one.series)} {quantity(voice, one.series)}" for one in behind[TOLD:]]),
            )
        )
    return [*(lines or [voice.say("no_evidence")]), *_own(voice, facts), *_conditions(voice, facts)]


def _measured(voice: Voice, facts: Facts, one: EvidenceSummary) -> str:
    return voice.say(
        "measured",
        station=station(voice, facts, one.series),
        where=_where(voice, facts, one.series),
        quantity=quantity(voice, one.series),
        value=voice.shown(one),
        at=voice.moment(one.observed_at),
        age=_age(voice, facts, from_text(one.observed_at)),
        rate=_rate(voice, facts, one),
    )


def _rate(voice: Voice, facts: Facts, one: EvidenceSummary) -> str:
    """How fast it changes: by the day where a value comes once a day or less often."""
    region, rate = facts.region, one.trend_per_h
    if rate is None or abs(rate) < _NO_RATE:
        return ""
    row = None if region is None else region.series.row_of.get(one.series)
    daily = region is not None and row is not None and float(region.series.interval_s[row]) >= _DAY_S
    key = ("rate_day" if daily else "rate") + ("" if rate > 0 else "_down")
    return voice.say(key, rate=voice.value(float(f"{abs(rate) * (24 if daily else 1):.2g}"), one.unit))


def _where(voice: Voice, facts: Facts, series: str) -> str:
    place = place_of(facts, series)
    if place is None or not (place.city_id or place.reach):
        return ""
    fields = {"city": voice.city(place.city_id), "reach": place.reach, "km": f"{place.reach_km:g}"}
    key = "where_both" if place.city_id and place.reach else "where_city" if place.city_id else "where_river"
    return voice.say(key, **fields)


def _age(voice: Voice, facts: Facts, observed_at: int) -> str:
    old = facts.at - observed_at
    return voice.say("age", span=voice.span(old)) if old >= 60_000 else ""  # noqa: PLR2004  a minute


def _before(voice: Voice, facts: Facts, one: EvidenceSummary) -> list[str]:
    known = facts.measured.get(one.series)
    if known is None:
        return []
    earlier = [sample for sample in known if sample.observed_at < from_text(one.observed_at)][-SHOWN_BEFORE:]
    if not earlier:
        return [f"  {voice.say('measured_only')}"]
    told = voice.many(f"{voice.value(sample.value, '')} ({voice.moment(sample.observed_at, one.observed_at)})" for sample in earlier)
    return [f"  {voice.say('measured_before', values=told)}"]


def _own(voice: Voice, facts: Facts) -> list[str]:
    """What the city's own stations show, unless it stands behind the warning already."""
    region, hazard, city_id = facts.region, facts.hazard, facts.warning.city_id
    if region is None or hazard is None or city_id not in region.city_index:
        return []
    if not hazard.stations_in.get(city_id):
        return [voice.say("own_none", city=voice.city(city_id))]
    behind = {one.series for one in facts.behind}
    return [
        voice.say(
            "own",
            station=station(voice, facts, series),
            quantity=quantity(voice, series),
            value=voice.value(one.value, region.series.unit[region.series.row_of[series]]),
            at=voice.moment(one.observed_at),
            age=_age(voice, facts, one.observed_at),
            below=_below(voice, facts, series, one.value),
        )
        for series, one in facts.own.items()
        if series not in behind
    ][:TOLD]


def _below(voice: Voice, facts: Facts, series: str, value: float) -> str:
    for known in limits(facts, series):
        if not known.is_index and not known.unit.endswith("/h"):
            lowest = min(known.by_level.values())
            return voice.say("below_limit" if value < lowest else "above_limit", limit=voice.value(lowest, known.unit))
    return ""


def _conditions(voice: Voice, facts: Facts) -> list[str]:
    """The wind that footprints went by, of the stations that measured it last."""
    lines = []
    for series, speed in sorted(facts.conditions.items(), key=lambda pair: -pair[1].observed_at):
        if not series.endswith("/wind_speed"):
            continue
        name = station(voice, facts, series)
        fields = {"station": name, "at": voice.moment(speed.observed_at), "speed": voice.value(speed.value, "m/s")}
        blows = facts.conditions.get(f"{name}/wind_direction")
        if blows is None or blows.observed_at != speed.observed_at:
            lines.append(voice.say("wind_calm", **fields))
        else:
            lines.append(voice.say("wind", compass=voice.compass(blows.value), deg=f"{blows.value:.0f}", **fields))
    return lines[:2]


def believed(voice: Voice, facts: Facts) -> list[str]:
    """What quality tests and station health say of the series behind the warning, and how much of the network reports."""
    lines: list[str] = []
    sound: list[str] = []
    unknown: list[str] = []
    for one in facts.behind:
        used = [found for found in facts.evidence.get(one.series, ()) if found.quality != Quality.FAIL]
        name = station(voice, facts, one.series)
        if not used:
            unknown += [name] if is_measured(one.series) else []
        elif used[-1].quality == Quality.SUSPECT:
            lines.append(voice.say("doubtful", station=name, weight=voice.percent(used[-1].weight)))
        else:
            sound.append(name)
        if one.reported_late:
            lines.append(voice.say("came_late", station=name))
        if any(sample.flags & Flag.SUSPECT for sample in facts.measured.get(one.series, ())[-1:]):
            lines.append(voice.say("sender_doubts", station=name))
    head = [voice.say("sound", stations=voice.some(list(dict.fromkeys(sound))))] if sound else []
    head += [voice.say("quality_unknown", stations=voice.some(list(dict.fromkeys(unknown))))] if unknown else []
    return [*head, *lines, *_held_back(voice, facts), *_health(voice, facts), *_coverage(voice, facts)]


def _held_back(voice: Voice, facts: Facts) -> list[str]:
    refused = [one for some in facts.evidence.values() for one in some if one.quality == Quality.FAIL]
    return [
        voice.say(
            "held_back",
            station=station(voice, facts, one.series),
            value=voice.shown(one),
            at=voice.moment(one.observed_at),
            why=voice.word(one.why),
        )
        for one in sorted(refused, key=lambda one: (one.observed_at, one.series))[-TOLD:]
    ]


def _health(voice: Voice, facts: Facts) -> list[str]:
    """Stations that were in fault at the decision; what a station became afterwards does not belong to the chain."""
    ill = [one for one in facts.health.values() if one.state is not StationState.SOUND and from_text(one.as_of_at) <= facts.at]
    return [
        voice.say("health", station=one.station, state=voice.word(one.state.value), at=voice.moment(one.as_of_at))
        for one in sorted(ill, key=lambda one: one.series)[:TOLD]
    ]


def _coverage(voice: Voice, facts: Facts) -> list[str]:
    coverage = facts.warning.coverage
    if not coverage.total:
        return []
    silent = voice.say("coverage_silent", series=voice.some(list(coverage.silent), 5)) if coverage.silent else ""
    city = voice.city(facts.warning.city_id)
    return [voice.say("coverage", fresh=coverage.fresh, total=coverage.total, city=city, silent=silent)]


def found(voice: Voice, facts: Facts) -> list[str]:
    """What detectors made of the series behind the warning: the last change of each, its limits, and how unlikely it is."""
    lines: list[str] = []
    for one in facts.behind[:TOLD]:
        if not is_measured(one.series):
            lines += _concluded(voice, facts, one)
            continue
        changes = [change for change in facts.evidence.get(one.series, ()) if change.level != change.previous_level]
        last = changes[-1] if changes else None
        lines.append(_change(voice, facts, one, last))
        lines += [f"  {line}" for line in (*_limits(voice, facts, one, last), *_chances(voice, one))]
    return lines


def _concluded(voice: Voice, facts: Facts, one: EvidenceSummary) -> list[str]:
    """The level of what no station measures, and how likely or unlikely that is."""
    head = voice.say("concluded", name=station(voice, facts, one.series), level=voice.word(one.level))
    return [head, *(f"  {line}" for line in _chances(voice, one))]


def _change(voice: Voice, facts: Facts, one: EvidenceSummary, last: Evidence | None) -> str:
    if last is None:
        return voice.say(
            "found_summary",
            station=station(voice, facts, one.series),
            quantity=quantity(voice, one.series),
            level=voice.word(one.level),
            why=voice.word(one.why),
        )
    return voice.say(
        "found",
        station=station(voice, facts, one.series),
        quantity=quantity(voice, one.series),
        detector=voice.word(last.detector, "detector"),
        old=voice.word(last.previous_level),
        new=voice.word(last.level),
        at=voice.moment(last.observed_at),
        why=voice.word(last.why),
    )


def _limits(voice: Voice, facts: Facts, one: EvidenceSummary, last: Evidence | None) -> list[str]:
    for known in limits(facts, one.series, "" if last is None else last.detector):
        told = voice.many(f"{voice.word(level)} {voice.value(limit, known.unit)}" for level, limit in known.by_level.items())
        lines = [voice.say("limits", limits=told)]
        if known.is_index and one.score > 0:
            return [voice.say("index", index=f"{one.score * min(known.by_level.values()):.0f}"), *lines]
        times = times_limit(facts, one)
        return [*lines, voice.say("times_limit", times=f"{times:.3g}")] if times is not None and known.unit == one.unit else lines
    return []


def _chances(voice: Voice, one: EvidenceSummary) -> Sequence[str]:
    lines = []
    if one.exceedance is not None:
        lines.append(voice.say("exceedance", percent=voice.percent(one.exceedance)))
    if one.p_value is not None:
        often = round(1 / max(one.p_value, _SURE))
        told = float(f"{often:.2g}")
        lines.append(voice.say("p_value", odds=voice.say("one_in", number=f"{told:,.0f}")))
    if one.reaches_next_level_in_h is not None:
        lines.append(voice.say("reaches_next", span=voice.span(one.reaches_next_level_in_h * HOUR)))
    return lines
