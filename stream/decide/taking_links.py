"""What another domain passed on takes effect here: as a source of an incident, less certain than a measurement, which ends by itself.

Links are applied in the order of (effective_at, id), each once, by deadlines of the domain's own time, so that it does not matter in which order
they came. One that comes from a danger of this very hazard and domain is refused: else two dangers could hold each other up for ever.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Quality
from stream.decide.linked import CASCADE, HOPS_MOST, OPEN, WITHDRAWN, Refusal, Taken, forget
from stream.decide.state import HazardState, SourceState
from stream.decide.stated import ALSO_IN, LINKED, Placed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.records.journal import Linked, Seen

DETECTOR = "linked"
_P_LEAST = 1e-6


class Settled(NamedTuple):
    """Whether what came into effect, or ended, must be judged; and whether something proved wrong."""

    changed: bool
    withdrawn: bool


def remember(partition: Partition, link: Linked, now: int) -> Refusal | None:
    """Keep a link until it takes effect; why it is refused, if it is."""
    domain = partition.core.domains[link.to_domain]
    if not any(one.hazard.hazard == link.to_hazard for one in partition.bound(link.to_domain).hazards):
        return Refusal.NO_SUCH_HAZARD
    if link.hop > HOPS_MOST:
        return Refusal.TOO_FAR
    if any((domain_id, hazard) == (link.to_domain, link.to_hazard) for _, domain_id, hazard in link.chain):
        return Refusal.LOOP
    links = domain.hazards.setdefault(link.to_hazard, HazardState()).links
    known = links.taken.get(link.link_id)
    if known is not None and known.link.revision >= link.revision:
        return Refusal.REPEATED
    if known is None and link.ends_at is not None and link.ends_at <= now:
        return Refusal.OVER
    forget(links, now)
    links.taken[link.link_id] = Taken(link)
    return None


def due(state: HazardState) -> int | None:
    """When the next link takes effect or ends."""
    return min((at for one in state.links.taken.values() if (at := _due(one)) is not None), default=None)


def _due(one: Taken) -> int | None:
    if one.over:
        return None
    return one.link.ends_at if one.applied else one.link.effective_at


def settle(scene: Scene, at: int) -> Settled:
    """Let every link take effect, or end, that is due at `at`, in the order of (effective_at, id)."""
    taken = scene.state.links.taken
    waiting = [one for one in taken.values() if (due_at := _due(one)) is not None and due_at <= at]
    changed = withdrawn = False
    for one in sorted(waiting, key=lambda one: (one.link.effective_at, one.link.link_id)):
        if not one.applied:
            one.applied = True
            wrong = _apply(scene, one)
            changed, withdrawn = True, withdrawn or wrong
        if not one.over and one.link.ends_at is not None and one.link.ends_at <= at:
            one.over = True
            changed = _end(scene.state, one.link) or changed
    return Settled(changed, withdrawn)


def series_of(link: Linked) -> str:
    """The name of a link among the sources of an incident; what a station measures keeps the name of its series."""
    return link.seen.series if link.seen is not None else f"{LINKED}/{link.rule}/{link.link_id}"


def links_of(state: HazardState, series: Iterable[str]) -> tuple[Linked, ...]:
    """The links in effect behind some sources, by their ids."""
    wanted = set(series)
    return tuple(one.link for _, one in sorted(state.links.taken.items()) if one.applied and not one.over and series_of(one.link) in wanted)


def linked_to(state: HazardState, incident: IncidentState) -> tuple[str, ...]:
    """The incidents of other domains from which this one follows, those included whose links have ended."""
    now = {link.from_incident for link in links_of(state, incident.series)} - {""} if state.links.taken else set()
    return tuple(sorted(now.union(incident.linked_to)))


def _apply(scene: Scene, one: Taken) -> bool:
    """Make the link what it says; whether it says that an earlier revision was wrong."""
    state, link = scene.state, one.link
    if link.state != OPEN:
        one.over = True
        state.silent.discard(series_of(link))
        known = state.sources.pop(series_of(link), None)
        return known is not None and link.state == WITHDRAWN
    if _dismissed(state, series_of(link), link.level):
        return False
    if link.cause == CASCADE:
        _cascade(scene, link)
    elif link.seen is not None:
        state.silent.discard(link.seen.series)
        state.sources[link.seen.series] = _seen(scene, link, link.seen)
        one.over = link.seen.ended_at is not None
    return False


def _dismissed(state: HazardState, series: str, level: int) -> bool:
    """Whether somebody has taken back what this link says: it counts again when it says worse, or has said nothing in between."""
    if 0 < level <= state.dismissed.get(series, 0):
        return True
    state.dismissed.pop(series, None)
    return False


def _end(state: HazardState, link: Linked) -> bool:
    """A consequence that nothing supports any more is over; a station of another domain that is not heard of any more is silent."""
    series = series_of(link)
    if series not in state.sources:
        return False
    if link.cause == CASCADE:
        del state.sources[series]
    else:
        state.silent.add(series)
    return True


def _cascade(scene: Scene, link: Linked) -> None:
    """The source a consequence is. Alone it gives the incident the probability that the rule gives it."""
    series, prior = series_of(link), scene.hazard.fusion.prior
    known = scene.state.sources.get(series)
    onset_at = link.effective_at if known is None else known.onset_at
    source = SourceState(
        series, link.level, link.level, onset_at, link.sent_at, link.probability, 0.0, None, DETECTOR, link.rule, int(Quality.GOOD)
    )  # fmt: skip
    source.log_lr = _logit(link.probability) - _logit(prior)
    source.placed = Placed(
        city_id="",
        latitude=None,
        longitude=None,
        reach="",
        reach_km=None,
        counts_as=f"{LINKED}/{link.rule}/{link.from_domain}",
        weight=link.weight,
        kind=LINKED,
        reaches=link.reaches,
        domain_id=link.to_domain,
    )
    scene.state.sources[series] = source


def _seen(scene: Scene, link: Linked, seen: Seen) -> SourceState:
    """What a station of another domain measures, standing where the station stands."""
    table, row = scene.region.series, scene.region.series.row_of.get(seen.series)
    source = SourceState(
        seen.series, seen.level, seen.peak, seen.onset_at, seen.observed_at, seen.value, seen.score, None, seen.detector, seen.why, seen.quality,
        seen.late, seen.ended_at, seen.highest, seen.p_value, seen.log_lr, seen.exceedance,
    )  # fmt: skip
    city = -1 if row is None else int(table.city[row])
    source.placed = Placed(
        city_id=scene.region.cities[city].city_id if city >= 0 else "",
        latitude=None if row is None else _known(float(table.latitude[row])),
        longitude=None if row is None else _known(float(table.longitude[row])),
        reach="" if row is None else table.reach[row],
        reach_km=None if row is None else _known(float(table.reach_km[row])),
        counts_as=seen.series.partition("/")[0] if row is None else table.station[row],
        weight=link.weight,
        kind=ALSO_IN,
        domain_id=link.to_domain,
        unit="" if row is None else table.unit[row],
    )
    return source


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _logit(probability: float) -> float:
    p = min(max(probability, _P_LEAST), 1.0 - _P_LEAST)
    return math.log(p / (1.0 - p))
