"""How exactly case counts are told outside the city they are of: in bands of ten, and totals over several cities not at all.

A small count can point at persons, so fewer than ten is told as that (k = 10). The other half is what could be computed: a city knows its own
count, so one total would give away its neighbour's, and an exact large count beside a total a small one; and a p-value, a chance or an expected
arrival is a count in other words to whoever knows the formula. Hence for everybody but its own city

- every count is banded, large ones too, and a total is told by its level alone (complementary suppression),
- footprints are given the middle of the band (`roughly`), so what they answer says no more than the band does,
- of how unusual it is no more goes on than the limit of its level (`limit_reached`), so neither does what is fused of that.

Sentences, which are passed on (CAP, a message to the public), have the band in its own city, too, and not the words of a report. Two counts of one
band that give the same levels read the same, byte for byte (tested). What this does not hide is that a level was reached: whoever knew
what is usual there, which no other city is told, could narrow the count down by it. Records that all may read (`incidents`, `evidence`,
`station_health` ...) have no own city. `warnings` and `warnings.late` keep each city's record as that city was sent it, and `measurements.*`,
`ingest.*`, `backfill.*`, `journal` and `checkpoints` the counts themselves: they are for the service alone (ACLs). In `rejected` stands the hash of a refused count, which whoever
can guess the rest of it can try out: for the service alone, too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from detectors.base import Level
from stream.decide.stated import LINKED, REPORT
from stream.records.warning import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.bound import BoundDetector
    from stream.decide.scene import Scene
    from stream.decide.state import SourceState
    from stream.region.model import Region

K = 10
"""Fewer cases than this are told to nobody outside their city."""
FAMILY = "health"
MOST = 100_000_000.0
"""What a count can be at most (`stream.records.measurement.CaseCount`)."""


_BY_THE_COUNT = (Reason.EARLIER, Reason.LATER, Reason.SURER)


class Shown(NamedTuple):
    """A value as it may be told: exact (`to` None), or somewhere from `value` to `to`."""

    value: float
    to: float | None = None

    @property
    def withheld(self) -> bool:
        """Whether nothing is told of it."""
        return self.to == MOST

    def text(self) -> str:
        """The value in a sentence.

        >>> Shown(12.5).text(), banded(4.0).text(), banded(43.0).text(), Shown(0.0, MOST).text()
        ('12.5', '<10', '40-49', '-')
        """
        if self.to is None:
            return f"{self.value:g}"
        if self.withheld:
            return "-"
        return f"<{K}" if self.value == 0 else f"{self.value:g}-{self.to:g}"


def banded(count: float) -> Shown:
    """The band of a count; what is no number stays 0, as everywhere in messages.

    >>> banded(9.0), banded(10.0), banded(0.0).to
    (Shown(value=0.0, to=9.0), Shown(value=10.0, to=19.0), 9.0)
    """
    low = math.floor(count / K) * float(K) if math.isfinite(count) else 0.0
    return Shown(low, low + K - 1)


def roughly(family: str, value: float) -> float:
    """A value as footprints are given it: of a count only the middle of its band, for what they answer is told to other cities.

    >>> roughly("health", 3.0), roughly("health", 43.0), roughly("water", 43.0)
    (4.5, 44.5, 43.0)
    """
    return banded(value).value + (K - 1) / 2 if family == FAMILY and math.isfinite(value) else value


def limit_reached(use: BoundDetector, row: int, level: int) -> float:
    """The p-value at which a detector reaches a level in a (local) row, NaN for none, or where the detector has no such limit."""
    name = f"alpha_{Level(level).label}"
    if name not in (use.parameters.dtype.names or ()):
        return math.nan
    limit = float(use.parameters[name][use.compact[row]])
    return limit if limit > 0.0 else math.nan


def shown(scene: Scene, source: SourceState, reader: str = "") -> Shown:
    """The value of a source as `reader` (a city or an administration, "" = everybody) may be told it. A sentence is passed on: it is for everybody."""
    value = source.value if math.isfinite(source.value) else 0.0
    placed = source.placed
    if scene.hazard.family != FAMILY or (placed is not None and placed.kind == LINKED):  # whose value is a probability
        return Shown(value)
    row = scene.region.series.row_of.get(source.series)
    if row is not None:
        own = owner(scene.region, row)
    elif placed is not None and placed.kind == REPORT:
        own = placed.counts_as.removeprefix(f"{REPORT}/")
        if not math.isfinite(source.value):
            return Shown(value)
    else:
        return Shown(0.0, MOST)
    return Shown(value) if reader and reader == own else banded(source.value)


def owner(region: Region, row: int) -> str:
    """The city a series is of, "" where it stands in none."""
    city = int(region.series.city[row])
    return region.cities[city].city_id if city >= 0 else ""


def told_to_all(family: str, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Of the reasons why cities were told something, those that an incident's record may give.

    That a city was told by its own counts that it is surer, or that it comes earlier, depends on how many cases it has, not on their band; so does
    whether its warning ends as over or as gone elsewhere.

    >>> told_to_all("health", [Reason.SURER, Reason.WORSE, Reason.LEFT]), told_to_all("water", [Reason.SURER])
    ((<Reason.WORSE: 'worse'>, <Reason.CLEARED: 'cleared'>), (<Reason.SURER: 'surer'>,))
    """
    if family != FAMILY:
        return tuple(reasons)
    return tuple(Reason.CLEARED if one is Reason.LEFT else one for one in reasons if one not in _BY_THE_COUNT)
