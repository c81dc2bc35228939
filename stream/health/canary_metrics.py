"""What the canary measured, for Prometheus: the denominator of the service objective, and how old the last success of every partition is."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from stream.health.exposing import new_registry
from stream.health.process_metrics import ProcessMetrics

ROUND_TRIP_S = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0)


class CanaryMetrics:
    """All metrics of a canary, in a registry of its own. Labels: the doors and `ingest`, and partitions of their topics and of `journal`."""

    def __init__(self) -> None:
        registry = self.registry = new_registry()
        self.process = ProcessMetrics(registry)
        self.period_s = Gauge("tocsin_canary_period_seconds", "How often a round goes out", registry=registry)
        self.rounds = Counter("tocsin_canary_rounds", "Rounds sent", registry=registry)
        self.sent = Counter(
            "tocsin_canary_sent", "Measurements of the canary, also those the broker did not take", ["door"], registry=registry
        )
        self.answered = Counter("tocsin_canary_answered", "Those that came back before the next round", ["door"], registry=registry)
        self.missed = Counter("tocsin_canary_missed", "Those that did not", ["door"], registry=registry)
        self.round_trip_s = Histogram(
            "tocsin_canary_round_trip_seconds", "From the sending to the answer's arrival", buckets=ROUND_TRIP_S, registry=registry
        )
        self.last_success_at = Gauge(
            "tocsin_canary_last_success_timestamp_seconds",
            "When the last measurement was sent that came back; the canary's start, where none has",
            ["topic", "partition"],
            registry=registry,
        )
        self.healthy = Gauge("tocsin_canary_healthy", "1 while every partition answers", registry=registry)
