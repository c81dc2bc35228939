"""Traces, sent to a collector of the test's own: a worker's batches, a gateway's requests and what it hands to Kafka."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from stream.runtime.ports import free_ports
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


def test_batches_requests_and_records_are_traced_and_a_senders_trace_goes_on(
    broker: Broker, fresh_prefix: str, tmp_path: Path, collector: Collector
) -> None:
    processes = Processes(tmp_path, bootstrap=broker.bootstrap, prefix=fresh_prefix, otel_endpoint=collector.endpoint)
    port = free_ports("127.0.0.1")[0]
    try:
        processes.activate()
        processes.start("worker")
        processes.start("gateway", "http", "--port", str(port))
        processes.until("worker", "ready generation")
        processes.until("gateway", "ready")
        until = time.monotonic() + WAIT_S
        answer = ""
        while '"accepted":1' not in answer and time.monotonic() < until:
            answer = ask(f"http://127.0.0.1:{port}/v1/measurements", measurement(), traceparent=f"00-{TRACE}-{PARENT}-01")
            time.sleep(0.2)
        while (
            not all(collector.named("tocsin-worker", f"tocsin.{one}") for one in ("accept", "decide", "publish"))
            and time.monotonic() < until
        ):
            time.sleep(0.2)
    finally:
        processes.stop()
    accepted = collector.named("tocsin-worker", "tocsin.accept")[0]
    facts = {one.key: one.value.string_value or one.value.int_value for one in accepted.attributes}
    assert facts["tocsin.topic"] == f"{fresh_prefix}measurements.water"
    assert facts.keys() == {"tocsin.stage", "tocsin.topic", "tocsin.partition", "tocsin.offset", "tocsin.records"}
    requests = [one for one in collector.named("tocsin-gateway-http", "POST") if one.trace_id.hex() == TRACE]
    assert requests[0].parent_span_id.hex() == PARENT
    sent = [span for service, span in collector.spans if service == "tocsin-gateway-http" and "send" in span.name]
    assert sent, {span.name for _, span in collector.spans}
