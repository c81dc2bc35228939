"""The three probes of a process, from what it knows of itself. Every trouble says what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.health.exposing import LIVE, READY, STARTED, Health, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.health.process_metrics import ProcessMetrics

    Ask = Callable[[], Health]

STARTING = Health((Trouble("it is still starting", "wait; if that lasts for minutes, its log says what it waits for"),))


def probes(metrics: ProcessMetrics, *, live: Ask, started: Ask, ready: Ask) -> Mapping[str, Ask]:
    """The probes by their paths, with /readyz also as the metric. A process that does not live is not ready, whatever it said last."""

    def all_well() -> Health:
        return Health(live().troubles + ready().troubles)

    metrics.ready.set_function(lambda: float(all_well().ok))
    return {LIVE: live, STARTED: started, READY: all_well}
