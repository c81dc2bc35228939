"""Who may say what, at the doors: what is forged, replayed elsewhere, expired, revoked or of another city or lane is refused and audited."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.accept.door import DoorRecord
from stream.accept.refusal import IDENTITY, Refused
from stream.records.envelope import signed_bytes
from stream.records.instants import to_text
from stream.records.journal import SignedMeasurements, columns, decode
from tests.accept.signers import NOW, YESTERDAY, accept, changed, envelope, payload, private, send, signed, stage

B64 = base64.b64encode
LOWER = {"series": "lower/discharge", "value": 900.0}
ATTACKS = {
    # forged
    "signed with a key of his own": (signed("stranger"), Refused.BAD_SIGNATURE),
    "signed with another principal's key": (signed("lower"), Refused.BAD_SIGNATURE),
    "no signature": (changed(signed(), signature=""), Refused.BAD_SIGNATURE),
    "a signature of zeros": (changed(signed(), signature=B64(bytes(64)).decode()), Refused.BAD_SIGNATURE),
    "another batch's signature": (changed(signed(), signature=json.loads(signed(sequence=8))["signature"]), Refused.BAD_SIGNATURE),
    "the content changed": (changed(signed(), payload=B64(payload(stage(value=9.0))).decode()), Refused.BAD_SIGNATURE),
    "the content written anew": (changed(signed(), payload=B64(payload().replace(b" ", b"")).decode()), Refused.BAD_SIGNATURE),
    "the number changed": (changed(signed(), sequence=8), Refused.BAD_SIGNATURE),
    "dated anew": (changed(signed(signed_at=to_text(YESTERDAY)), signed_at=to_text(NOW)), Refused.BAD_SIGNATURE),
    "the lane changed": (changed(signed(lane="exercise"), lane="live"), Refused.BAD_SIGNATURE),
    "the audience changed": (changed(signed(audience="other"), audience="small"), Refused.BAD_SIGNATURE),
    "the family changed": (changed(signed(family="air"), family="water"), Refused.BAD_SIGNATURE),
    "another principal's batch as his": (changed(signed("lower", principal="lower-gauges"), principal="upper-gauges"), Refused.BAD_SIGNATURE),
    "an unknown principal": (signed(principal="nobody"), Refused.UNKNOWN_PRINCIPAL),
    "a principal that shows itself by a token": (signed(principal="by-token"), Refused.UNKNOWN_PRINCIPAL),
    "an unknown key": (signed(key_id="k99"), Refused.UNKNOWN_KEY),
    "another scheme": (changed(signed(), envelope="none"), Refused.BAD_ENVELOPE),
    "a scheme beside it": (changed(signed(), alg="none"), Refused.BAD_ENVELOPE),
    "no key named": (json.dumps({k: v for k, v in json.loads(signed()).items() if k != "key_id"}).encode(), Refused.BAD_ENVELOPE),
    "a negative number": (changed(signed(), sequence=-1), Refused.BAD_ENVELOPE),
    "not base64": (changed(signed(), payload="%%%"), Refused.BAD_ENVELOPE),
    "an envelope within an envelope": (signed(payload=signed()), Refused.BAD_ENVELOPE),
    "the signature taken off": (payload(), Refused.UNSIGNED),
    "the signature taken off, one alone": (json.dumps(stage()).encode(), Refused.UNSIGNED),
    "a measurement that also is an envelope": (changed(signed(), **stage()), Refused.UNSIGNED),
    # expired, not yet valid, revoked
    "an expired key": (signed("old", key_id="old"), Refused.KEY_NOT_VALID),
    "an expired key, dated back": (signed("old", key_id="old", signed_at=to_text(NOW - 2 * 3_600_000)), Refused.KEY_NOT_VALID),
    "a key of tomorrow": (signed("next", key_id="next"), Refused.KEY_NOT_VALID),
    "a revoked key": (signed("lost", key_id="lost"), Refused.REVOKED),
    "a revoked principal": (signed("gone", principal="gone"), Refused.REVOKED),
    # replayed
    "kept for a day": (signed(signed_at=to_text(YESTERDAY)), Refused.SIGNED_TIME),
    "dated ahead": (signed(signed_at=to_text(NOW + 400_000)), Refused.SIGNED_TIME),
    "no instant": (signed(signed_at="noon"), Refused.TIME_INVALID),
    "an instant without offset": (signed(signed_at="2024-05-01T12:00:00"), Refused.TIME_INVALID),
    "meant for another door": (signed(family="air"), Refused.WRONG_FAMILY),
    # wrong city
    "meant for another region": (signed(audience="danube"), Refused.WRONG_AUDIENCE),
    "another city's station": (signed(payload=payload(stage(**LOWER))), Refused.NOT_BOUND),
    "another city's station by its parts": (
        signed(payload=payload({"station": "lower", "quantity": "discharge", "observed_at": NOW / 1000, "value": 1})),
        Refused.NOT_BOUND,
    ),
    "the upper gauge by the lower city": (signed("lower", principal="lower-gauges"), Refused.NOT_BOUND),
    # wrong lane
    "an exercise at the live door": (signed(lane="exercise"), Refused.OTHER_LANE),
    "an exercise inside, live outside": (signed(payload=payload(stage(lane="exercise"))), Refused.OTHER_LANE),
    "a lane that is none": (signed(lane="LIVE"), Refused.OTHER_LANE),
    "who only takes part in exercises": (signed("drill", principal="drill", lane="live"), Refused.OTHER_LANE),
}  # fmt: skip
ELSEWHERE = {
    "a family that is not his": (signed("lower", principal="lower-gauges", family="air"), {"door": "measurements.air"}, Refused.NOT_BOUND),
    "live in an exercise": (signed("drill", principal="drill"), {"prefix": "exercise."}, Refused.OTHER_LANE),
    "an exercise of who takes part in none": (signed(lane="exercise"), {"prefix": "exercise."}, Refused.OTHER_LANE),
    "another's station through his own door": (payload(stage()), {"door": "ingest.own-door", "door_of": "own-door"}, Refused.NOT_BOUND),
    "another's batch through his own door": (signed(), {"door": "ingest.own-door", "door_of": "own-door"}, Refused.NOT_BOUND),
    "a report through his own door": (
        b'{"report":"intervention","domain":"basin","act":"close","reach":"r","km":1,"starts_at":1,"by":"x"}',
        {"door": "ingest.own-door", "door_of": "own-door"},
        None,
    ),
    "a door that is shut": (payload(stage(**LOWER)), {"door": "ingest.own-shut", "door_of": "own-shut"}, Refused.REVOKED),
    "a door of exercises": (payload(stage(**LOWER)), {"door": "ingest.own-drill", "door_of": "own-drill"}, Refused.OTHER_LANE),
    "nobody's door": (payload(stage(**LOWER)), {"door": "ingest.nobody", "door_of": "nobody"}, Refused.UNKNOWN_PRINCIPAL),
    "the door of who has none": (payload(), {"door": "ingest.upper-gauges", "door_of": "upper-gauges"}, Refused.UNKNOWN_PRINCIPAL),
}  # fmt: skip


def test_there_are_thirty_attacks_and_more():
    assert len(ATTACKS) + len(ELSEWHERE) >= 50
    assert {reason for _, reason in ATTACKS.values()} >= IDENTITY


@pytest.mark.parametrize("name", ATTACKS)
def test_each_attack_is_refused_with_its_reason_and_audited(name):
    value, reason = ATTACKS[name]
    out = send(value)
    assert (out.entries, out.accepted) == ([], 0)
    assert [one.reason for one in out.refused] == [reason]
    (entry,) = out.audit
    assert (entry.reason, entry.by, entry.topic, entry.partition, entry.offset) == (reason.value, "accept", "measurements.water", 1, 5)
    assert entry.proven == (reason not in {Refused.BAD_SIGNATURE, Refused.UNKNOWN_KEY, Refused.UNKNOWN_PRINCIPAL, Refused.UNSIGNED}
                            and not (reason is Refused.BAD_ENVELOPE and "within" not in name))  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_sound_in_one_place_is_refused_in_another_and_audited(name):
    value, where, reason = ELSEWHERE[name]
    out = send(value, **where)
    assert (out.entries, out.accepted) == ([], 0)
    (refused,) = out.refused
    assert reason in (refused.reason, None)
    if reason is not None:
        assert [one.reason for one in out.audit] == [reason.value]


def test_a_signed_batch_comes_into_the_journal_with_who_signed_it():
    out = send(signed(payload=payload(stage(), stage(observed_at="2024-05-01T11:40:00Z", value=2.0))))
    assert (out.refused, out.audit, out.accepted) == ([], [], 2)
    message = decode(out.entries[0].value)
    assert isinstance(message, SignedMeasurements)
    assert (message.principal, message.key_id, message.sequence, message.part, message.domain) == ("upper-gauges", "now", 7, 0, "basin")
    assert columns(message).value.tolist() == [1.5, 2.0]
    assert send(signed(payload=payload(stage(), stage(observed_at="2024-05-01T11:40:00Z", value=2.0)))).entries == out.entries


def test_a_batch_over_two_domains_is_one_message_for_each_with_the_same_batch():
    out = send(signed(payload=payload(stage(), stage(series="mixed/stage"))))
    first, second = (decode(one.value) for one in out.entries)
    assert {first.domain, second.domain} == {"basin", "both"}
    assert first.batch == second.batch
    assert (first.part, second.part) == (0, 0)


def test_a_bad_element_of_a_signed_batch_is_refused_alone_and_is_no_affair_of_identity():
    out = send(signed(payload=payload(stage(), stage(unit="kg"), stage(value=2.5, observed_at=1_714_560_000.0))))
    assert out.accepted == 2
    assert [(one.reason, one.index) for one in out.refused] == [(Refused.UNIT_INCOMPATIBLE, 1)]
    assert json.loads(out.refused[0].payload or b"")["unit"] == "kg"
    assert out.audit == []


def test_many_foreign_stations_in_one_batch_are_one_entry_that_counts_them():
    out = send(signed(payload=payload(*[stage(**LOWER)] * 150, stage())))
    assert out.accepted == 1
    assert [one.reason for one in out.refused] == [Refused.MANY]
    assert [(one.reason, one.measurements, one.principal) for one in out.audit] == [("not_bound", 150, "upper-gauges")]


def test_stations_that_nobody_signs_for_are_taken_unsigned_as_before():
    out = send(payload(stage(**LOWER)))
    assert (out.accepted, out.audit) == (1, [])
    assert not isinstance(decode(out.entries[0].value), SignedMeasurements)


def test_what_comes_through_the_door_of_a_principal_is_taken_for_his_stations():
    out = send(payload(stage(**LOWER), stage()), "ingest.own-door", door_of="own-door")
    assert out.accepted == 1
    assert [(one.principal, one.proven, one.index, one.reason) for one in out.audit] == [("own-door", True, 1, "not_bound")]


def test_both_keys_of_a_rotation_are_good_while_both_are_valid():
    assert send(signed("now", key_id="now"), at=NOW - 3_700_000).refused[0].reason is Refused.SIGNED_TIME
    early = {"signed_at": to_text(NOW - 3_700_000), "payload": payload(stage(observed_at="2024-05-01T10:50:00Z"))}
    assert send(signed("now", **early), at=NOW - 3_700_000).accepted == 1
    assert send(signed("old", key_id="old", **early), at=NOW - 3_700_000).accepted == 1


def test_of_refused_case_counts_nothing_that_an_unproven_sender_wrote_is_kept():
    value = signed("stranger", principal="Zhang San", family="health", payload=b'{"name":"Zhang San"}')
    out = send(value, "measurements.health")
    kept = repr((out.refused, out.audit))
    assert [one.reason for one in out.refused] == [Refused.UNKNOWN_PRINCIPAL]
    assert "Zhang" not in kept
    assert len(out.audit) == 1


def test_case_counts_may_be_signed():
    count = {"area": "north", "period_start_at": "2024-04-22T00:00:00Z", "period_end_at": "2024-04-29T00:00:00Z", "value": 7}
    out = send(signed("clinics", principal="clinics", family="health", payload=json.dumps(count).encode()), "measurements.health")
    assert (out.accepted, out.refused) == (1, [])


def test_records_of_the_clients_own_kind_are_judged_the_same():
    one = SimpleNamespace(partition=1, offset=5, timestamp=NOW, value=payload(), key=None)
    out = accept().accept("measurements.water", [one], NOW)
    assert (out.refused, out.audit) == (send(payload()).refused, send(payload()).audit)


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: ('{"envelope":' + json.dumps(text) + "}").encode()))
def test_whatever_is_in_an_envelope_nothing_is_raised_and_nothing_lost(junk):
    for value in (junk, changed(signed(), payload=B64(junk).decode()), signed(payload=junk)):
        out = send(value)
        assert out.accepted + len(out.refused) >= 1


@given(st.data())
def test_every_change_of_a_single_bit_of_what_was_signed_is_found(data):
    value = signed()
    at = data.draw(st.integers(0, len(value) * 8 - 1))
    flipped = bytearray(value)
    flipped[at // 8] ^= 1 << at % 8
    out = accept().accept("measurements.water", [DoorRecord(0, 0, NOW, bytes(flipped))], NOW)
    sound = decode(send(value).entries[0].value)
    for one in out.entries:  # a bit of base64 that stands for nothing, or of the writing of the JSON: the same batch
        assert decode(one.value) == sound


@given(st.lists(st.sampled_from(["principal", "key_id", "audience", "lane", "family", "signed_at"]), min_size=2, max_size=2, unique=True))
def test_no_two_envelopes_have_the_same_signed_bytes(fields):
    first, second = fields
    one = envelope(**{first: "ab", second: "c"})
    other = envelope(**{first: "a", second: "bc"})
    assert signed_bytes(one) != signed_bytes(other)
    assert len(private("now")) == 32
