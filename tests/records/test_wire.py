from __future__ import annotations

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from stream.records import journal
from stream.records.rejected import RejectedHeaders
from stream.records.schema import RECORDS, schemas
from stream.records.warning import CityMessage
from tests.records.samples import GOLDEN, JOURNAL, JSON, wire

FILES = sorted(path.name for path in GOLDEN.glob("*.json"))
PUBLIC = [name for name in FILES if name != "journal.json"]


def schema_of(file):
    return schemas()[file.removesuffix(".json").removesuffix("_by_station")]


def test_every_record_has_a_golden_file_and_every_golden_file_a_record():
    assert sorted(wire()) == FILES
    assert {name.removesuffix(".json").removesuffix("_by_station") for name in PUBLIC} == set(RECORDS) == set(schemas())


@pytest.mark.parametrize("file", FILES)
def test_the_bytes_on_the_wire_have_not_changed(file):
    assert wire()[file] + b"\n" == (GOLDEN / file).read_bytes(), (
        f"meant? then run `python -m tests.records.samples` and keep old {file} readable"
    )


@pytest.mark.parametrize("name", JSON)
def test_a_golden_record_is_read_and_written_back_the_same(name):
    text = (GOLDEN / f"{name}.json").read_bytes().strip()
    record = msgspec.json.decode(text, type=type(JSON[name]), strict=True)
    if name not in {"measurement", "case_count", "intervention", "statement"}:
        assert record == JSON[name]
        assert msgspec.json.encode(record) == text
    else:  # instants are read as datetimes and never written
        told = "by" if name in {"intervention", "statement"} else "value"
        assert msgspec.to_builtins(record)[told] == json.loads(text)[told]
        assert msgspec.json.decode(msgspec.json.encode(record), type=type(record)) == record


@pytest.mark.parametrize("name", ["city_warning", "city_status", "link_test"])
def test_a_reader_of_a_city_topic_tells_the_records_apart_by_their_type(name):
    assert msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=CityMessage) == JSON[name]


@pytest.mark.parametrize("name", JOURNAL)
def test_a_golden_journal_message_is_read_and_written_back_the_same(name):
    value = bytes.fromhex(json.loads((GOLDEN / "journal.json").read_text())[name])
    assert journal.decode(value) == JOURNAL[name]
    assert journal.encode(journal.decode(value)) == value


def test_a_command_of_before_it_had_a_period_is_still_read():
    short = msgspec.msgpack.encode(["c", "activate", "example", "0123456789abcdef", 5])
    assert journal.decode(short) == journal.Command("activate", "example", "0123456789abcdef", 5)


@pytest.mark.parametrize("name", RECORDS)
def test_each_schema_is_valid_itself(name):
    Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("file", PUBLIC)
def test_each_golden_record_is_valid_against_its_schema(file):
    Draft202012Validator(schema_of(file), format_checker=FormatChecker()).validate(json.loads((GOLDEN / file).read_bytes()))


@pytest.mark.parametrize("file", PUBLIC)
def test_each_schema_refuses_a_record_that_lacks_a_required_field(file):
    record = json.loads((GOLDEN / file).read_bytes())
    schema = schema_of(file)
    assert schema["required"]
    for name in schema["required"]:
        assert not Draft202012Validator(schema).is_valid({key: value for key, value in record.items() if key != name})


def test_the_schema_of_a_measurement_asks_for_the_name_of_its_series():
    validator = Draft202012Validator(schemas()["measurement"])
    assert not validator.is_valid({"observed_at": 0, "value": 1})
    assert not validator.is_valid({"observed_at": 0, "value": 1, "station": "upper"})
    assert validator.is_valid({"observed_at": 0, "value": 1, "station": "upper", "quantity": "stage"})


def test_the_schema_of_a_case_count_lets_no_other_field_in():
    record = json.loads((GOLDEN / "case_count.json").read_bytes())
    assert not Draft202012Validator(schemas()["case_count"]).is_valid(record | {"patient": "x"})


def test_the_headers_of_a_rejected_record_are_those_of_the_schema():
    headers = json.loads((GOLDEN / "rejected_headers.json").read_bytes())
    assert list(headers) == list(RejectedHeaders.__struct_fields__)
