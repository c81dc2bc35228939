"""What every process of ours shows of itself, whatever it does: what it is, whether it is ready, and how late its event loop is."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from prometheus_client import Gauge, ProcessCollector

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class ProcessMetrics:
    """Three metrics of a process, in its registry, beside what the client library knows of any process: CPU, memory, files, start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._build = Gauge("tocsin_build_info", "What runs here", ["version", "python", "fold_version"], registry=registry)
        self.decides("")
        self.ready = Gauge("tocsin_ready", "1 while /readyz answers that all is well", registry=registry)
        ProcessCollector(registry=registry)
        self.loop_lag_s = Gauge("tocsin_loop_lag_seconds", "The longest the event loop kept a timer waiting lately", registry=registry)

    def decides(self, fold_version: str) -> None:
        """Say with which version of the fold this process decides; "" = it decides nothing."""
        self._build.clear()
        self._build.labels(metadata.version("tocsin"), platform.python_version(), fold_version).set(1)
