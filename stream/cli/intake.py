"""`tocsin intake`: the process that reads what cities answer, single principals hand in, and history."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli.options import connection, given
from stream.settings import Settings

MetricsPort = Annotated[int, typer.Option(help="Serve /metrics on this port of the loopback interface; 0 = do not.")]


@given(settings=connection)
def intake(settings: Settings, metrics_port: MetricsPort = 0) -> None:
    """Read what cities answer (acknowledgements.<city>) and what single principals hand in (ingest.<principal>) into the journal.

    After everything live: history handed in by bulk (backfill.<family>).

    One is enough, two may run. Without it escalation goes on unread.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 75 start it again, 70 a bug.
    """
    from stream.gateways.intake_process import run_intake
    from stream.health.logs import set_up

    set_up(settings, "intake", quiet=["aiokafka"])
    raise typer.Exit(run_intake(settings, metrics_port))
