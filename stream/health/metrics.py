"""What a worker counts and measures, by stage and reason, for Prometheus; in a registry of its own, served from its own thread on loopback."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from stream.health.exposing import Exposed

LATENCY_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """All metrics of a process. Labels are bounded: no city, series or incident is ever a label; principals are those of gateways.toml."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"tocsin_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"tocsin_{name}", text, labels, registry=registry)

        self.accepted = counter("accepted_measurements", "Measurements let in at a door", "door")
        self.late = counter("late_measurements", "Measurements let in, but older than their hazard's max_late", "door")
        self.rejected = counter("rejected", "Measurements or records refused at a door", "door", "reason")
        self.journal_messages = counter("journal_messages", "Messages written to the journal", "kind")
        self.outputs = counter("outputs", "What the fold decided to say", "kind", "reason", "hazard")
        self.edge = counter("edge", "What the edge did with warnings", "verdict")
        self.alarms = counter("alarms", "Things a person must look at", "alarm")
        self.stage_s = Histogram(
            "tocsin_stage_seconds", "From the record's append to the end of the stage", ["stage"], buckets=LATENCY_S, registry=registry
        )
        self.checkpoint_s = Histogram("tocsin_checkpoint_seconds", "Duration of a checkpoint", buckets=LATENCY_S, registry=registry)
        self.checkpoint_bytes = gauge("checkpoint_bytes", "Size of the last checkpoint", "partition")
        self.checkpoint_at = gauge("checkpoint_timestamp_seconds", "When the last checkpoint was acknowledged", "partition")
        self.restore_s = Histogram("tocsin_restore_seconds", "From assignment to restored state", buckets=LATENCY_S, registry=registry)
        self.lag = gauge("lag_records", "Records not finished yet", "topic", "partition")
        self.key_days_left = gauge("key_days_left", "Days until the last valid key of a principal ends", "principal")
        self.partitions = gauge("journal_partitions", "Journal partitions held by this process")
        self._exposed: Exposed | None = None

    def serve(self, port: int) -> None:
        """Answer GET /metrics on loopback at this port; 0 serves nothing."""
        if port > 0:
            self._exposed = Exposed(self.registry, port)

    def stop(self) -> None:
        """Stop serving."""
        if self._exposed is not None:
            self._exposed.stop()
            self._exposed = None
