"""`tocsin intake`: the process that reads what cities answer."""

from __future__ import annotations

import typer

from stream.cli.options import connection, given
from stream.settings import Settings


@given(settings=connection)
def intake(settings: Settings) -> None:
    """Read what cities answer (acknowledgements.<city>) and what single principals hand in (ingest.<principal>) into the journal.

    One is enough, two may run. Without it escalation goes on unread.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 75 start it again, 70 a bug.
    """
    import logging

    from stream.gateways.intake import run_intake

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    raise typer.Exit(run_intake(settings))
