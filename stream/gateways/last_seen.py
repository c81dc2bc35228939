"""What an installer looks at after mounting a sensor: when each station was last heard of through which gateway, and what was wrong with it.

In memory, of this process, bounded. What is refused has a memory of its own, so that junk cannot push out what is real. No values are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from stream.accept.refusal import Refused
from stream.gateways.clocks import Clocks, Heard
from stream.gateways.skew import Clock
from stream.gateways.verdict import Item, Verdict, Wrong
from stream.records.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from stream.gateways.verdict import Judged

    ZoneOf = Callable[[str], ZoneInfo | None]

Place = tuple[str, str]
"""Gateway and station."""
TEXT_CHARS_MAX = 128


class Sight(msgspec.Struct):
    """One station through one gateway. `observed_at`: of the last one taken, as it was written; instants of ours RFC 3339, UTC.

    `clock`: what its clock, as `observed_at` shows it, seems to be; `clock_off_ms`: ahead by at least so much, or if negative behind by at most so
    much (a slow way here looks the same). `gateway_clock`: the same of the gateway, where it says when it took the measurement. Nothing is corrected.
    """

    gateway: str
    station: str
    observed_at: str = ""
    received_at: str = ""
    taken: int = 0
    rejected: int = 0
    rejected_at: str = ""
    error: str = ""
    clock: Clock = Clock.UNKNOWN
    clock_off_ms: int = 0
    gateway_clock: Clock = Clock.UNKNOWN
    gateway_clock_off_ms: int = 0


class LastSeen:
    """Sights by gateway and station, those heard of last at the end. `most` of what was taken, and a tenth of it of what was refused."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.clocks = Clocks()
        self._taken: OrderedDict[Place, tuple[object, int, int]] = OrderedDict()
        self._refused: OrderedDict[Place, tuple[str, int, int]] = OrderedDict()

    def note(self, gateway: str, found: Sequence[Item | Wrong], judged: Sequence[Judged], now: int, zone_of: ZoneOf | None = None) -> None:
        """Remember a payload's verdicts; `now` in ms. `zone_of` a series: of what is live, whose clocks are watched; None = history."""
        taken: dict[str, list[Item]] = {}
        times: dict[str, list[Item]] = {}
        refused: dict[str, list[str]] = {}
        for one in judged:
            item = found[one.item] if 0 <= one.item < len(found) else None
            station = _station(item)
            if one.verdict is Verdict.REJECTED:
                refused.setdefault(station, []).append(one.error)
            elif isinstance(item, Item):
                taken.setdefault(station, []).append(item)
            if isinstance(item, Item) and (one.verdict is Verdict.ACCEPTED or one.reason is Refused.TIME_FUTURE):
                times.setdefault(station, []).append(item)
        for station, items in taken.items():
            _, _, before = self._taken.pop((gateway, station), (None, 0, 0))
            fields = items[-1].fields
            self._taken[gateway, station] = fields.get("observed_at", fields.get("period_end_at")), now, before + len(items)
        for station, errors in refused.items():
            _, _, before = self._refused.pop((gateway, station), ("", 0, 0))
            self._refused[gateway, station] = errors[-1], now, before + len(errors)
        _bound(self._taken, self._most)
        _bound(self._refused, max(self._most // 10, 1))
        if zone_of is not None:
            self.clocks.note(gateway, (Heard(station, items[0], items[-1]) for station, items in times.items()), zone_of, now)

    def sights(self, gateways: Sequence[str] | None = None) -> list[Sight]:
        """What is known, by gateway and station; `gateways`: only of these."""
        made: dict[Place, Sight] = {}
        for place, (observed_at, at, count) in self._taken.items():
            made[place] = Sight(*place, "" if observed_at is None else str(observed_at)[:TEXT_CHARS_MAX], to_text(at), count)
        for place, (error, at, count) in self._refused.items():
            sight = made.setdefault(place, Sight(*place))
            sight.rejected, sight.rejected_at, sight.error = count, to_text(at), error
        return [self._with_clocks(made[place]) for place in sorted(made) if gateways is None or place[0] in gateways]

    def _with_clocks(self, sight: Sight) -> Sight:
        own, of_gateway = self.clocks.of(sight.gateway, sight.station), self.clocks.of(sight.gateway)
        sight.clock, sight.clock_off_ms = own.clock, own.ahead_ms - own.behind_ms
        sight.gateway_clock, sight.gateway_clock_off_ms = of_gateway.clock, of_gateway.ahead_ms - of_gateway.behind_ms
        return sight


def _station(item: Item | Wrong | None) -> str:
    if not isinstance(item, Item):
        return ""
    fields = item.fields
    name = fields.get("station") or fields.get("series") or fields.get("area")
    return name.partition("/")[0][:TEXT_CHARS_MAX] if isinstance(name, str) else ""


def _bound(kept: OrderedDict[Place, tuple[object, int, int]] | OrderedDict[Place, tuple[str, int, int]], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
