"""The topics as an AsyncAPI 3 document: made of the types that decode and encode their records, and of the names in `topics.py`, so that it cannot go stale.

Seen from the service: it receives what stands on the doors and on a city's `acknowledgements`, and sends everything else. Topics that are its own
book-keeping (`journal`, `marks`, `checkpoints`, `snapshots`, `regions`) are nobody's interface and are left out.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from stream.records.schema import schemas
from stream.runtime.topics import DOORS, Topics

ENVELOPE = "envelope"
"""It is signed as a whole, and holds what a record of its door would."""
ANY = "x"
"""Stands for a city's or principal's id where a name is asked of `Topics`."""
CLOUD_EVENT = ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "ce_subject", "content-type")
"""Headers of what the service sends (`stream.warnings.envelope`)."""


class Channel(NamedTuple):
    """One topic, or a family of them (`parameter`: what its name ends in). `many`: a record may be an array of its messages."""

    name: str
    address: str
    messages: tuple[str, ...]
    receives: bool
    summary: str
    parameter: str = ""
    many: bool = False


def channels(prefix: str = "") -> tuple[Channel, ...]:
    """Every topic that others write to or read."""
    topics = Topics(prefix)
    of_door = {
        "water": ("measurement", "intervention", "envelope"),
        "air": ("measurement", "envelope"),
        "health": ("case_count", "envelope"),
    }

    def ending(topic: str, parameter: str) -> str:
        return f"{topic.removesuffix(ANY)}{{{parameter}}}"

    return (
        *(
            Channel(f"{kind}_{door}", address, of_door[door], True, summary, many=True)
            for kind, addresses, summary in (
                ("measurements", topics.doors, "The door of live measurements."),
                ("backfill", topics.backfill, "The door of history, which delays nothing live."),
            )
            for door, address in zip(DOORS, addresses, strict=True)
        ),
        Channel(
            "ingest", ending(topics.ingest(ANY), "principal_id"), ("measurement", "case_count", "envelope"), True,
            "The door of one principal, which may hand in only what is its own.", "principal_id", many=True,
        ),
        Channel(
            "acknowledgements", ending(topics.acknowledgements(ANY), "city_id"), ("acknowledgement", "statement"), True,
            "What one city answers and states.", "city_id",
        ),
        Channel(
            "city", ending(topics.city(ANY), "city_id"), ("city_warning", "city_status", "link_test", "exercise_notice"), False,
            "What one city reads.", "city_id",
        ),
        Channel("warnings", topics.warnings, ("city_warning",), False, "Compacted: the last revision of each warning."),
        Channel("warnings_late", topics.warnings_late, ("city_warning",), False, "What had expired before it could be sent."),
        Channel("warnings_canary", topics.warnings_canary, ("canary_answer",), False, "That the way through the service is open."),
        Channel("city_status", topics.city_status, ("city_status",), False, "Compacted: how every city stands."),
        Channel("incidents", topics.incidents, ("incident",), False, "Compacted: one event, many cities."),
        Channel("evidence", topics.evidence, ("evidence",), False, "Every change of what a detector finds."),
        Channel("postures", topics.postures, ("posture",), False, "Compacted: how alert each domain is."),
        Channel("discrepancies", topics.discrepancies, ("discrepancy",), False, "Where reports and measurements do not agree."),
        Channel("station_health", topics.station_health, ("station_health",), False, "Compacted: what is wrong with stations."),
        Channel("audit", topics.audit, ("audit_entry",), False, "What was refused because of who said it."),
        Channel("rejected", topics.rejected, ("rejected",), False, "What was refused, byte for byte (case counts: nothing); headers say why."),
    )  # fmt: skip


def document(version: str, prefix: str = "") -> dict[str, Any]:
    """The AsyncAPI 3.0 document of one lane's topics, ready for JSON. `version`: of this distribution."""
    known = channels(prefix)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tocsin",
            "version": version,
            "license": {"name": "Apache-2.0"},
            "description": "Early warning across city borders: the Kafka topics that gateways write to and cities read.",
        },
        "defaultContentType": "application/json",
        "channels": {one.name: _channel(one) for one in known},
        "operations": {
            f"{'receive' if one.receives else 'send'}_{one.name}": {
                "action": "receive" if one.receives else "send",
                "channel": {"$ref": f"#/channels/{one.name}"},
                "summary": one.summary,
            }
            for one in known
        },
        "components": {"messages": _messages(known), "schemas": _schemas()},
    }


def _channel(one: Channel) -> dict[str, Any]:
    made: dict[str, Any] = {
        "address": one.address,
        "description": one.summary,
        "messages": {name: {"$ref": f"#/components/messages/{_message(one, name)}"} for name in one.messages},
        "bindings": {"kafka": {"bindingVersion": "0.5.0"}},
    }
    if one.parameter:
        made["parameters"] = {one.parameter: {"description": f"The {one.parameter.replace('_', ' ')}: 1 to 64 of a-z, 0-9 and -."}}
    return made


def _message(one: Channel, name: str) -> str:
    return f"{name}_or_many" if one.many and name != ENVELOPE else name


def _messages(known: tuple[Channel, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in known:
        for name in one.messages:
            found[_message(one, name)] = _rejected() if name == "rejected" else _of(one, name)
    return found


def _of(one: Channel, name: str) -> dict[str, Any]:
    single = {"$ref": f"#/components/schemas/{name}"}
    made: dict[str, Any] = {
        "name": name,
        "payload": {"oneOf": [single, {"type": "array", "minItems": 1, "items": single}]} if one.many and name != ENVELOPE else single,
    }
    if not one.receives:
        made["headers"] = {"type": "object", "properties": {header: {"type": "string"} for header in CLOUD_EVENT}}
    return made


def _rejected() -> dict[str, Any]:
    return {
        "name": "rejected",
        "contentType": "application/octet-stream",
        "headers": {"$ref": "#/components/schemas/rejected_headers"},
        "payload": {"type": ["string", "null"], "contentEncoding": "binary"},
    }


def _schemas() -> dict[str, Any]:
    """Every record's schema, what they share beside them: a reference has to be found from the top of this document."""
    found: dict[str, Any] = {}
    for name, schema in schemas().items():
        text = json.dumps(schema).replace('"#/$defs/', '"#/components/schemas/')
        made = json.loads(text)
        for key in ("$schema", "$id"):
            made.pop(key, None)
        found |= made.pop("$defs", {})
        found[name] = made
    return found
