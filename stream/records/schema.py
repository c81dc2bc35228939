"""JSON Schema of every noun that crosses a topic, made from the types that decode and encode it, so that the two cannot differ."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec

from stream.records.acknowledgement import Acknowledgement
from stream.records.audit import AuditEntry
from stream.records.canary import CanaryAnswer
from stream.records.discrepancy import Discrepancy
from stream.records.envelope import Envelope
from stream.records.incident import Incident
from stream.records.measurement import CaseCount, Measurement
from stream.records.posture import DomainPosture
from stream.records.rejected import RejectedHeaders
from stream.records.report import InterventionReport
from stream.records.statement import Statement
from stream.records.warning import CityStatus, CityWarning, Evidence, ExerciseNotice, LinkTest, StationHealth

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RECORDS: dict[str, type[msgspec.Struct]] = {
    "measurement": Measurement,
    "case_count": CaseCount,
    "intervention": InterventionReport,
    "acknowledgement": Acknowledgement,
    "statement": Statement,
    "city_warning": CityWarning,
    "city_status": CityStatus,
    "link_test": LinkTest,
    "exercise_notice": ExerciseNotice,
    "incident": Incident,
    "evidence": Evidence,
    "discrepancy": Discrepancy,
    "station_health": StationHealth,
    "posture": DomainPosture,
    "rejected_headers": RejectedHeaders,
    "envelope": Envelope,
    "audit_entry": AuditEntry,
    "canary_answer": CanaryAnswer,
}
"""Public records by the name `tocsin schema` gives them."""
_FROM_SENDERS: dict[str, list[dict[str, list[str]]]] = {
    "Measurement": [{"required": ["series"]}, {"required": ["station", "quantity"]}],
    "CaseCount": [{"required": ["series"]}, {"required": ["area"]}],
    "InterventionReport": [],
    "Acknowledgement": [],
    "Statement": [],
    "Envelope": [],
}
"""How each names its series. Their instants may also be seconds, or local times without offset, which `date-time` of JSON Schema does not allow."""


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (draft 2020-12) of each public record, by name.

    >>> schemas()["case_count"]["additionalProperties"], schemas()["city_warning"]["properties"]["expires_at"]
    (False, {'type': 'string', 'format': 'date-time'})
    """
    return {name: {"$schema": DIALECT, "$id": f"urn:tocsin:{name}"} | _flat(record) for name, record in RECORDS.items()}


def _flat(record: type[msgspec.Struct]) -> dict[str, Any]:
    """The schema with the record's own definition at the top, not behind a reference."""
    _, definitions = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    for name, definition in definitions.items():
        _finish(definition, instants=name not in _FROM_SENDERS)
        if choices := _FROM_SENDERS.get(name):
            definition["anyOf"] = choices
    own: dict[str, Any] = definitions.pop(record.__name__)
    return own | ({"$defs": definitions} if definitions else {})


def _finish(definition: dict[str, Any], *, instants: bool) -> None:
    """Say which texts are instants, and straighten the descriptions."""
    if "description" in definition:
        definition["description"] = cleandoc(definition["description"])
    for name, field in definition.get("properties", {}).items():
        if instants and (name.endswith("_at") or name.startswith("arrives_at_")):
            for kind in field.get("anyOf", [field]):
                if kind.get("type") == "string":
                    kind["format"] = "date-time"
