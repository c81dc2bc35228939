"""What a city's sentence says of a report: who saw it and in which words, instead of what a station measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.decide.disclosure import FAMILY, shown
from stream.decide.stated import REPORT
from stream.region.administrations import name_of
from stream.warnings.texts import word

if TYPE_CHECKING:
    from stream.decide.scene import Scene
    from stream.decide.state import Told

SAME_PLACE = "same_place"


def words(scene: Scene, series: str, told: Told, language: str) -> dict[str, str]:
    """The fields of a sentence whose leading source is a report; nothing for any other. `told`: who reads it, and how the danger comes there."""
    source = scene.state.sources.get(series)
    if source is None or source.placed is None or source.placed.kind != REPORT:
        return {}
    known = scene.domain.by_hand.reports.get(series.removeprefix(f"{REPORT}/"))
    reporter = name_of(scene.region, source.placed.counts_as.removeprefix(f"{REPORT}/"), language)
    measured = f"{shown(scene, source).text()} {source.placed.unit}".strip() if math.isfinite(source.value) else ""
    own = known.text if known is not None and scene.hazard.family != FAMILY else ""  # they may hold the count, or more
    said = [part for part in (own, measured) if part]
    fields = {
        "by": f"{reporter}, {known.by}" if known is not None else reporter,
        "said": word(language, "said").format(text=", ".join(said)) if said else "",
    }
    return fields | ({"arrives": word(language, "seen_here")} if told.path == SAME_PLACE else {})
