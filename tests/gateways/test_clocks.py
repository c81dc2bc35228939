"""The clocks of stations and gateways as the last-seen page shows them: found in what is handed in, whatever became of it, and nothing is corrected."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import make_mocked_request

from stream.accept.refusal import Refused
from stream.gateways.http_page import LEFT_OFF, ROWS_MOST, answer, page
from stream.gateways.last_seen import LastSeen
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.skew import EVERY_MS, SAMPLES_LEAST, Clock
from stream.gateways.verdict import Item, Judged, Verdict
from stream.records.instants import HOUR, MINUTE, SECOND, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

T0 = 1_800_000_000_000
HARBIN = ZoneInfo("Asia/Shanghai")
ACCEPTED, FUTURE = Judged(0, Verdict.ACCEPTED), Judged(0, Verdict.REJECTED, "$", "ahead", Refused.TIME_FUTURE)


def item(observed_at: object, gateway_at: int | None = None) -> Item:
    return Item("$", {"station": "upper", "quantity": "stage", "observed_at": observed_at, "value": 1}, gateway_at=gateway_at)


def heard(payload: Callable[[int], list[Item]], said: Judged = ACCEPTED, *, zone: ZoneInfo | None = None, every: int = MINUTE) -> LastSeen:
    """A dozen payloads, one each `every` ms, made of the instant at which they are received."""
    seen = LastSeen(10)
    for now in range(T0, T0 + 12 * every, every):
        found = payload(now)
        seen.note("g", found, [said._replace(item=at) for at in range(len(found))], now, lambda _: zone)
    return seen


@pytest.mark.parametrize(
    ("payload", "said", "clock", "off_ms"),
    [
        (lambda now: [item(to_text(now - 300))], ACCEPTED, Clock.SOUND, -300),
        (lambda now: [item((now + 61_000) / 1_000)], ACCEPTED, Clock.AHEAD, 61_000),
        (lambda now: [item(to_text(now + HOUR))], FUTURE, Clock.AHEAD, HOUR),
        (lambda now: [item(to_text(now - HOUR))], ACCEPTED, Clock.BEHIND_OR_SLOW, -HOUR),
        (lambda now: [item(to_text(now - at * MINUTE)) for at in range(20)], ACCEPTED, Clock.SOUND, 0),
        (lambda now: [item(to_text(now - at * MINUTE)) for at in reversed(range(20))], ACCEPTED, Clock.SOUND, 0),
        (lambda now: [item(to_text(now - HOUR))], Judged(0, Verdict.DUPLICATE), Clock.UNKNOWN, 0),
        (lambda now: [item(to_text(now - HOUR))], Judged(0, Verdict.REJECTED, "$", "no", Refused.NOT_BOUND), Clock.UNKNOWN, 0),
        (lambda _: [item("noon")], ACCEPTED, Clock.UNKNOWN, 0),
        (lambda _: [item(True)], ACCEPTED, Clock.UNKNOWN, 0),
        (lambda _: [item(10**400)], ACCEPTED, Clock.UNKNOWN, 0),
    ],
)  # fmt: skip
def test_a_stations_clock_is_seen_in_the_newest_of_each_payload(
    payload: Callable[[int], list[Item]], said: Judged, clock: Clock, off_ms: int
) -> None:
    (sight,) = heard(payload, said).sights()
    assert (sight.clock, sight.clock_off_ms) == (clock, off_ms)


def test_a_station_in_the_wrong_time_zone_is_an_hour_or_more_off() -> None:
    def local(now: int) -> list[Item]:
        return [item((datetime.fromtimestamp(now / 1_000, UTC) + timedelta(hours=7)).strftime("%Y-%m-%d %H:%M:%S"))]

    assert heard(local, zone=HARBIN).sights()[0].clock_off_ms == -HOUR
    assert heard(local).sights()[0].clock is Clock.UNKNOWN, "without a zone no instant is named"


def test_the_gateways_clock_is_told_apart_from_the_stations() -> None:
    seen = heard(lambda now: [item(to_text(now - 2 * SECOND), now + MINUTE)])
    (sight,) = seen.sights()
    assert (sight.clock, sight.gateway_clock, sight.gateway_clock_off_ms) == (Clock.SOUND, Clock.AHEAD, MINUTE)
    assert "gateway: ahead by 60 s or more" in page([sight], T0)


def test_history_and_bursts_say_nothing_of_a_clock() -> None:
    seen = LastSeen(10)
    for now in range(T0, T0 + 100):
        seen.note("g", [item(to_text(now - HOUR))], [ACCEPTED], now)
    assert seen.sights()[0].clock is Clock.UNKNOWN
    assert heard(lambda now: [item(to_text(now))], every=EVERY_MS // 100).clocks.of("g", "upper").samples == 1


def test_clocks_are_counted_by_what_they_seem_to_be() -> None:
    metrics = GatewayMetrics()
    seen = heard(lambda now: [item(to_text(now + MINUTE))])
    metrics.watch_clocks(seen.clocks.count)
    assert metrics.registry.get_sample_value("tocsin_gateway_clocks", {"clock": "ahead"}) == 1
    assert metrics.registry.get_sample_value("tocsin_gateway_clocks", {"clock": "unknown"}) == 0
    assert seen.clocks.of("g", "upper").samples > SAMPLES_LEAST


def test_a_page_of_too_many_stations_says_how_many_are_left_off() -> None:
    seen = LastSeen(ROWS_MOST + 7)
    for number in range(ROWS_MOST + 7):
        seen.note("g", [Item("$", {"station": f"s{number}", "observed_at": to_text(T0)})], [ACCEPTED], T0)
    whole = answer(make_mocked_request("GET", "/v1/last-seen"), seen)
    assert isinstance(whole.body, bytes)
    assert (len(json.loads(whole.body)), whole.headers[LEFT_OFF]) == (ROWS_MOST, "7")
    assert "7 more are left off" in (answer(make_mocked_request("GET", "/v1/last-seen", {"Accept": "text/html"}), seen).text or "")
    assert answer(make_mocked_request("GET", "/v1/last-seen?station=s200"), seen).headers[LEFT_OFF] == "0"
