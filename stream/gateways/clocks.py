"""The clocks of gateways and of the stations behind them, watched in passing: what is told as a wrong clock is shown and never repaired.

Of a payload the newest instant of each counts, since what was kept back comes along with it. Looked at are the first and the last thing a payload
says of a station, for it is either in order or the other way round, and to read every time once more would cost a tenth of the throughput.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from stream.accept.moment import instant
from stream.accept.refusal import Fault
from stream.gateways.judging import series_of
from stream.gateways.skew import Clock, Skew, Skews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from zoneinfo import ZoneInfo

    from stream.gateways.verdict import Item


class Heard(NamedTuple):
    """The first and the last thing a payload says of a station."""

    station: str
    first: Item
    last: Item


class Clocks:
    """Clocks of gateways (by `gateway_at`) and of stations (by `observed_at`), each against our own."""

    def __init__(self) -> None:
        self._skews = Skews()

    def note(self, gateway: str, heard: Iterable[Heard], zone_of: Callable[[str], ZoneInfo | None], now: int) -> None:
        """Take the instants of a live payload; `zone_of` a series, where its times are local; `now` (ms): when it was received."""
        sent: list[int] = []
        for one in heard:
            ends = (one.first,) if one.first is one.last else (one.first, one.last)
            sent += [end.gateway_at for end in ends if end.gateway_at is not None]
            if self._skews.is_due((gateway, one.station), now):
                observed = [at for end in ends if (at := _observed_at(end, zone_of)) is not None]
                if observed:
                    self._skews.take((gateway, one.station), max(observed), now)
        if sent and self._skews.is_due((gateway, None), now):
            self._skews.take((gateway, None), max(sent), now)

    def of(self, gateway: str, station: str | None = None) -> Skew:
        """Of a station behind a gateway, or of the gateway itself."""
        return self._skews.of((gateway, station))

    def count(self, clock: Clock) -> int:
        """How many clocks are like this."""
        return self._skews.count(clock)


def _observed_at(item: Item, zone_of: Callable[[str], ZoneInfo | None]) -> int | None:
    """When it was measured, as its door reads it; None where it says nothing of a clock."""
    fields = item.fields
    moment = fields.get("observed_at")
    if isinstance(moment, bool) or not isinstance(moment, str | int | float):
        return None
    try:
        made = datetime.fromisoformat(moment) if isinstance(moment, str) else float(moment)
    except (ValueError, OverflowError):
        return None
    local = isinstance(made, datetime) and made.tzinfo is None
    at = instant(made, zone_of(series_of(fields)) if local else None)
    return None if isinstance(at, Fault) else at
