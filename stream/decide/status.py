"""How every city stands, per hazard and domain: warned, unknown, watch or clear; said when it changes and again before it lapses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from stream.decide.life import seconds
from stream.decide.state import StatusState
from stream.decide.telling import level_label, minute
from stream.records.instants import from_text, to_text
from stream.records.warning import CityState, CityStatus
from stream.warnings.envelope import of_status
from stream.warnings.texts import WORDS, render, word

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.scene import Scene
    from stream.decide.state import Told
    from stream.records.output import Output
    from stream.records.warning import Coverage

TIME_SUSPECT = "time_suspect"
"""Why a city is unknown whose stations report: nobody can say when."""


def statuses(scene: Scene, cities: Iterable[str], at: int) -> list[Output]:
    """The statuses of these cities that changed, or of which half of the validity is over."""
    refresh = seconds(scene.hazard.rules.status_valid_s) // 2
    outputs: list[Output] = []
    warned = scene.state.warned()
    for city_id in sorted(cities):
        state, level, muted_by = _standing(scene, city_id, warned.get(city_id))
        last = scene.state.status.get(city_id)
        changed = last is None or (last.state, last.level, last.muted_by) != (state.value, level, muted_by)
        if not changed and last is not None and at < last.published_at + refresh:
            continue
        since_at = at if changed or last is None else last.since_at
        scene.state.status[city_id] = StatusState(state.value, level, since_at, max(at, last.published_at) if last else at, muted_by)
        outputs += of_status(_record(scene, city_id, scene.state.status[city_id]), sent_at=at, reason=state.value)
    return outputs


def _standing(scene: Scene, city_id: str, told: Told | None) -> tuple[CityState, int, tuple[str, ...]]:
    """The state, the level, and what mutes the warning: it is in force all the same."""
    if told is not None:
        return CityState.WARNED, told.level, told.muted_by
    if not scene.sees(city_id):
        return CityState.UNKNOWN, 0, ()
    return (CityState.WATCH if city_id in scene.state.watched else CityState.CLEAR), 0, ()


def _missing(language: str, coverage: Coverage) -> str:
    """What does not report, for reading: a few names, which of them are in maintenance, and since when the others do not."""
    planned = (word(language, "maintained").format(one) for one in coverage.maintenance[:5])
    since = word(language, "since").format(minute(from_text(coverage.silent_since_at))) if coverage.silent_since_at else ""
    return ", ".join((*coverage.silent[:5], *planned)) + since or "-"


def _record(scene: Scene, city_id: str, status: StatusState) -> CityStatus:
    coverage = scene.coverage(city_id)
    city = scene.city(city_id)
    fields = {
        language: {
            "city": city.names.get(language, city_id) if city is not None else city_id,
            "hazard": scene.hazard.texts.get(language, {}).get("name", scene.hazard.hazard),
            "level": word(language, level_label(status.level)),
            "fresh": str(coverage.fresh),
            "total": str(coverage.total),
            "silent": _missing(language, coverage),
            "muted_by": ", ".join(status.muted_by),
        }
        for language in WORDS
    }
    because = TIME_SUSPECT if scene.undated and status.state == CityState.UNKNOWN.value else UNSET
    return CityStatus(
        city_id=city_id,
        hazard=scene.hazard.hazard,
        domain=scene.domain_id,
        lane=scene.lane,
        state=CityState(status.state),
        level=level_label(status.level),
        since_at=to_text(status.since_at),
        as_of_at=to_text(status.published_at),
        valid_until_at=to_text(status.published_at + seconds(scene.hazard.rules.status_valid_s)),
        coverage=coverage,
        muted_by=status.muted_by,
        region=scene.region.name,
        region_hash=scene.region.region_hash,
        because=because,
        text=render("muted" if status.muted_by else because or status.state, scene.hazard.texts, fields, scene.lane),
    )


def refresh_due(scene: Scene) -> int | None:
    """When the next status must be said again."""
    published = [status.published_at for city, status in scene.state.status.items() if city in scene.cities()]
    return min(published) + seconds(scene.hazard.rules.status_valid_s) // 2 if published else None
