"""`tocsin intake`: the process that reads what cities answer, single principals hand in, and history."""

from __future__ import annotations

import typer

from stream.cli.options import MetricsPort, connection, given, naming
from stream.settings import Settings


@given(settings=connection)
def intake(settings: Settings, metrics_port: MetricsPort = None) -> None:
    """Read what cities answer (acknowledgements.<city>) and what single principals hand in (ingest.<principal>) into the journal.

    After everything live: history handed in by bulk (backfill.<family>). One is enough, two may run. Without it nobody's answer is heard, and
    warnings escalate.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 75 start it again (the broker or the process failed for a time), 1 the broker refuses it
    or the port is taken, 70 a bug.
    """
    from stream.gateways.intake_process import run_intake
    from stream.health.logs import set_up
    from stream.health.tracing import start

    settings = naming(settings, metrics_port=metrics_port)
    set_up(settings, "intake", quiet=["aiokafka"])
    start(settings, "intake")
    raise typer.Exit(run_intake(settings))
