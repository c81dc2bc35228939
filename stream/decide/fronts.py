"""Where the front of a dissolved substance was first seen: its first trace at a station on a river, long before it alarms there.

The crossing of an alarm's limit comes hours to days after the front, and later the further down: it would say that the river is slow where the
cloud has only become long and low. So where a detector has a parameter `trace`, the first value above it is kept for as long as the event
lasts, whether the limit is reached or not. A trace below the limit is no danger and warns nobody; it corrects when the danger comes to those below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from detectors.base import Quality
from detectors.history import LENGTH
from detectors.rows import NEVER
from stream.decide.findings import Traced
from stream.decide.state import FrontState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from stream.decide.bound import BoundDetector
    from stream.decide.findings import Step
    from stream.decide.state import HazardState, IncidentState
    from stream.region.model import Region

TRACE, LIMIT = "trace", "limit"


class Traces(NamedTuple):
    """By local row: above which value a series shows the substance (NaN = it is not asked), and from which value on it alarms."""

    trace: NDArray[np.float64]
    limit: NDArray[np.float64]


def traces(region: Region, rows: NDArray[np.intp], uses: Iterable[BoundDetector]) -> Traces | None:
    """The series on a river whose detector has a trace set; None if there are none."""
    on_river = np.array([bool(region.series.reach[row]) for row in rows.tolist()], np.bool_)
    found = Traces(np.full(len(rows), np.nan), np.full(len(rows), np.nan))
    for use in uses:
        if TRACE in (use.parameters.dtype.names or ()):
            here = np.flatnonzero((use.compact >= 0) & on_river)
            found.trace[here] = use.parameters[TRACE][use.compact[here]]
            found.limit[here] = use.parameters[LIMIT][use.compact[here]]
    return None if np.isnan(found.trace).all() else found


def seen(index: int, known: Traces, step: Step, raised: NDArray[np.bool_]) -> list[tuple[int, int, Traced]]:
    """What the samples of a step (already in the history) say of fronts, with their message and place: only what may be news.

    That is a value above the trace after one that was not, or was not trusted; a series that begins to alarm (`raised`); and a sample that is
    late or corrects another.
    """
    samples = step.samples
    rows, trace = samples.rows, known.trace[samples.rows]
    before, trusted = step.history["value"][rows, -2], step.history["flag"][rows, -2] != Quality.SUSPECT
    begins = (samples.value > trace) & ~((before > trace) & trusted) & (samples.flag != Quality.SUSPECT)
    news = ~np.isnan(trace) & (begins | raised | ~samples.in_order)
    return [
        (
            int(step.unit[i]),
            int(step.place[i]),
            Traced(index, row, at, front_of(step.history[row], at, float(trace[i]), float(known.limit[row]))),
        )
        for i in np.flatnonzero(news).tolist()
        for row, at in [(int(rows[i]), int(samples.observed_at[i]))]
    ]


def front_of(one: Any, at: int, trace: float, limit: float) -> FrontState | None:
    """The front that the sample of the instant `at` belongs to, by the history of its series: the first value above the trace since a clean one.

    None if the sample shows no trace, if its beginning is not known any more, or if it is the rest of an earlier wave.
    """
    known = (one["observed_at"] != NEVER) & (one["observed_at"] <= at)
    times, values = one["observed_at"][known], one["value"][known]
    if not len(times) or times[-1] != at or not values[-1] > trace:
        return None
    clean = np.flatnonzero(values <= trace)
    first = int(clean[-1]) + 1 if len(clean) else 0
    if (values[first:-1] >= limit).any() or (not len(clean) and len(times) == LENGTH):
        return None
    return FrontState(int(times[first]), int(times[first - 1]) if len(clean) else None, bool(values[first] < limit))


def note(state: HazardState, series: str, one: Traced) -> bool:
    """Keep what was seen of the event under way, if there is one; whether that is news. The earliest front of a series counts."""
    known = state.fronts.get(series)
    if not state.sources:
        return False
    if one.front is None:
        withdrawn = known is not None and known.front_at == one.observed_at
        if withdrawn:
            del state.fronts[series]
        return withdrawn
    if known is not None and (known.front_at < one.front.front_at or known == one.front):
        return False
    state.fronts[series] = one.front
    return True


def forget(region: Region, state: HazardState, over: IncidentState) -> None:
    """What an incident that is over taught of its stations; where another one goes on, it goes on to be known."""
    if not state.fronts:
        return
    cities = set(over.told) - {city_id for other in state.incidents.values() if other is not over for city_id in other.told}
    here = {series: int(region.series.city[region.series.row_of[series]]) for series in state.fronts}
    state.fronts = {
        series: front for series, front in state.fronts.items() if here[series] < 0 or region.cities[here[series]].city_id not in cities
    }
