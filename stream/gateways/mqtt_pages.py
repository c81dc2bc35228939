"""What the MQTT gateway shows on loopback: its metrics, whether it works, and when each station was last heard of."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream.errors import TocsinError
from stream.gateways.http_page import answer
from stream.gateways.readiness import NO_LINK, NO_REGIONS, of_sender
from stream.health import notifying
from stream.health.exposing import JSON, Health
from stream.health.probes import probes

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.gateways.metrics import GatewayMetrics
    from stream.gateways.mqtt import MqttGateway
    from stream.gateways.mqtt_link import Link
    from stream.gateways.sending import Sender
    from stream.runtime.watchdog import Watchdog

HOST = "127.0.0.1"


class Pages:
    """GET /metrics, the probes and /v1/last-seen, to whoever is on this machine."""

    def __init__(self, metrics: GatewayMetrics, gateway: MqttGateway, link: Link, sender: Sender, dog: Watchdog) -> None:
        self._registry, self._gateway, self._link, self._sender = metrics.registry, gateway, link, sender
        metrics.process.loop_lag_s.set_function(dog.lag_s)
        self._probes = probes(metrics.process, live=dog.health, started=Health, ready=self._ready)
        self._runner: web.AppRunner | None = None

    async def serve(self, port: int, host: str = HOST) -> None:
        """Answer at this port, 0 = nowhere, and tell the supervisor. TocsinError where it is taken."""
        notifying.tell(self._probes)
        if port <= 0:
            return
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        for path, probe in self._probes.items():
            app.router.add_get(path, partial(_answer, probe))
        app.router.add_get("/v1/last-seen", self._last_seen)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self.stop()
            msg = f"{host}:{port} cannot be listened on: {error}; choose another --metrics-port"
            raise TocsinError(msg) from error

    async def stop(self) -> None:
        """Stop answering."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _metrics(self, _: web.Request) -> web.Response:
        shown = await asyncio.to_thread(generate_latest, self._registry)
        return web.Response(body=shown, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _ready(self) -> Health:
        unknown = () if self._gateway.known.is_set() else (NO_REGIONS,)
        return Health((*unknown, *(() if self._link.up else (NO_LINK,)), *of_sender(self._sender)))

    async def _last_seen(self, request: web.Request) -> web.Response:
        return answer(request, self._gateway.seen)


async def _answer(probe: Callable[[], Health], _: web.Request) -> web.Response:
    health = probe()
    return web.Response(status=health.status, body=health.body(), content_type=JSON, headers={"Cache-Control": "no-store"})
