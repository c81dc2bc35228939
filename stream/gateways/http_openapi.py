"""The OpenAPI 3.1 document of the HTTP gateway, made of the types that decode and encode, so that the two cannot differ."""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import msgspec

from stream.gateways.dialect import dialect, names
from stream.gateways.http_answers import Answer, Problem, RejectedItem
from stream.gateways.http_page import LEFT_OFF
from stream.gateways.idempotency import KEY_CHARS_MAX
from stream.gateways.last_seen import Sight
from stream.records.measurement import CaseCount, Measurement

if TYPE_CHECKING:
    from stream.gateways.http_limits import HttpLimits

_REFERENCE = "#/components/schemas/{name}"
_NAMED_BY = {"Measurement": [["series"], ["station", "quantity"]], "CaseCount": [["series"], ["area"]]}
_WHEN = {
    "400": "The body is damaged, or the Idempotency-Key has no usable length.",
    "401": "No valid token or client certificate.",
    "403": "Not of this lane.",
    "408": "The body did not arrive in time.",
    "409": "The first request with this Idempotency-Key is still being worked on.",
    "413": "Larger than the limit that is said.",
    "415": "No such content type, encoding or dialect.",
}
_SAID = {
    "Idempotency-Key": "One of the sender's own for each new request; a request sent again with its key gets the answer it got.",
    "Content-Encoding": "How the body is packed.",
    "station": "How the names of the stations begin.",
    "dialect": "How the body is to be read, whatever its content type.",
}
_LATER = {
    "429": "More is under way than may be; send it again after Retry-After.",
    "503": "Neither Kafka nor the disk takes it; send it again after Retry-After.",
}


def document(limits: HttpLimits, version: str) -> dict[str, Any]:
    """The document as JSON values.

    >>> from stream.gateways.http_limits import HttpLimits
    >>> made = document(HttpLimits(), "1")
    >>> made["openapi"], sorted(made["paths"])
    ('3.1.0', ['/livez', '/openapi.json', '/readyz', '/v1/backfill', '/v1/last-seen', '/v1/measurements'])
    """
    _, schemas = msgspec.json.schema_components([Measurement, CaseCount, Answer, RejectedItem, Problem, Sight], ref_template=_REFERENCE)
    for name, schema in schemas.items():
        schema["description"] = cleandoc(schema.get("description", ""))
        if name in _NAMED_BY:
            schema["anyOf"] = [{"required": one} for one in _NAMED_BY[name]]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin HTTP gateway", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}, {"certificate": []}],
        "paths": {
            "/v1/measurements": {"post": _post("measurements", limits.body_bytes, limits.items)},
            "/v1/backfill": {"post": _post("backfill", limits.backfill_body_bytes, limits.backfill_items)},
            "/v1/last-seen": {"get": _last_seen()},
            "/openapi.json": {"get": _get("openapi", "This document.", {"200": _json("The document.", {"type": "object"})})},
            "/livez": {"get": _get("livez", "Whether the process lives.", {"200": _text("It does.")})},
            "/readyz": {
                "get": _get(
                    "readyz", "Whether it takes measurements.", {"200": _text("It does."), "503": _text("Not now: the text says why.")}
                )
            },
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}, "certificate": {"type": "mutualTLS"}},
        },
    }


def _post(name: str, body_bytes: int, items: int) -> dict[str, Any]:
    one = {"oneOf": [{"$ref": _REFERENCE.format(name=kind.__name__)} for kind in (Measurement, CaseCount)]}
    live = "What is measured now." if name == "measurements" else "History: it goes through a door of its own and delays nothing live."
    content: dict[str, Any] = {
        "application/json": {"schema": {"anyOf": [one["oneOf"][0], one["oneOf"][1], {"type": "array", "items": one, "minItems": 1}]}}
    }
    for kind in sorted({kind for dialect_name in names() for kind in dialect(dialect_name).CONTENT_TYPES} - set(content)):
        content[kind] = {"schema": {"type": "string"}}
    answer = {"$ref": _REFERENCE.format(name=Answer.__name__)}
    good = _json("Every item's verdict. What is accepted is in Kafka, what is stored on the gateway's disk.", answer)
    good["headers"] = {
        "Idempotency-Replayed": {"description": "Set where this is the answer of an earlier request.", "schema": {"const": "true"}}
    }
    return {
        "operationId": name,
        "summary": live,
        "description": f"At most {body_bytes} bytes as sent and {items} measurements in a request.",
        "parameters": [
            _parameter("header", "Idempotency-Key", {"type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX, "pattern": "^[!-~]+$"}),
            _parameter("header", "Content-Encoding", {"enum": ["gzip", "identity"]}),
            _parameter("query", "dialect", {"enum": list(names())}),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "202": good,
            "422": {
                "description": "Nothing of it was taken: every item's error; or the Idempotency-Key was used for another request.",
                "content": {"application/json": {"schema": answer}, **_problem()},
            },
            **{status: {"description": text, "content": _problem()} for status, text in _WHEN.items()},
            **{status: {"description": text, "content": _problem(), "headers": _retry_after()} for status, text in _LATER.items()},
        },
    }


def _parameter(place: str, name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": place, "name": name, "required": False, "description": _SAID[name], "schema": schema}


def _last_seen() -> dict[str, Any]:
    sights = {"type": "array", "items": {"$ref": _REFERENCE.format(name=Sight.__name__)}}
    both = _json("By gateway and station; as a page for Accept: text/html.", sights)
    both["content"]["text/html"] = {"schema": {"type": "string"}}
    both["headers"] = {LEFT_OFF: {"description": "How many more there are; JSON only.", "schema": {"type": "integer", "minimum": 0}}}
    refused = {status: {"description": _WHEN[status], "content": _problem()} for status in ("401", "403")}
    made = _get("lastSeen", "When each station was last heard of, what was wrong with it, and its clock.", {"200": both, **refused})
    return {**made, "parameters": [_parameter("query", "station", {"type": "string"})]}


def _get(name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "responses": responses}


def _json(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _text(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _problem() -> dict[str, Any]:
    return {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name=Problem.__name__)}}}


def _retry_after() -> dict[str, Any]:
    return {"Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}}}
