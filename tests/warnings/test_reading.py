from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.records.instants import to_text
from stream.records.warning import CityState, CityStatus, CityWarning, Coverage, Lane, LinkTest, MsgType, Reason, Texts
from stream.warnings.reading import CityView, Watched, decode, reading, told, told_all

TEXT = Texts("", "")
FLOOD = Watched("flood", "danube")
AIR = Watched("air", "north")


def warning(revision: int = 1, **values: Any) -> CityWarning:
    fields: dict[str, Any] = {
        "warning_id": "w", "revision": revision, "supersedes": revision - 1 or None, "incident_id": "i", "city_id": "wu", "hazard": "flood",
        "domain": "danube", "lane": Lane.LIVE, "msg_type": MsgType.ALERT, "level": "yellow", "certainty": "likely", "reason": Reason.FIRST,
        "path": "river", "paths": ("river",), "probability": 0.9, "intensity": 1.0, "confidence": 0.9, "sent_at": to_text(1_000 * revision),
        "arrives_at_p10": None, "arrives_at_p50": None, "arrives_at_p90": None, "arrival_unknown_because": "reservoir", "passed_at": None,
        "expires_at": to_text(100_000), "reasons": (), "evidence": (), "coverage": Coverage(1, 1), "role": "affected", "also_warned": (),
        "acknowledge_by_at": None, "region": "r", "region_hash": "h", "text": TEXT,
    }  # fmt: skip
    return CityWarning(**(fields | values))


def status(state: CityState, at: int, watched: Watched = FLOOD, valid_s: int = 60, level: str = "none") -> CityStatus:
    return CityStatus(
        city_id="wu", hazard=watched.hazard, domain=watched.domain, lane=Lane.LIVE, state=state, level=level, since_at=to_text(at),
        as_of_at=to_text(at), valid_until_at=to_text(at + valid_s * 1_000), coverage=Coverage(1, 1), region="r", region_hash="h", text=TEXT,
    )  # fmt: skip


def link_test(at: int) -> LinkTest:
    return LinkTest(city_id="wu", lane=Lane.TEST, sent_at=to_text(at), next_by_at=to_text(at + 1), text=TEXT)


EMPTY = CityView("wu")


def test_a_city_that_was_told_nothing_is_unknown_not_clear() -> None:
    assert reading(EMPTY, [FLOOD], 0).state is CityState.UNKNOWN
    assert reading(EMPTY, [], 0).state is CityState.UNKNOWN


def test_a_fresh_clear_of_every_watched_danger_reads_clear() -> None:
    view = told_all(EMPTY, [status(CityState.CLEAR, 0), status(CityState.CLEAR, 0, AIR)])
    assert reading(view, [FLOOD, AIR], 59_999).state is CityState.CLEAR


def test_one_lapsed_status_makes_the_city_unknown_at_the_very_instant() -> None:
    view = told_all(EMPTY, [status(CityState.CLEAR, 0, valid_s=60), status(CityState.CLEAR, 0, AIR, valid_s=90)])
    read = reading(view, [FLOOD, AIR], 60_000)
    assert (read.state, read.unknown) == (CityState.UNKNOWN, (FLOOD,))


def test_a_missing_status_outweighs_a_watch_but_not_a_warning() -> None:
    assert reading(told(EMPTY, status(CityState.WATCH, 0)), [FLOOD, AIR], 1).state is CityState.UNKNOWN
    warned = reading(told(EMPTY, status(CityState.WARNED, 0, level="red")), [FLOOD, AIR], 1)
    assert (warned.state, warned.level, warned.unknown) == (CityState.WARNED, "red", (AIR,))


def test_a_lapsed_warned_status_without_an_active_warning_is_unknown_not_warned_and_never_clear() -> None:
    view = told(EMPTY, status(CityState.WARNED, 0, level="red"))
    assert reading(view, [FLOOD], 60_000).state is CityState.UNKNOWN


def test_an_active_warning_counts_even_when_the_status_lapsed_or_says_clear() -> None:
    for messages in ([warning()], [status(CityState.CLEAR, 0), warning()]):
        read = reading(told_all(EMPTY, messages), [FLOOD], 50_000)
        assert (read.state, read.level) == (CityState.WARNED, "yellow")


def test_a_warning_ends_by_all_clear_by_cancel_and_by_expiry() -> None:
    for ended in (warning(2, msg_type=MsgType.ALL_CLEAR), warning(2, msg_type=MsgType.CANCEL)):
        assert reading(told_all(EMPTY, [warning(), ended]), [], 2_000).active == ()
    assert reading(told(EMPTY, warning()), [], 99_999).active
    assert not reading(told(EMPTY, warning()), [], 100_000).active


def test_a_warning_that_is_said_to_have_expired_stands_no_longer_and_leaves_the_city_unknown() -> None:
    view = told_all(EMPTY, [warning(1), warning(2, msg_type=MsgType.UPDATE, reason=Reason.EXPIRED), status(CityState.UNKNOWN, 2_000)])
    assert (reading(view, [FLOOD], 3_000).state, reading(view, [FLOOD], 3_000).active) == (CityState.UNKNOWN, ())


def test_an_older_or_repeated_message_changes_nothing() -> None:
    view = told_all(EMPTY, [warning(2, level="red"), status(CityState.CLEAR, 5_000), link_test(5_000)])
    for old in (warning(1), warning(2), status(CityState.WATCH, 4_000), status(CityState.WATCH, 5_000), link_test(4_000)):
        assert told(view, old) is view


def test_a_message_of_another_city_is_refused() -> None:
    with pytest.raises(ValueError, match="'wu' was read as one for 'wuxi'"):
        told(CityView("wuxi"), warning())


def test_the_worst_warning_stands_first() -> None:
    view = told_all(EMPTY, [warning(), warning(warning_id="v", level="red"), warning(warning_id="u", level="blue")])
    assert [one.level for one in reading(view, [], 0).active] == ["red", "yellow", "blue"]


messages = st.lists(
    st.one_of(
        st.builds(warning, st.integers(1, 4), warning_id=st.sampled_from("ab"), level=st.sampled_from(["blue", "red"])),
        st.builds(status, st.sampled_from(list(CityState)), st.integers(0, 4).map(lambda n: n * 1_000), st.sampled_from([FLOOD, AIR])),
        st.builds(link_test, st.integers(0, 4)),
    ),
    max_size=12,
)


@given(messages)
def test_reading_a_topic_twice_says_the_same_as_once(told_them: list[Any]) -> None:
    once = told_all(EMPTY, told_them)
    assert told_all(once, told_them) == once


@given(messages, st.integers(0, 200_000))
def test_clear_needs_a_fresh_clear_record_for_every_watched_danger(told_them: list[Any], now: int) -> None:
    view = told_all(EMPTY, told_them)
    read = reading(view, [FLOOD, AIR], now)
    if read.state is CityState.CLEAR:
        assert all(view.statuses[one].state is CityState.CLEAR for one in (FLOOD, AIR))
        assert not read.active


@given(messages)
def test_every_message_survives_its_bytes(told_them: list[Any]) -> None:
    assert [decode(msgspec.json.encode(message)) for message in told_them] == told_them
