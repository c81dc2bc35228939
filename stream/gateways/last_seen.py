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

    def places(self, gateways: Sequence[str] | None = None, begins: str = "") -> list[Place]:
        """What is known of, sorted; `gateways`: only of these; `begins`: only stations whose names begin like this."""
        known = self._taken.keys() | self._refused.keys()
        return sorted(place for place in known if (gateways is None or place[0] in gateways) and place[1].startswith(begins))

    def sights(self, places: Sequence[Place] | None = None) -> list[Sight]:
        """What is known of these places; None = of all."""
        found = [self._sight(place) for place in (self.places() if places is None else places)]
        of_gateway = {name: self.clocks.of(name) for name in {sight.gateway for sight in found}}
        for sight in found:
            own, of_its_gateway = self.clocks.of(sight.gateway, sight.station), of_gateway[sight.gateway]
            sight.clock, sight.clock_off_ms = own.clock, own.off_ms
            sight.gateway_clock, sight.gateway_clock_off_ms = of_its_gateway.clock, of_its_gateway.off_ms
        return found

    def _sight(self, place: Place) -> Sight:
        sight = Sight(*place)
        if place in self._taken:
            observed_at, at, sight.taken = self._taken[place]
            sight.observed_at, sight.received_at = "" if observed_at is None else str(observed_at)[:TEXT_CHARS_MAX], to_text(at)
        if place in self._refused:
            sight.error, at, sight.rejected = self._refused[place]
            sight.rejected_at = to_text(at)
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
