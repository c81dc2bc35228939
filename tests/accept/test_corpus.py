from __future__ import annotations

import hashlib

import pytest

from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import IDENTITY, Refused, to_record
from stream.settings import Settings
from tests.accept.corpus import Known, as_bytes, corpus, good, good_count
from tests.accept.regions import region

NOW = 1_714_564_800_000
KNOWN = Known("upper/stage", "m", "roof/pm25", "north", NOW, Settings().door_bytes_max)
CORPUS = corpus(KNOWN)
OF_ANSWERS = {Refused.UNKNOWN_WARNING, Refused.NO_REASON}
"""What only happens to answers of cities (tests/gateways/test_intake.py)."""
OF_GATEWAYS = {Refused.UNKNOWN_DEVICE}
"""What only happens to payloads that a mapping explains (tests/gateways/test_dialects.py)."""
BY_HAND = {Refused.UNKNOWN_DOMAIN, Refused.UNKNOWN_HAZARD, Refused.UNKNOWN_CITY, Refused.UNKNOWN_STATION, Refused.NOT_YOURS}
"""What only happens to statements of people (test_statements.py). What is about identity is in test_identity.py."""


@pytest.fixture(scope="module")
def accept():
    return Accept([region()], Settings(), 12)


def test_the_corpus_has_every_reason_and_no_kind_twice():
    assert len(CORPUS) >= 35
    assert {one.reason for one in CORPUS} == set(Refused) - OF_ANSWERS - OF_GATEWAYS - BY_HAND - (IDENTITY - {Refused.OTHER_LANE})
    assert len({one.kind for one in CORPUS}) == len(CORPUS)


@pytest.mark.parametrize("broken", CORPUS, ids=lambda one: one.kind)
def test_each_kind_is_refused_alone_with_its_reason_position_and_bytes(accept, broken):
    sound = as_bytes(
        good_count(KNOWN) if broken.door == "health" else good(KNOWN) | ({"series": KNOWN.air} if broken.door == "air" else {})
    )
    records = [DoorRecord(2, 10, NOW, sound), DoorRecord(2, 11, NOW, broken.value), DoorRecord(2, 12, NOW, sound)]
    out = accept.accept(f"measurements.{broken.door}", records, NOW)
    assert out.accepted == 2 + broken.sound
    (refusal,) = out.refused
    assert (refusal.reason, refusal.index, refusal.partition, refusal.offset) == (broken.reason, broken.index, 2, 11)
    assert refusal.detail
    assert len(refusal.detail) <= 400
    assert refusal.detail.isprintable()
    if broken.door == "health":
        assert refusal.payload is None
    elif broken.index is None:
        assert refusal.payload == broken.value
        assert refusal.sha256 == hashlib.sha256(broken.value or b"").hexdigest()
    else:
        assert refusal.payload in (broken.value or b"")


@pytest.mark.parametrize("broken", [one for one in CORPUS if one.door == "health"], ids=lambda one: one.kind)
def test_of_a_refused_case_count_nothing_that_was_sent_is_kept(accept, broken):
    out = accept.accept("measurements.health", [DoorRecord(0, 0, NOW, broken.value)], NOW)
    record = to_record(out.refused[0])
    kept = b"|".join([record.key, record.value or b"", *(value for _, value in record.headers)])
    for text in (b"Zhang", b"patient", b"River Road", b"address", b"atlantis", b"north", b"2.5", b"kg"):
        assert text not in kept


def test_a_rejected_record_says_where_it_came_from(accept):
    out = accept.accept("measurements.water", [DoorRecord(3, 14, NOW, b'[{"value": 1}]')], NOW)
    record = to_record(out.refused[0])
    assert (record.key, record.value) == (b"measurements.water/3/14/0", b'{"value": 1}')
    headers = dict(record.headers)
    assert headers["reason"] == b"missing_field"
    assert headers["size"] == b"12"
    assert {"detail", "topic", "partition", "offset", "index", "sha256"} < set(headers)
