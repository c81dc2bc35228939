"""`tocsin canary`: the process that measures from outside whether a warning would come."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli.options import MetricsPort, connection, given, naming
from stream.settings import Settings

WithoutIntake = Annotated[bool, typer.Option("--without-intake", help="No `tocsin intake` is run here: expect no answer from one.")]


@given(settings=connection)
def canary(settings: Settings, metrics_port: MetricsPort = None, without_intake: WithoutIntake = False) -> None:
    """Put a synthetic measurement into every door partition, for every journal partition, every `canary_s` (30 s), and see it come back.

    It comes back on warnings.canary, and is in no score, incident, status or warning. What has not answered for two rounds stands in the log,
    in /readyz and in the metrics. Brokers and workers may come and go: it goes on.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 75 it hung: start it again, 1 the port is taken, 70 a bug.
    """
    from stream.health.canary import run_canary
    from stream.health.logs import set_up
    from stream.health.tracing import start

    settings = naming(settings, metrics_port=metrics_port)
    set_up(settings, "canary", silent=["aiokafka"])
    start(settings, "canary")
    raise typer.Exit(run_canary(settings, intake=not without_intake))
