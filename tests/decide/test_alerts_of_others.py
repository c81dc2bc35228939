"""What an agency's alerts change for the cities below: warned, corrected, over, and taken back, each by its own message."""

from __future__ import annotations

from stream.accept import statements
from stream.gateways.cap_in import CapIn, Taken
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Statement
from stream.records.lanes import Lane
from tests.gateways.cap_alerts import alert, reference
from tests.gateways.test_cap_in import SOURCE


def test_an_alert_its_update_its_all_clear_and_a_cancel_reach_the_cities_below(story, calm, start) -> None:
    tale = story()
    takes = CapIn([SOURCE], [tale.region], Lane.TEST)
    tale.quiet(start, start + HOUR, calm)

    def send(xml: bytes, at: int) -> None:
        found = takes.take(xml, at)
        assert isinstance(found, Taken), found
        for said in found.statements:
            judged = statements.judge(statements.Stated(said, found.city_id, at, Lane.TEST), [tale.region])
            assert isinstance(judged, Statement), judged
            tale.give(at, judged)

    at = start + HOUR
    send(alert("a1", at), at + SECOND)
    assert tale.messages("bor")[-1]["level"] == "orange"
    send(alert("a2", at + MINUTE, msg_type="Update", references=reference("a1", at), severity="Moderate"), at + 2 * MINUTE)
    assert tale.messages("bor")[-1]["level"] == "yellow"
    over = alert("a3", at + 10 * MINUTE, msg_type="Update", references=reference("a1", at), response="AllClear")
    send(over, at + 10 * MINUTE)
    tale.quiet(at + 11 * MINUTE, at + 6 * HOUR, calm)
    assert tale.told("ava")[-1] == ("all_clear", "yellow", "cleared")
    again = at + 6 * HOUR
    send(alert("b1", again), again + SECOND)
    send(
        alert("b2", again + MINUTE, msg_type="Cancel", references=reference("b1", again), headline="It was a test of the siren"),
        again + MINUTE,
    )
    assert tale.told("ava")[-1][0] == "cancel"
