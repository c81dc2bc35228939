"""Traces for OpenTelemetry, when the settings name where they go (`otel_endpoint`); else nothing is imported, made or measured.

A worker's spans are its batches: accept (records of a door), decide (records of the journal), publish (what follows from them). At the HTTP gateway
the libraries' own instrumentation makes them: each request, and each record handed to Kafka, with the sender's `traceparent` carried on.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from stream.errors import TocsinError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stream.settings import Settings

log = logging.getLogger(__name__)
_OFF: AbstractContextManager[Any] = nullcontext()
_tracer: Any = None


def span(name: str, **facts: str | int) -> AbstractContextManager[Any]:
    """A span around what is done inside; without tracing the same empty context each time.

    >>> span("decide", partition=3) is span("publish")
    True
    """
    return (
        _OFF
        if _tracer is None
        else _tracer.start_as_current_span(f"tocsin.{name}", attributes={f"tocsin.{key}": value for key, value in facts.items()})
    )


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
