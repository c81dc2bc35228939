"""What sources come to by themselves, without a fold: asked and weighed as the fold does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.impacts import Around, Asked, Reached, ask, weigh
from stream.decide.placing import place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.decide.state import SourceState
    from stream.region.model import Hazard, Region
    from topology.base import Conditions


def reached(region: Region, hazard: Hazard, sources: Sequence[SourceState], conditions: Conditions, around: Around = Around()) -> Reached:  # noqa: B008  immutable
    asked = [Asked(number, state, place(region, state, "inc")) for number, state in enumerate(sources)]
    return weigh(region, hazard, [ask(region, hazard, one, conditions) for one in asked], around, conditions.now)
