"""`tocsin gateway http`: the process. It starts without Kafka, goes on without Kafka, and stops only after it has answered what it has taken."""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass
from importlib import metadata
from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from stream.errors import TocsinError
from stream.gateways.denials import Denials, denials_spool
from stream.gateways.http_gateway import NO_REGION, Caller, Gateway
from stream.gateways.http_identity import Identity, Shown, Unheard
from stream.gateways.http_limits import HttpLimits
from stream.gateways.http_openapi import document
from stream.gateways.http_server import application
from stream.gateways.judging import Judge, Seen
from stream.gateways.known_regions import KnownRegions
from stream.gateways.mapping import Mapping
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.readiness import NO_REGIONS, STOPPING, of_sender
from stream.gateways.sending import Sender
from stream.gateways.spool import Spool
from stream.gateways.stopping import only_live, run_until_stopped
from stream.health import notifying
from stream.health.exposing import Health
from stream.health.probes import probes
from stream.runtime.clocks import wall_ms
from stream.runtime.collector import settle
from stream.runtime.ending import end_if_failed
from stream.runtime.topics import DOORS, Topics
from stream.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from pathlib import Path

    from stream.region.model import Region
    from stream.settings import Settings

log = logging.getLogger(__name__)
ANSWER_S = 15.0
"""So long what is under way may take at a stop."""
IDLE_S = 75.0
"""So long a connection may be idle between requests."""
SPOOL_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Tls:
    """Files (PEM) of the server's certificate and key; `client_ca`: what client certificates are checked against, None = none are asked for."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For the server; TocsinError when a file cannot be used."""
        made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                made.load_verify_locations(self.client_ca)
                made.verify_mode = ssl.CERT_OPTIONAL
        except (OSError, ssl.SSLError) as error:
            msg = f"TLS with {self.certificate}, {self.key} and {self.client_ca}: {error}"
            raise TocsinError(msg) from error
        return made


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how: `spool` is the gateway's own folder on a disk, None = what Kafka does not take is refused."""

    host: str = "127.0.0.1"
    port: int = 8180
    spool: Path | None = None
    spool_bytes: int = SPOOL_BYTES
    tls: Tls | None = None
    limits: HttpLimits = HttpLimits()  # noqa: RUF009  it is frozen
    mapping: Mapping = Mapping()  # noqa: RUF009  it is frozen

    @property
    def exposed(self) -> bool:
        """Whether others than this machine reach it.

        >>> Listening().exposed, Listening("localhost").exposed, Listening("0.0.0.0").exposed, Listening("::1").exposed
        (False, False, True, False)
        """
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"


def run_http(settings: Settings, listening: Listening) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. TocsinError when it cannot listen, or its spool is another's."""
    only_live(settings, "a gateway is for lanes in the broker's time: nobody measures a replay")

    async def run(stopping: asyncio.Event) -> None:
        await HttpProcess(settings, listening).run(stopping)

    return run_until_stopped(run)


class HttpProcess:
    """One HTTP gateway. `run` makes it go until it is told to stop; `port` is where it listens then."""

    def __init__(self, settings: Settings, listening: Listening) -> None:
        self._settings = settings
        self._listening = listening
        self._identity: Identity | None = None
        self._seen, self._bulk_seen = Seen(), Seen()
        metrics = GatewayMetrics()
        spools = [
            None if listening.spool is None else Spool(listening.spool / way, bytes_max=listening.spool_bytes) for way in ("live", "bulk")
        ]
        bulk_doors = dict(zip(DOORS, Topics(settings.prefix).backfill, strict=True))
        self._sender = Sender(settings, spools[0], metrics=metrics)
        self._bulk_sender = Sender(settings, spools[1], doors=bulk_doors, metrics=metrics, way="backfill")
        self._denials = Denials(settings, metrics, None if listening.spool is None else denials_spool(listening.spool))
        self.gateway = Gateway(listening.limits, listening.mapping, self._sender, self._bulk_sender, self._who, metrics, self._denials)
        self._dog = Watchdog(settings.watchdog_s)
        self.port = 0

    async def run(self, stopping: asyncio.Event) -> None:
        """Answer until `stopping`, then answer what is under way."""
        regions = KnownRegions(self._settings, self._listening.spool, self._take_regions)
        beside = [asyncio.create_task(one) for one in (regions.run(), self._denials.run(), self._dog.run())]
        self._dog.start()
        for one in beside:
            one.add_done_callback(end_if_failed)  # not going on unless it hears of revoked keys and tells who it refused
        await asyncio.gather(self._sender.start(), self._bulk_sender.start())
        openapi = msgspec.json.encode(document(self._listening.limits, _version()))
        runner = web.AppRunner(
            application(self.gateway, openapi),
            auto_decompress=False,
            access_log=None,
            handle_signals=False,
            keepalive_timeout=IDLE_S,
            shutdown_timeout=ANSWER_S,
        )
        try:
            await runner.setup()
            await self._listen(runner)
            self._show()
            await stopping.wait()
        finally:
            self.gateway.stopping = True
            await runner.cleanup()
            await asyncio.gather(self._sender.stop(), self._bulk_sender.stop())
            for one in beside:
                one.cancel()
            await asyncio.wait(beside)
            self.gateway.metrics.stop()

    def _show(self) -> None:
        """Serve metrics and probes."""
        metrics, settings = self.gateway.metrics, self._settings
        metrics.process.loop_lag_s.set_function(self._dog.lag_s)
        asked = probes(metrics.process, live=self._dog.health, started=Health, ready=self._ready)
        metrics.serve(settings.metrics_host, settings.metrics_port, asked)
        notifying.tell(asked)

    def _ready(self) -> Health:
        unknown = (NO_REGIONS,) if self.gateway.judge is None else ()
        return Health((STOPPING,) if self.gateway.stopping else (*unknown, *of_sender(self._sender)))

    async def _listen(self, runner: web.AppRunner) -> None:
        listening = self._listening
        site = web.TCPSite(runner, listening.host, listening.port, ssl_context=None if listening.tls is None else listening.tls.context())
        try:
            await site.start()
        except OSError as error:
            msg = f"{listening.host}:{listening.port} cannot be listened on: {error}; choose another --port"
            raise TocsinError(msg) from error
        self.port = runner.addresses[0][1]
        print(f"ready {'http' if listening.tls is None else 'https'}://{listening.host}:{self.port}", flush=True)  # noqa: T201

    async def _take_regions(self, regions: tuple[Region, ...]) -> None:
        """Judge by these from now on. What is being judged ends by the old ones. Without any region nothing is: all would be refused."""
        made = await asyncio.to_thread(lambda: [Judge(regions, self._settings, seen) for seen in (self._seen, self._bulk_seen)])
        principals = [one for region in regions for one in region.principals]
        self._identity = Identity(principals, self._settings.lane, exposed=self._listening.exposed) if regions else None
        self.gateway.judge, self.gateway.bulk_judge = made if regions else (None, None)
        settle()  # else every request walks through all regions: four fifths of the time of an array

    def _who(self, request: web.Request) -> Caller:
        if self._identity is None:  # who may send stands in the regions
            raise self.gateway.later(503, NO_REGION)
        tls = None if request.transport is None else request.transport.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        now = wall_ms()
        try:
            return self._identity.caller(Shown(request.headers.get("Authorization", ""), certificate), now)
        except Unheard as unheard:
            self._denials.note(unheard.denied._replace(remote=request.remote or ""), now)
            raise


def _version() -> str:
    try:
        return metadata.version("tocsin")
    except metadata.PackageNotFoundError:
        return "0"  # run from the source tree
