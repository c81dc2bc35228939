"""The HTTP gateway's routes: measurements and history in; what became of stations, what it is, and whether it works, out."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from stream.gateways.http_answers import Refusal
from stream.gateways.http_ingest import Ingest
from stream.gateways.http_page import answer
from stream.health.logs import about

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stream.gateways.http_gateway import Gateway, Way

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
_encode = msgspec.json.Encoder().encode
HERE = "POST /v1/measurements (what is measured now) or /v1/backfill (history), GET /v1/last-seen, /openapi.json, /livez or /readyz"
REQUEST_ID = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def application(gateway: Gateway, openapi: bytes) -> web.Application:
    """The application of a gateway; `openapi`: the document it shows."""
    app = web.Application(middlewares=[_numbered, _answer])

    async def described(_: web.Request) -> web.Response:
        return web.Response(body=openapi, content_type="application/json")

    def way_in(way: Callable[[], Way]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def take(request: web.Request) -> web.StreamResponse:
            outcome = "unforeseen"
            try:
                made = await Ingest(request, gateway, way()).take()
                outcome = str(made.status)
            except Refusal as refusal:
                outcome = str(refusal.status)
                raise
            finally:
                gateway.metrics.payloads.labels(outcome).inc()
            return made

        return take

    async def last_seen(request: web.Request) -> web.Response:
        return _last_seen(request, gateway)

    async def ready(_: web.Request) -> web.Response:
        return _ready(gateway)

    app.router.add_post("/v1/measurements", way_in(gateway.live))
    app.router.add_post("/v1/backfill", way_in(gateway.backfill))
    # SensorThings: Observations, CreateObservations, Datastreams(17)/Observations. Only these; it is no SensorThings server.
    app.router.add_post(
        r"/v1.1/{path:(Observations|CreateObservations|Datastreams\('?[^()'/]+'?\)/Observations)}", way_in(gateway.sensorthings)
    )
    app.router.add_get("/v1/last-seen", last_seen)
    app.router.add_get("/openapi.json", described)
    app.router.add_get("/livez", _alive)
    app.router.add_get("/readyz", ready)
    app.on_response_prepare.append(_make_safe)
    return app


async def _make_safe(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_SAFE)


@web.middleware
async def _numbered(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Every request has an id, the sender's or one of ours, which stands in the answer and in every line of the log that it causes."""
    given = request.headers.get(REQUEST_ID, "")
    request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)
    with about(request_id=request_id):
        made = await handler(request)
    made.headers[REQUEST_ID] = request_id
    return made


@web.middleware
async def _answer(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """What is refused becomes a problem (RFC 9457), what is unforeseen a 500 that says nothing of the inside."""
    began = time.monotonic()
    try:
        return await handler(request)
    except Refusal as refusal:
        return _problem(refusal)
    except web.HTTPException as error:  # aiohttp's own: no such path, method
        made = _problem(Refusal(error.status, f"{error.reason}: {HERE}"))
        made.headers.update({name: value for name, value in error.headers.items() if name == "Allow"})
        return made
    except Exception:
        log.exception("%s %s after %.3f s", request.method, request.path, time.monotonic() - began)
        return _problem(
            Refusal(500, "a mistake of the gateway, which is in its log; send it again, and tell its operator when it stays so")
        )


def _problem(refusal: Refusal) -> web.Response:
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(status=refusal.status, body=_encode(refusal.problem), content_type=PROBLEM, headers=headers)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _ready(gateway: Gateway) -> web.Response:
    if gateway.stopping:
        return web.Response(status=503, text="stopping\n")
    if gateway.judge is None:
        return web.Response(status=503, text="the regions are not known yet\n")
    if not gateway.sender.ready:
        return web.Response(status=503, text="neither Kafka nor the disk takes anything\n")
    return web.Response(text="ready\n")


def _last_seen(request: web.Request, gateway: Gateway) -> web.Response:
    """A sender sees its own stations; where nobody has to say who he is, everybody sees everything."""
    caller = gateway.who(request)
    return answer(request, gateway.seen, None if caller.may is None else [caller.name])
