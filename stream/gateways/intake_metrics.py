"""What `tocsin intake` counts, for Prometheus. Labels are bounded: no city and no principal is ever a label."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from stream.gateways.backfill_metrics import BackfillMetrics
from stream.health.exposing import new_registry
from stream.health.process_metrics import ProcessMetrics

ANSWER_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0)


class IntakeMetrics:
    """All metrics of an intake process, in a registry of its own. `kind`: acknowledgements or ingest (doors of principals)."""

    def __init__(self) -> None:
        registry = self.registry = new_registry()
        self.process = ProcessMetrics(registry)
        self.read = Counter("tocsin_intake_read", "Records read", ["kind"], registry=registry)
        self.refused = Counter("tocsin_intake_refused", "What was refused", ["kind", "reason"], registry=registry)
        self.lag = Gauge("tocsin_intake_lag_records", "Records not in the journal yet", ["kind"], registry=registry)
        self.written_at = Gauge(
            "tocsin_intake_written_timestamp_seconds",
            "Everything appended before this instant is in the journal",
            ["kind"],
            registry=registry,
        )
        self.acknowledgement_s = Histogram(
            "tocsin_acknowledgement_seconds",
            "From a warning's revision to its first answer",
            ["level"],
            buckets=ANSWER_S,
            registry=registry,
        )
        self.backfill = BackfillMetrics(registry)
