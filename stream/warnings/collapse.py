"""Many cities' readings as one line an incident: for whoever subscribes to a province, not to a city.

Nothing is lost by it: every active warning is in exactly one line, what no message says is counted as unknown, and a city that is silent for a
reason (its warning is muted) is named with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.warnings.reading import ELSEWHERE, LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.records.warning import CityWarning
    from stream.warnings.reading import CityReading


@dataclass(frozen=True, slots=True)
class OneIncident:
    """One incident over all cities that were read.

    `cities`: those warned themselves with their levels, the worst first; `informed`: others who were told of it. `arrives_at`: when it is expected
    where it comes first of those it has still to reach ("" = nowhere, or not known). `unanswered`: who has still to answer. `until_at`: when the last of the warnings ends.
    """

    incident_id: str
    hazard: str
    domain: str
    level: str
    cities: tuple[tuple[str, str], ...]
    informed: tuple[str, ...]
    arrives_at: str
    unanswered: tuple[str, ...]
    until_at: str
    newest_at: str


@dataclass(frozen=True, slots=True)
class Collapsed:
    """All incidents, the worst first, and per danger (hazard, domain) the cities that nobody sees, and those whose warning is muted."""

    incidents: tuple[OneIncident, ...]
    unknown: tuple[tuple[str, str, tuple[str, ...]], ...]
    muted: tuple[tuple[str, str, tuple[str, ...]], ...]


def collapse(readings: Iterable[CityReading]) -> Collapsed:
    """What many cities read, by incident.

    >>> collapse([])
    Collapsed(incidents=(), unknown=(), muted=())
    """
    warnings: dict[str, list[CityWarning]] = {}
    unknown: dict[tuple[str, str], list[str]] = {}
    muted: dict[tuple[str, str], list[str]] = {}
    for one in sorted(readings, key=lambda reading: reading.city_id):
        for warning in one.active:
            warnings.setdefault(warning.incident_id, []).append(warning)
        for danger in one.unknown:
            unknown.setdefault(danger, []).append(one.city_id)
        for danger in one.muted:
            muted.setdefault(danger, []).append(one.city_id)
    incidents = sorted((_one(those) for those in warnings.values()), key=lambda one: (-LEVELS.index(one.level), one.incident_id))
    return Collapsed(tuple(incidents), _by_danger(unknown), _by_danger(muted))


def _by_danger(cities: dict[tuple[str, str], list[str]]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple((hazard, domain, tuple(those)) for (hazard, domain), those in sorted(cities.items()))


def _one(warnings: list[CityWarning]) -> OneIncident:
    own = sorted((one for one in warnings if one.role not in ELSEWHERE), key=lambda one: (-LEVELS.index(one.level), one.city_id))
    newest_at = max(one.sent_at for one in warnings)
    ahead = [one.arrives_at_p50 for one in own if one.arrives_at_p50 and "same_place" not in one.paths and one.arrives_at_p50 > newest_at]
    return OneIncident(
        incident_id=warnings[0].incident_id,
        hazard=warnings[0].hazard,
        domain=warnings[0].domain,
        level=max((one.level for one in warnings), key=LEVELS.index),
        cities=tuple((one.city_id, one.level) for one in own),
        informed=tuple(sorted(one.city_id for one in warnings if one.role in ELSEWHERE)),
        arrives_at=min(ahead, default=""),
        unanswered=tuple(sorted(one.city_id for one in warnings if one.acknowledge_by_at)),
        until_at=max(one.expires_at for one in warnings),
        newest_at=newest_at,
    )
