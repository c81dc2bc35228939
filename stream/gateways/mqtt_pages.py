"""What the MQTT gateway shows on loopback: its metrics, whether it works, and when each station was last heard of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from stream.errors import TocsinError
from stream.gateways.http_page import answer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from stream.gateways.mqtt import MqttGateway
    from stream.gateways.mqtt_link import Link
    from stream.gateways.sending import Sender

HOST = "127.0.0.1"


class Pages:
    """GET /metrics, /livez, /readyz and /v1/last-seen, to whoever is on this machine."""

    def __init__(self, registry: CollectorRegistry, gateway: MqttGateway, link: Link, sender: Sender) -> None:
        self._registry, self._gateway, self._link, self._sender = registry, gateway, link, sender
        self._runner: web.AppRunner | None = None

    async def serve(self, port: int) -> None:
        """Answer at this port, 0 = nowhere. TocsinError where it is taken."""
        if port <= 0:
            return
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/livez", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/v1/last-seen", self._last_seen)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except OSError as error:
            await self.stop()
            msg = f"{HOST}:{port} cannot be listened on: {error}; choose another --metrics-port"
            raise TocsinError(msg) from error

    async def stop(self) -> None:
        """Stop answering."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _alive(self, _: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _ready(self, _: web.Request) -> web.Response:
        if not self._gateway.known.is_set():
            return web.Response(status=503, text="the regions are not known yet\n")
        if not self._link.up:
            return web.Response(status=503, text="not connected to the MQTT broker\n")
        if not self._sender.ready:
            return web.Response(status=503, text="neither Kafka nor the disk takes anything\n")
        return web.Response(text="ready\n")

    async def _last_seen(self, request: web.Request) -> web.Response:
        return answer(request, self._gateway.seen)
