"""What `tocsin intake` counts of history that is handed in by bulk, for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class BackfillMetrics:
    """All metrics of the doors of history."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.accepted = Counter("tocsin_backfill_accepted", "Measurements of history written to the journal", ["door"], registry=registry)
        self.rejected = Counter("tocsin_backfill_rejected", "What was refused of history", ["door", "reason"], registry=registry)
        self.waiting = Gauge(
            "tocsin_backfill_waiting_records", "Records of the doors that this process reads, not written yet", registry=registry
        )
        self.oldest_at = Gauge(
            "tocsin_backfill_oldest_timestamp_seconds", "When the oldest record at hand was handed in; 0 if none waits", registry=registry
        )
