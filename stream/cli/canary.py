"""`tocsin canary`: the process that measures from outside whether a warning would come."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli.options import connection, given
from stream.settings import Settings

MetricsPort = Annotated[int, typer.Option(help="Serve /metrics and the probes on this port; 0 = do not.")]
Intake = Annotated[bool, typer.Option(help="Whether `tocsin intake` is to answer, too; --no-intake where none is run.")]


@given(settings=connection)
def canary(settings: Settings, metrics_port: MetricsPort = 0, intake: Intake = True) -> None:
    """Put a synthetic measurement into every door partition, for every journal partition, every `canary_s` (30 s), and see it come back.

    It comes back on warnings.canary, and is in no score, incident, status or warning. What has not answered for two rounds stands in the log,
    in /readyz and in the metrics. Brokers and workers may come and go: it goes on.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C).
    """
    import logging

    from stream.health.canary import run_canary

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    raise typer.Exit(run_canary(settings, intake=intake, metrics_port=metrics_port or settings.metrics_port))
