"""`tocsin intake` as a process: its metrics and probes, and an end of it that loses nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stream.gateways.intake import Intake
from stream.gateways.intake_metrics import IntakeMetrics
from stream.gateways.readiness import IntakeStanding
from stream.gateways.stopping import only_live, run_until_stopped
from stream.health import notifying
from stream.health.exposing import Exposed
from stream.health.probes import probes
from stream.runtime.ending import end_now
from stream.runtime.feeding import producer
from stream.runtime.follow import consumer
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from stream.runtime.watchdog import Watchdog

if TYPE_CHECKING:
    from stream.settings import Settings


def run_intake(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop. Shows itself at `metrics_port`, 0: nowhere. What fails ends the process with one of `ExitCode`."""
    only_live(settings, "intake is for lanes in the broker's time: nobody answers a replay")
    metrics, standing, dog = IntakeMetrics(), IntakeStanding(), Watchdog(settings.watchdog_s)
    asked = probes(metrics.process, live=dog.health, started=standing.started, ready=standing.ready)
    metrics.process.loop_lag_s.set_function(dog.lag_s)
    exposed = Exposed(metrics.registry, settings.metrics_host, settings.metrics_port, asked) if settings.metrics_port else None

    async def run(stopping: asyncio.Event) -> None:
        dog.start()
        notifying.tell(asked)
        beating = asyncio.create_task(dog.run())
        await _run(settings, metrics, standing, stopping)
        beating.cancel()

    code = run_until_stopped(run)
    if exposed is not None:
        exposed.stop()
    return code


async def _run(settings: Settings, metrics: IntakeMetrics, standing: IntakeStanding, stopping: asyncio.Event) -> None:
    try:
        await asyncio.to_thread(create, settings.cluster, plan(settings, ()))
        async with producer(settings) as sender, consumer(settings.cluster) as reader:
            await Intake(settings, (sender, reader), metrics, standing).run(stopping)
    except Exception as error:  # noqa: BLE001  whatever it is, nothing may be acknowledged after it
        end_now(error)
