"""The last-seen page, as JSON or as plain HTML: no script, nothing loaded, readable on the telephone of whoever stands beside the gauge."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from stream.gateways.skew import Clock
from stream.records.instants import HOUR, MINUTE, SECOND, to_text
from stream.runtime.clocks import wall_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.last_seen import LastSeen, Sight

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Last seen</title>
<style>body{font:1rem/1.4 sans-serif;margin:1rem}table{border-collapse:collapse}td,th{border:1px solid #767676;padding:.2rem .5rem;text-align:left}
.wrap{overflow-x:auto}</style></head><body>
<h1>Last seen</h1>
"""
ROWS_MOST = 2_000
LEFT_OFF = "Tocsin-Left-Off"
"""The header of a JSON answer that says how many more there are."""
_COLUMNS = ("Gateway", "Station", "Observed at", "Received at", "Taken", "Clock", "Rejected", "Last rejected at", "Why")
_CLOCKS = {
    Clock.UNKNOWN: "",
    Clock.SOUND: "sound",
    Clock.AHEAD: "ahead by {off} or more",
    Clock.BEHIND_OR_SLOW: "behind, or long on its way: {off}",
    Clock.JUMPED: "jumped: it was set, or comes and goes",
}


def answer(request: web.Request, seen: LastSeen, gateways: Sequence[str] | None = None) -> web.Response:
    """What was heard of stations (`?station=` how their names begin) of these gateways, None = of all; as a page for whoever asks for one.

    At most ROWS_MOST of them, for all measurements wait while they are gathered; how many more there are is said.
    """
    places = seen.places(gateways, request.query.get("station", ""))
    sights, left_off = seen.sights(places[:ROWS_MOST]), max(len(places) - ROWS_MOST, 0)
    if "text/html" in request.headers.get("Accept", ""):
        safe = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return web.Response(text=page(sights, wall_ms(), left_off), content_type="text/html", headers=safe)
    return web.Response(body=msgspec.json.encode(sights), content_type="application/json", headers={LEFT_OFF: str(left_off)})


def page(sights: Sequence[Sight], now: int, left_off: int = 0) -> str:
    """The page of these sights at this instant (ms). Everything a sender wrote is escaped.

    >>> from stream.gateways.last_seen import Sight
    >>> "<b>" in page([Sight("g", "<b>")], 0)
    False
    """
    rows = [
        (
            one.gateway, one.station or "(none named)", one.observed_at, one.received_at, one.taken, _clocks(one),
            one.rejected, one.rejected_at, one.error,
        )
        for one in sights
    ]  # fmt: skip
    said = (
        f"<p>At {to_text(now)}, of this process since it started. Times are UTC; “observed” as the sender wrote it. "
        "A clock that is wrong is shown and not corrected: set it.</p>\n"
    )
    if left_off:
        said += f"<p>The first {len(rows)}; {left_off} more are left off: ask with ?station= and how the name begins.</p>\n"
    if not rows:
        return f"{_HEAD}{said}<p>Nothing has come yet.</p></body></html>\n"
    head = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    body = "\n".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'{_HEAD}{said}<div class="wrap"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div></body></html>\n'


def _clocks(one: Sight) -> str:
    """What is to be thought of the station's clock and, where it says when it took the measurement, the gateway's.

    >>> from stream.gateways.last_seen import Sight
    >>> _clocks(Sight("g", "s", clock=Clock.SOUND, gateway_clock=Clock.AHEAD, gateway_clock_off_ms=61_000))
    'sound; gateway: ahead by 61 s or more'
    """
    both = (("", one.clock, one.clock_off_ms), ("gateway: ", one.gateway_clock, one.gateway_clock_off_ms))
    return "; ".join(whose + _CLOCKS[clock].format(off=_length(abs(off_ms))) for whose, clock, off_ms in both if clock is not Clock.UNKNOWN)


def _length(ms: int) -> str:
    """A length of time for a person: hours off is most often a wrong time zone.

    >>> _length(61_000), _length(1_800_000), _length(28_800_000)
    ('61 s', '30.0 min', '8.0 h')
    """
    unit, name = (HOUR, "h") if ms >= 2 * HOUR else (MINUTE, "min") if ms >= 2 * MINUTE else (SECOND, "s")
    return f"{ms / unit:.{0 if unit == SECOND else 1}f} {name}"
