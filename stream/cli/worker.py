"""`tocsin worker`: one process of the service."""

from __future__ import annotations

from typing import Annotated

import typer

from stream.cli.options import MetricsPort, connection, given, naming
from stream.settings import Settings

Instance = Annotated[str | None, typer.Option(help="Name of this process, the same at every start of it. Default: tocsin-0.")]
Shadow = Annotated[
    bool, typer.Option("--shadow", help="Only follow, with a new fold version: decide, publish nothing, until it is activated.")
]
CHATTY = ("faust", "mode", "aiokafka", "stream.runtime.transport")
Verbose = Annotated[bool, typer.Option("--verbose", help="Also log what Faust and the Kafka client do.")]


@given(settings=connection)
def worker(
    settings: Settings, instance: Instance = None, metrics_port: MetricsPort = None, shadow: Shadow = False, verbose: Verbose = False
) -> None:
    """Run a worker: it accepts, decides and publishes for its share of the partitions. Start as many as there is work.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 75 start it again (the broker or the process failed for a time), 76 another fold version
    is in force: start the new code, 1 the broker refuses it or the port is taken, 70 a bug.
    """
    from stream.health.logs import set_up
    from stream.health.tracing import start
    from stream.runtime.worker import run_worker

    set_up(settings, "worker", quiet=() if verbose else CHATTY)
    start(settings, "worker")
    raise typer.Exit(run_worker(naming(settings, instance=instance, metrics_port=metrics_port), shadow=shadow))
