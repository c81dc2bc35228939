"""Warnings as Kafka records: JSON, with the attributes of CloudEvents 1.0 as headers (binary content mode of its Kafka binding)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from stream.records.output import Kind, Output

if TYPE_CHECKING:
    from stream.records.audit import AuditEntry
    from stream.records.canary import CanaryAnswer
    from stream.records.discrepancy import Discrepancy
    from stream.records.incident import Incident
    from stream.records.posture import DomainPosture
    from stream.records.warning import CityStatus, CityWarning, Evidence, LinkTest, StationHealth

_encoder = msgspec.json.Encoder()


def to_bytes(record: msgspec.Struct) -> bytes:
    """The record's JSON: fields in their declared order, so the same record has the same bytes."""
    return _encoder.encode(record)


def headers(ce_type: str, ce_id: str, domain: str, ce_time: str, subject: str) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents attributes; (source, id) is what a subscriber recognises a duplicate by."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_type": f"tocsin.{ce_type}.v1",
        "ce_source": f"/tocsin/{domain}",
        "ce_id": ce_id,
        "ce_time": ce_time,
        "ce_subject": subject,
        "content-type": "application/json",
    }
    return tuple((name, value.encode()) for name, value in attributes.items())


def of_warning(warning: CityWarning, value: bytes, *, sent_at: int, level: int, expires_at: int) -> tuple[Output, Output]:
    """The record on the city's own topic and the one on the compacted topic of what is active."""
    heads = headers("warning", f"{warning.warning_id}-{warning.revision}", warning.domain, warning.sent_at, warning.city_id)
    to_city = Output(
        Kind.CITY, warning.warning_id.encode(), value, sent_at, warning.city_id, heads,
        warning.warning_id, warning.revision, level, expires_at, warning.reason.value, warning.hazard, warning.lane.value,
    )  # fmt: skip
    return to_city, replace(to_city, kind=Kind.WARNINGS)


def of_status(status: CityStatus, *, sent_at: int, reason: str) -> tuple[Output, Output]:
    """The heartbeat on the city's own topic and the record on `city_status`."""
    key = f"{status.city_id}/{status.hazard}/{status.domain}".encode()
    value = to_bytes(status)
    heads = headers("status", f"{key.decode()}@{status.as_of_at}", status.domain, status.as_of_at, status.city_id)
    to_city = Output(Kind.CITY, key, value, sent_at, status.city_id, heads, reason=reason, hazard=status.hazard, lane=status.lane.value)
    return to_city, replace(to_city, kind=Kind.CITY_STATUS)


def of_incident(incident: Incident, *, sent_at: int) -> Output:
    """The record on `incidents`."""
    heads = headers("incident", f"{incident.incident_id}-{incident.revision}", incident.domain, incident.as_of_at, incident.hazard)
    return Output(
        Kind.INCIDENTS, incident.incident_id.encode(), to_bytes(incident), sent_at, headers=heads,
        reason=incident.reason.value, hazard=incident.hazard, lane=incident.lane.value,
    )  # fmt: skip


def of_evidence(evidence: Evidence, *, sent_at: int) -> Output:
    """The record on `evidence`."""
    heads = headers("evidence", f"{evidence.series}@{evidence.observed_at}", evidence.domain, evidence.as_of_at, evidence.series)
    return Output(
        Kind.EVIDENCE, evidence.series.encode(), to_bytes(evidence), sent_at, headers=heads,
        reason=evidence.why, hazard=evidence.hazard, lane=evidence.lane.value,
    )  # fmt: skip


def of_posture(posture: DomainPosture, *, sent_at: int) -> Output:
    """The record on `postures`."""
    heads = headers("posture", f"{posture.domain}@{posture.since_at}", posture.domain, posture.as_of_at, posture.domain)
    return Output(
        Kind.POSTURES, posture.domain.encode(), to_bytes(posture), sent_at, headers=heads,
        reason=posture.posture.value, lane=posture.lane.value,
    )  # fmt: skip


def of_discrepancy(one: Discrepancy, *, sent_at: int) -> Output:
    """The record on `discrepancies`."""
    heads = headers("discrepancy", f"{one.discrepancy_id}/{one.state}", one.domain, one.as_of_at, one.city_id)
    return Output(
        Kind.DISCREPANCIES, one.discrepancy_id.encode(), to_bytes(one), sent_at, headers=heads,
        reason=one.kind.value, hazard=one.hazard, lane=one.lane.value,
    )  # fmt: skip


def of_audit(entry: AuditEntry, *, sent_at: int) -> Output:
    """The record on `audit`."""
    heads = headers("audit", entry.audit_id, entry.domain, entry.at, entry.principal)
    return Output(
        Kind.AUDIT, entry.audit_id.encode(), to_bytes(entry), sent_at, headers=heads, reason=entry.reason, lane=entry.lane.value
    )  # fmt: skip


def of_canary(answer: CanaryAnswer, lane: str, *, sent_at: int) -> Output:
    """The record on `warnings.canary`. It says that it is a test; `lane` is what the measurement came in on, which its topic must be of."""
    key = f"{answer.door}/{answer.door_partition}"
    heads = headers("canary", f"{key}@{answer.round_at}", f"canary-{answer.journal_partition}", answer.journalled_at, "canary")
    return Output(Kind.CANARY, key.encode(), to_bytes(answer), sent_at, headers=heads, reason="canary", lane=lane)


def of_station_health(health: StationHealth, *, sent_at: int) -> Output:
    """The record on `station_health`."""
    heads = headers("station_health", f"{health.series}/{health.state}@{health.as_of_at}", health.domain, health.as_of_at, health.series)
    return Output(
        Kind.STATION_HEALTH, health.series.encode(), to_bytes(health), sent_at, headers=heads,
        reason=health.state.value, lane=health.lane.value,
    )  # fmt: skip


def of_link_test(test: LinkTest, *, sent_at: int) -> Output:
    """The record on the city's own topic: of no danger and of no lane, because it tests the live one."""
    heads = headers("link_test", f"{test.city_id}@{test.sent_at}", "link", test.sent_at, test.city_id)
    return Output(Kind.CITY, b"link_test", to_bytes(test), sent_at, test.city_id, heads, reason="link_test")
