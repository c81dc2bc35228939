"""What a gateway counts, for Prometheus, in a registry of its own. Labels are bounded: no station, client or city is ever a label."""

from __future__ import annotations

from collections import Counter as Counts
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

from stream.gateways.skew import Clock
from stream.health.exposing import Exposed, new_registry
from stream.health.process_metrics import ProcessMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from stream.gateways.verdict import Judged
    from stream.health.exposing import Health

SEND_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
LIVE = "live"
"""The usual way through a gateway; it may have others that delay nothing of it."""


class GatewayMetrics:
    """All metrics of a gateway process. `way` tells its senders apart."""

    def __init__(self) -> None:
        registry = self.registry = new_registry()
        self.process = ProcessMetrics(registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"tocsin_gateway_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"tocsin_gateway_{name}", text, labels, registry=registry)

        self.items = counter("items", "Measurements handed in, by what was said of each", "verdict")
        self.denied = counter("denied", "Requests, and items of them, refused because of who sent them", "reason")
        self.payloads = counter("payloads", "Payloads handed in, by how that ended", "outcome")
        self.records = counter("records", "Records for the doors, by what became of them", "way", "outcome")
        self.send_s = Histogram(
            "tocsin_gateway_send_seconds", "Until records were acknowledged or stored", buckets=SEND_S, registry=registry
        )
        self.drained = counter("drained_records", "Records that went from the disk to Kafka", "way")
        self.link_breaks = counter("link_breaks", "How often Kafka was lost", "way")
        self.link_up = gauge("link_up", "1 while Kafka answers", "way")
        self.pending_bytes = gauge("pending_bytes", "Bytes handed over and not yet acknowledged or stored", "way")
        self.spool_records = gauge("spool_records", "Records that wait on the disk", "way")
        self.spool_bytes = gauge("spool_bytes", "Bytes that wait on the disk", "way")
        self.spool_oldest_at = gauge(
            "spool_oldest_timestamp_seconds", "When the oldest record on the disk was stored; 0 if none waits", "way"
        )
        self.spool_damaged = gauge("spool_damaged_bytes", "Bytes on the disk that were found unreadable", "way")
        self.spool_aside = gauge("spool_aside_bytes", "Bytes set aside on the disk: Kafka never takes them", "way")
        self.set_aside = counter("set_aside_records", "Records that Kafka never takes, kept on the disk with the reason", "way")
        self.broker_dropped = gauge("mqtt_broker_dropped_messages", "Messages the MQTT broker says that it dropped; NaN until it has")
        self.broker_dropped.set(float("nan"))
        self.mqtt_messages = counter("mqtt_messages", "MQTT messages, by what was done", "outcome")
        self.mqtt_link_events = counter("mqtt_link_events", "What happened to the connection to the MQTT broker", "event")
        self.clocks = gauge("clocks", "Clocks of gateways and stations, by what they seem to be", "clock")
        self._exposed: Exposed | None = None

    def watch_clocks(self, count: Callable[[Clock], int]) -> None:
        """Show how many clocks are of each kind; `count` is asked whenever the metrics are."""
        for clock in Clock:
            self.clocks.labels(clock).set_function(partial(count, clock))

    def count(self, judged: Iterable[Judged]) -> None:
        """Count what was said of the items of a payload."""
        for verdict, count in Counts(one.verdict for one in judged).items():
            self.items.labels(verdict).inc(count)

    def serve(self, host: str, port: int, probes: Mapping[str, Callable[[], Health]]) -> None:
        """Answer GET /metrics and the probes here; port 0 serves nothing."""
        if port > 0:
            self._exposed = Exposed(self.registry, host, port, probes)

    def stop(self) -> None:
        """Stop serving."""
        if self._exposed is not None:
            self._exposed.stop()
            self._exposed = None
