"""The command `tocsin`. Exit codes: 0 done; 1 something to act on, said in one message; 2 wrong usage; 130 interrupted.

Every command stands in a file of its own and imports what it needs when it runs, so that `tocsin --help` is instant.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from stream.cli import (
    answer,
    archive,
    calibrate,
    canary,
    cap,
    cap_in,
    demo,
    doctor,
    exercise,
    explain,
    feed,
    footprint,
    gateway,
    intake,
    journal,
    maintenance,
    rebuild,
    region,
    replay,
    report,
    schema,
    silence,
    simulate,
    status,
    tail,
    taking_back,
    topics,
    upgrade,
    validate,
    version,
    worker,
)
from stream.errors import TocsinError

PROBLEM = 1
INTERRUPTED = 130


class Commands(TyperGroup):
    """The group of all commands: what we raise on purpose becomes a message and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        # What a client retries is no news for people; the worker sets its own level.
        logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
        try:
            return super().invoke(ctx)
        except TocsinError as error:
            typer.echo(f"error: {error}", err=True)
        except BrokenPipeError:
            # The reader of our output went away (`tocsin ... | head`): nothing is wrong, and nothing more can be said.
            sys.stderr.close()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(PROBLEM)


app = typer.Typer(
    name="tocsin",
    cls=Commands,
    help="Early warning across city borders: measurements in, a targeted warning out for each affected city.",
    epilog="Start with `tocsin demo`. Exit codes: 0 done, 1 something to act on, 2 wrong usage, 130 interrupted.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("worker")(worker.worker)
app.command("intake")(intake.intake)
app.command("canary")(canary.canary)
app.add_typer(gateway.app, name="gateway")
app.add_typer(topics.app, name="topics")
app.command("validate")(validate.validate)
app.add_typer(region.app, name="region")
app.command("feed")(feed.feed)
app.command("simulate")(simulate.simulate)
app.command("tail")(tail.tail)
app.command("ack")(answer.ack)
app.command("accept")(answer.accept)
app.command("reject")(answer.reject)
app.command("done")(answer.done)
app.command("report")(report.report)
app.command("confirm")(report.confirm)
app.command("withdraw")(report.withdraw)
app.command("cancel")(taking_back.cancel)
app.command("correct")(taking_back.correct)
app.command("maintenance")(maintenance.maintenance)
app.command("silence")(silence.silence)
app.command("unsilence")(silence.unsilence)
app.command("status")(status.status)
app.add_typer(exercise.app, name="exercise")
app.command("explain")(explain.explain)
app.command("cap")(cap.cap)
app.command("cap-in")(cap_in.cap_in)
app.command("replay")(replay.replay)
app.add_typer(journal.app, name="journal")
app.command("archive")(archive.archive)
app.command("rebuild")(rebuild.rebuild)
app.command("calibrate")(calibrate.calibrate)
app.command("footprint")(footprint.footprint)
app.command("schema")(schema.schema)
app.add_typer(upgrade.app, name="upgrade")
app.command("version")(version.version)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
