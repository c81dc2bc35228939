"""What an installer looks at after mounting a sensor: when each station was last heard of through which gateway, and what was wrong with it.

In memory, of this process, bounded. What is refused has a memory of its own, so that junk cannot push out what is real. No values are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from stream.gateways.verdict import Item, Verdict, Wrong
from stream.records.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.verdict import Judged

Place = tuple[str, str]
"""Gateway and station."""
TEXT_CHARS_MAX = 128


class Sight(msgspec.Struct):
    """One station through one gateway. `observed_at`: of the last one taken, as it was written; instants of ours RFC 3339, UTC."""

    gateway: str
    station: str
    observed_at: str = ""
    received_at: str = ""
    taken: int = 0
    rejected: int = 0
    rejected_at: str = ""
    error: str = ""


class LastSeen:
    """Sights by gateway and station, those heard of last at the end. `most` of what was taken, and a tenth of it of what was refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: OrderedDict[Place, tuple[object, int, int]] = OrderedDict()
        self._refused: OrderedDict[Place, tuple[str, int, int]] = OrderedDict()

    def note(self, gateway: str, found: Sequence[Item | Wrong], judged: Sequence[Judged], now: int) -> None:
        """Remember a request's verdicts; `now` in ms."""
        taken: dict[str, tuple[object, int]] = {}
        refused: dict[str, tuple[str, int]] = {}
        for one in judged:
            item = found[one.item] if 0 <= one.item < len(found) else None
            station, observed_at = _named(item)
            if one.verdict is Verdict.REJECTED:
                refused[station] = one.error, refused.get(station, ("", 0))[1] + 1
            else:
                taken[station] = observed_at, taken.get(station, (None, 0))[1] + 1
        for station, (observed_at, count) in taken.items():
            before = self._taken.pop((gateway, station), (None, 0, 0))
            self._taken[gateway, station] = observed_at, now, before[2] + count
        for station, (error, count) in refused.items():
            last = self._refused.pop((gateway, station), ("", 0, 0))
            self._refused[gateway, station] = error, now, last[2] + count
        _bound(self._taken, self._most)
        _bound(self._refused, max(self._most // 10, 1))

    def sights(self, gateways: Sequence[str] | None = None) -> list[Sight]:
        """What is known, by gateway and station; `gateways`: only of these."""
        made: dict[Place, Sight] = {}
        for place, (observed_at, at, count) in self._taken.items():
            made[place] = Sight(*place, "" if observed_at is None else str(observed_at)[:TEXT_CHARS_MAX], to_text(at), count)
        for place, (error, at, count) in self._refused.items():
            sight = made.setdefault(place, Sight(*place))
            sight.rejected, sight.rejected_at, sight.error = count, to_text(at), error
        return [made[place] for place in sorted(made) if gateways is None or place[0] in gateways]


def _named(item: Item | Wrong | None) -> tuple[str, object]:
    if not isinstance(item, Item):
        return "", None
    fields = item.fields
    name = fields.get("station") or fields.get("series") or fields.get("area")
    station = name.partition("/")[0][:TEXT_CHARS_MAX] if isinstance(name, str) else ""
    return station, fields.get("observed_at", fields.get("period_end_at"))


def _bound(kept: OrderedDict[Place, tuple[object, int, int]] | OrderedDict[Place, tuple[str, int, int]], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
