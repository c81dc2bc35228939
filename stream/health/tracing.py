"""Traces for OpenTelemetry, when the settings name where they go (`otel_endpoint`); else nothing is imported, made or measured.

A worker's spans are its batches: accept (records of a door), decide (records of the journal), publish (what follows from them). Intake, the MQTT
gateway and the canary have one each. At the HTTP gateway the libraries' own instrumentation makes them: each request, and each record handed to
Kafka. A `traceparent` (W3C) in the headers of Kafka's records joins them from the sender to the warning: a batch goes on with the trace of its first
record that has one, and is linked to the others.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from stream.settings import Settings

log = logging.getLogger(__name__)
HEADER = "traceparent"
LINKS_MOST = 64
_OFF: AbstractContextManager[Any] = nullcontext()
_tracer: Any = None


def span(name: str, after: Iterable[Any] = (), **facts: str | int) -> AbstractContextManager[Any]:
    """A span around what is done inside; without tracing the same empty context each time. `after`: Kafka's records that it goes on from.

    >>> span("decide", partition=3) is span("publish")
    True
    """
    if _tracer is None:
        return _OFF
    from opentelemetry.trace import Link, get_current_span

    before = list(islice((one for record in after for one in _before(record.headers or ())), LINKS_MOST))
    links = [Link(get_current_span(one).get_span_context()) for one in before[1:]]
    attributes = {f"tocsin.{key}": value for key, value in facts.items()}
    made: AbstractContextManager[Any] = _tracer.start_as_current_span(
        f"tocsin.{name}", next(iter(before), None), attributes=attributes, links=links
    )
    return made


def carried() -> tuple[tuple[str, bytes], ...]:
    """The header of a record that follows from what is being done; none without tracing.

    >>> carried()
    ()
    """
    if _tracer is None:
        return ()
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    return tuple((name, found[name].encode()) for name in (HEADER,) if name in found)


def _before(headers: Iterable[tuple[str, bytes]]) -> list[Any]:
    """The context that a record stands in: the last one noted in its headers."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    noted = [value.decode("ascii", "replace") for name, value in headers if name == HEADER and value]
    return [TraceContextTextMapPropagator().extract({HEADER: one}) for one in noted[-1:]]


def start(settings: Settings, service: str, *, libraries: bool = False) -> None:
    """Send traces from now on, if the settings say where; TocsinError when what that needs is not installed.

    `libraries`: also those of aiohttp's server and aiokafka. What is left is sent when the process ends by itself.
    """
    global _tracer  # noqa: PLW0603  (one process has one tracer, as OpenTelemetry has one provider)
    if not settings.otel_endpoint:
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        msg = f"otel_endpoint is set, and {error.name} is not installed: pip install 'tocsin[otel]', or leave otel_endpoint empty"
        raise TocsinError(msg) from error
    named = {"service.name": f"tocsin-{service}", "service.instance.id": settings.instance, "tocsin.lane": settings.lane.value}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otel_endpoint)))
    trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("tocsin")
    if libraries:
        _instrument()
    log.info("traces go to %s", settings.otel_endpoint)


def _instrument() -> None:
    try:
        from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
        from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor
    except ImportError as error:
        msg = f"otel_endpoint is set, and {error.name} is not installed: pip install 'tocsin[otel]', or leave otel_endpoint empty"
        raise TocsinError(msg) from error
    AioHttpServerInstrumentor().instrument()
    AIOKafkaInstrumentor().instrument()
