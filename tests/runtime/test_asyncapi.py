"""The AsyncAPI document: valid by the specification's own schema, of all topics there are, and of the records that stand on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from stream.cli.main import app
from stream.records.audit import AuditEntry
from stream.records.lanes import Lane
from stream.records.schema import RECORDS
from stream.runtime.asyncapi import channels, document
from stream.runtime.topics import plan
from stream.settings import Settings
from stream.warnings.envelope import of_audit
from tests.records.samples import GOLDEN

SPECIFICATION = json.loads(gzip.decompress((Path(__file__).parent / "asyncapi_3_0_0_schema.json.gz").read_bytes()))
"""https://github.com/asyncapi/spec-json-schemas (Apache-2.0), 3.0.0-without-$id.json of @asyncapi/specs 6.11.1."""
OURS = {"journal", "checkpoints", "snapshots", "regions", "marks"}
MADE = document("1.2.3")


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        return {part["$ref"]} if isinstance(part.get("$ref"), str) else set().union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def at(reference: str) -> Any:
    found: Any = MADE
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_it_is_valid_by_the_schema_of_the_specification() -> None:
    assert [error.message for error in Draft7Validator(SPECIFICATION).iter_errors(MADE)] == []


def test_the_schema_of_the_specification_finds_a_mistake() -> None:
    wrong = MADE | {"operations": {"send_x": {"action": "publish", "channel": {"$ref": "#/channels/x"}}}}
    assert list(Draft7Validator(SPECIFICATION).iter_errors(wrong))


def test_every_reference_leads_somewhere() -> None:
    found = references(MADE)
    assert len(found) > 30
    assert all(at(one) for one in found)


def test_it_has_every_topic_that_others_read_or_write_and_none_else() -> None:
    written = {one.address.replace("{city_id}", "linhe").replace("{principal_id}", "p") for one in channels("t.")}
    there = {one.name for one in plan(Settings(prefix="t.", lane=Lane.TEST), ["linhe"], ["p"])}
    assert written == there - {f"t.{name}" for name in (*OURS, "ingest.canary")}


def test_every_public_record_stands_on_some_topic() -> None:
    said = {name for one in channels() for name in one.messages}
    assert said == (set(RECORDS) - {"rejected_headers"}) | {"rejected"}


@pytest.mark.parametrize("name", ["city_warning", "incident", "evidence", "case_count", "statement", "audit_entry"])
def test_a_kept_record_is_valid_by_its_schema_in_the_document(name: str) -> None:
    record = json.loads((GOLDEN / f"{name}.json").read_bytes())
    schema = {"$ref": f"#/components/schemas/{name}", "components": MADE["components"]}
    Draft7Validator(schema).validate(record)
    assert list(Draft7Validator(schema).iter_errors({"nothing": 1}))


def test_the_headers_of_an_entry_of_the_audit_stand_in_the_document() -> None:
    entry = msgspec.json.decode((GOLDEN / "audit_entry.json").read_bytes(), type=AuditEntry)
    headers = at("#/components/messages/audit_entry/headers")["properties"]
    assert set(headers) == {name for name, _ in of_audit(entry, sent_at=0).headers}


def test_through_a_door_of_its_own_a_principal_hands_in_no_reports_of_people() -> None:
    assert list(MADE["channels"]["ingest"]["messages"]) == ["measurement", "case_count", "envelope"]


def test_the_command_prints_the_document() -> None:
    done = CliRunner().invoke(app, ["schema", "--asyncapi"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["channels"] == MADE["channels"]
