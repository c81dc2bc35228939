"""What the fold hands to the edge: bytes for a kind of topic, and the little the edge must know to publish them safely."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Which topic an output goes to (`stream/runtime/topics.py` knows the names)."""

    CITY = "city"
    """`warnings.<city_id>`: what the city's operators read."""
    WARNINGS = "warnings"
    """Compacted, key warning_id: what is active now."""
    CITY_STATUS = "city_status"
    """Compacted, key city_id/hazard/domain."""
    INCIDENTS = "incidents"
    """Compacted, key incident_id."""
    EVIDENCE = "evidence"
    """For people who ask why."""
    POSTURES = "postures"
    """Compacted, key domain: how alert each domain is."""
    DISCREPANCIES = "discrepancies"
    """Compacted, key discrepancy_id: where reports and measurements do not agree."""
    STATION_HEALTH = "station_health"
    """Compacted, key series: what is wrong with stations."""
    AUDIT = "audit"
    """What was refused because of who said it."""
    CANARY = "canary"
    """`warnings.canary`: that the way through the service is open."""
    JOURNAL = "journal"
    """What one domain passes on to another: into the journal, at the other domain's `partition`."""


@dataclass(frozen=True, slots=True)
class Output:
    """One record to publish. `sent_at` is the fold's now (ms) and, on replay lanes, the record's timestamp.

    For warnings `warning_id`, `revision`, `level` and `expires_at` (ms) let the edge keep revisions from going back and expired warnings off
    live topics; other outputs leave them empty. `reason` is the decision's name, for metrics;
    `lane` what its record says (the canary's: what it came in on), by which the edge keeps it off other lanes' topics. `partition`: where it goes if not to the fold's own.
    A None value is a tombstone.
    """

    kind: Kind
    key: bytes
    value: bytes | None
    sent_at: int
    city_id: str = ""
    headers: tuple[tuple[str, bytes], ...] = ()
    warning_id: str = ""
    revision: int = 0
    level: int = 0
    expires_at: int | None = None
    reason: str = ""
    hazard: str = ""
    lane: str = ""
    partition: int | None = None
