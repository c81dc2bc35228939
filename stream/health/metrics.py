"""What a worker counts and measures, by stage and reason, for Prometheus.

Labels are bounded: of doors, topics, partitions, hazards, levels, reasons, quantities, regions, and the principals of gateways.toml. No station,
series or incident is ever a label, and a city only where `metrics_per_city` asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from stream.health.census_metrics import CensusMetrics
from stream.health.exposing import Exposed, new_registry
from stream.health.process_metrics import ProcessMetrics
from stream.health.tallied import Tallied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.health.exposing import Health

LATENCY_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
END_TO_END_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1_800.0)
DELAY_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 10_800.0, 43_200.0, 86_400.0, 604_800.0)


class Metrics:
    """All metrics of a worker, in a registry of its own. `per_city`: also those that have a city as a label."""

    def __init__(self, *, per_city: bool = False) -> None:
        registry = self.registry = new_registry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"tocsin_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"tocsin_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = LATENCY_S) -> Histogram:
            return Histogram(f"tocsin_{name}", text, labels, buckets=buckets, registry=registry)

        self.process = ProcessMetrics(registry)
        self.region = gauge("region_info", "The active regions", "region", "region_hash")
        self.door_records = counter("door_records", "Records read from a door", "door")
        self.accepted = counter("accepted_measurements", "Measurements let in at a door", "door")
        self.late = counter("late_measurements", "Measurements let in, but older than their hazard's max_late", "door")
        self.delay_s = Tallied("tocsin_measurement_delay_seconds", "From observation to the append at the door", "door", DELAY_S)
        registry.register(self.delay_s)
        self.rejected = counter("rejected", "Measurements or records refused at a door", "door", "reason")
        self.journal_messages = counter("journal_messages", "Messages written to the journal", "kind")
        self.repeated = counter("repeated_measurements", "Measurements that the fold had already, and dropped")
        self.fold_refused = counter("fold_refused", "What the fold did not take from the journal", "reason")
        self.outputs = counter("outputs", "What the fold decided to say", "kind", "reason", "hazard")
        self.edge = counter("edge", "What the edge did with warnings", "verdict")
        self.alarms = counter("alarms", "Things a person must look at", "alarm")
        self.stage_s = histogram("stage_seconds", "From the record's append to the end of the stage", "stage")
        self.end_to_end_s = histogram(
            "warning_end_to_end_seconds",
            "From a measurement's append at its door to the acknowledged record of the city it raises a warning for",
            "hazard",
            buckets=END_TO_END_S,
        )
        self.checkpoint_s = histogram("checkpoint_seconds", "Duration of a checkpoint")
        self.checkpoint_bytes = gauge("checkpoint_bytes", "Size of the last checkpoint", "partition")
        self.checkpoint_at = gauge("checkpoint_timestamp_seconds", "When the last checkpoint was acknowledged", "partition")
        self.restore_s = histogram("restore_seconds", "From assignment to restored state")
        self.lag = gauge("lag_records", "Records not finished yet", "topic", "partition")
        self.lag_s = gauge("lag_seconds", "Age of the oldest record not finished yet, at most; 0 if none waits", "topic")
        self.clock_skew_s = gauge("clock_skew_seconds", "Own clock minus the broker's; NaN until known")
        self.clock_skew_s.set(float("nan"))
        self.key_ends_at = gauge("key_expiry_timestamp_seconds", "When the last valid key of a principal ends", "principal")
        self.partitions = gauge("journal_partitions", "Journal partitions held by this process")
        self.census = CensusMetrics(per_city=per_city)
        registry.register(self.census)
        self._exposed: Exposed | None = None

    def serve(self, host: str, port: int, probes: Mapping[str, Callable[[], Health]]) -> None:
        """Answer GET /metrics and the probes here; port 0 serves nothing."""
        if port > 0:
            self._exposed = Exposed(self.registry, host, port, probes)

    def stop(self) -> None:
        """Stop serving."""
        if self._exposed is not None:
            self._exposed.stop()
            self._exposed = None
