"""Of a refused case count its reason and hash are kept, and nothing that its sender wrote: it might say something about a person."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.accept.door import Accept, DoorRecord
from stream.records.measurement import CaseCount
from stream.settings import Settings
from tests.accept.regions import region

NOW = 1_714_564_800_000
PERSON = "Wang Xiaoming 13800138000"
COUNT = {
    "area": "north",
    "quantity": "cases",
    "period_start_at": "2024-05-01T00:00:00Z",
    "period_end_at": "2024-05-01T11:00:00Z",
    "value": 4,
}
ACCEPT = Accept([region()], Settings(), 1)
HEALTH = "health"


def refused(value: bytes, door: str = HEALTH):
    """Everything that is kept of this message, as text, and the refusals; AssertionError where nothing was refused."""
    out = ACCEPT.accept(door, [DoorRecord(0, 0, NOW, value)], NOW)
    assert out.refused
    return repr((out.refused, out.audit)), out.refused


def test_the_count_that_the_others_are_made_of_is_accepted() -> None:
    out = ACCEPT.accept(HEALTH, [DoorRecord(0, 0, NOW, json.dumps(COUNT).encode())], NOW)
    assert (out.accepted, out.refused) == (1, [])


def test_the_schema_has_a_place_for_area_disease_period_and_count_only() -> None:
    assert CaseCount.__struct_config__.forbid_unknown_fields
    assert CaseCount.__struct_fields__ == (
        "period_start_at", "period_end_at", "value", "series", "area", "quantity", "unit", "id", "lane",
    )  # fmt: skip


@pytest.mark.parametrize("field", ["name", "patient", "address", "phone", "note", "age", PERSON])
def test_a_field_more_is_refused_and_not_even_its_name_is_kept(field: str) -> None:
    value = json.dumps(COUNT | {field: PERSON}).encode()
    kept, (one,) = refused(value)
    assert (one.reason, one.payload, one.sha256) == ("unknown_field", None, sha256(value).hexdigest())
    assert PERSON not in kept


FIELDS = st.sampled_from([*COUNT, "series", "unit", "id", "lane", "extra"])
BITS = st.sampled_from([PERSON, {"is": PERSON}, [PERSON], {PERSON: 1}])


@given(st.lists(st.tuples(FIELDS, BITS), min_size=1, max_size=4), st.booleans(), st.integers(0, 400))
def test_wherever_a_person_is_named_nothing_of_it_is_kept(changes, together: bool, cut: int) -> None:
    count = COUNT | {"value": "?"} | dict(changes)
    value = json.dumps([COUNT, count] if together else count).encode()
    for sent in (value, value[: max(1, len(value) - cut)], value + PERSON.encode()):
        kept, found = refused(sent)
        assert "Wang" not in kept
        assert all(one.payload is None for one in found)
