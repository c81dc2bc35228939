"""Answers GET /metrics on loopback from a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import start_http_server

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Exposed:
    """A registry that is being served at a port."""

    def __init__(self, registry: CollectorRegistry, port: int) -> None:
        self._server, self._thread = start_http_server(port, addr="127.0.0.1", registry=registry)

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
