"""What a process shows of itself at a port of its own, from a thread of its own: GET /metrics, and the probes /livez, /readyz and /startupz.

A probe that is well answers 200, one that is not 503; the body says as JSON what is wrong and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import msgspec
from prometheus_client import CollectorRegistry, disable_created_metrics, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

LIVE, READY, STARTED = "/livez", "/readyz", "/startupz"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong, and what to do about it."""

    wrong: str
    fix: str


@dataclass(frozen=True, slots=True)
class Health:
    """What a probe answers: well when nothing is wrong."""

    troubles: tuple[Trouble, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.troubles

    @property
    def status(self) -> int:
        """The HTTP status that says so."""
        return 200 if self.ok else 503

    def body(self) -> bytes:
        r"""The answer.

        >>> Health((Trouble("the loop stands still", "start it again"),)).body()
        b'{"ok":false,"troubles":[{"wrong":"the loop stands still","fix":"start it again"}]}\n'
        """
        return msgspec.json.encode({"ok": self.ok, "troubles": self.troubles}) + b"\n"


def new_registry() -> CollectorRegistry:
    """A registry of a process. No metric says when it was made: that would double the number of series of counters."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


class Exposed:
    """A registry and probes that are served. Probes are asked in the server's threads: they may only read what is whole at any time."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int, probes: Mapping[str, Callable[[], Health]]) -> None:
        """Serve at once, probes by their paths; TocsinError where the port cannot be had."""
        app = _application(registry, dict(probes))
        try:
            self._server = make_server(host, port, app, ThreadingWSGIServer, _Silent)
        except OSError as error:
            msg = f"{host}:{port} cannot be listened on: {error}; choose another --metrics-port"
            raise TocsinError(msg) from error
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Nothing: a scrape every few seconds would fill the log."""


def _application(registry: CollectorRegistry, probes: Mapping[str, Callable[[], Health]]) -> Callable[..., Iterable[bytes]]:
    metrics = make_wsgi_app(registry)
    paths = ", ".join(["/metrics", *probes])

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start)  # type: ignore[no-any-return]
        if path in probes:
            health = probes[path]()
            start("200 OK" if health.ok else "503 Service Unavailable", [("Content-Type", JSON), ("Cache-Control", "no-store")])
            return [health.body()]
        start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"here are {paths}\n".encode()]

    return answer
