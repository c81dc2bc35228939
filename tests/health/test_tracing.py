"""Traces of all processes, sent to a collector of the test's own: one shows a measurement's way through them."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stream.runtime.ports import free_ports
from tests.gateways.http_lane import stage
from tests.gateways.mosquitto import USERS, Mosquitto
from tests.health.processes import Processes, ask, measurement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
WAIT_S = 60.0
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes OTLP over HTTP, and keeps the spans by service."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                request = ExportTraceServiceRequest.FromString(gunzipped(body, handler.headers.get("Content-Encoding", "")))
                for resource in request.resource_spans:
                    service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
                    self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
                handler.send_response(200)
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", free_ports("127.0.0.1")[0]), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def named(self, service: str, name: str) -> list[Span]:
        return [span for by, span in self.spans if by == service and span.name.startswith(name)]

    def traces(self, service: str, name: str) -> dict[str, set[str]]:
        """Of the traces with such a span, what they hold: services and names of spans."""
        found: dict[str, set[str]] = {one.trace_id.hex(): set() for one in self.named(service, name)}
        for by, span in list(self.spans):
            if span.trace_id.hex() in found:
                found[span.trace_id.hex()].add(f"{by.removeprefix('tocsin-')} {span.name.removeprefix('tocsin.')}")
        return found

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def gunzipped(body: bytes, encoding: str) -> bytes:
    import gzip

    return gzip.decompress(body) if encoding == "gzip" else body


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()


WORKER = {"worker accept", "worker decide", "worker publish"}
WANTED = {
    ("gateway-http", "POST"): {"gateway-http POST /v1/measurements", *WORKER},
    ("gateway-mqtt", "tocsin.mqtt"): {"gateway-mqtt mqtt", "worker accept", "worker decide"},
    ("canary", "tocsin.canary"): {"canary canary", *WORKER},
    ("intake", "tocsin.intake"): {"canary canary", "intake intake", "worker decide", "worker publish"},
}
"""Some trace with the first has all of the second."""


def test_one_trace_shows_a_measurement_from_its_sender_to_the_warning(
    broker: Broker, fresh_prefix: str, tmp_path: Path, collector: Collector
) -> None:
    names = {"bootstrap": broker.bootstrap, "prefix": fresh_prefix, "otel_endpoint": collector.endpoint}
    processes = Processes(tmp_path, **names, tick_s=0.5, canary_s=2.0)
    port, mosquitto = free_ports("127.0.0.1")[0], Mosquitto(tmp_path / "mosquitto")
    (tmp_path / "mqtt").write_text(USERS["gateway"], "utf-8")
    way = f"--broker 127.0.0.1:{mosquitto.port} --client-id one --username gateway --password-file {tmp_path / 'mqtt'}".split()
    until = time.monotonic() + WAIT_S
    try:
        processes.activate()
        for words in (["worker"], ["intake"], ["canary"], ["gateway", "mqtt", *way], ["gateway", "http", "--port", str(port)]):
            processes.start(*words)
        processes.until("worker", "ready generation")
        processes.until("gateway", "ready http")
        answer = ""
        while '"accepted":1' not in answer and time.monotonic() < until:
            answer = ask(f"http://127.0.0.1:{port}/v1/measurements", measurement(), traceparent=f"00-{TRACE}-{PARENT}-01")
            time.sleep(0.2)
        mosquitto.publish("tocsin/station-7/a", [json.dumps(stage(1.0, station="middle")).encode()])
        found: dict[tuple[str, str], dict[str, set[str]]] = {}
        while (missing := [one for one in WANTED if not any(WANTED[one] <= held for held in found.get(one, {}).values())]) and (
            time.monotonic() < until + WAIT_S
        ):
            time.sleep(0.5)
            found = {one: collector.traces(f"tocsin-{one[0]}", one[1]) for one in WANTED}
    finally:
        processes.stop()
        mosquitto.stop()
    assert not missing, [list(found[one].values())[:5] for one in missing]
    assert found["gateway-http", "POST"][TRACE] >= WORKER
    requests = [one for one in collector.named("tocsin-gateway-http", "POST") if one.trace_id.hex() == TRACE]
    assert requests[0].parent_span_id.hex() == PARENT
    accepted = next(one for one in collector.named("tocsin-worker", "tocsin.accept") if one.trace_id.hex() == TRACE)
    facts = {one.key: one.value.string_value or one.value.int_value for one in accepted.attributes}
    assert facts["tocsin.topic"] == f"{fresh_prefix}measurements.water"
    assert facts.keys() == {"tocsin.stage", "tocsin.topic", "tocsin.partition", "tocsin.offset", "tocsin.records"}
    sent = [span for service, span in collector.spans if service == "tocsin-gateway-http" and "send" in span.name]
    assert sent, {span.name for _, span in collector.spans}
