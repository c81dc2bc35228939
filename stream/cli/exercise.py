"""`tocsin exercise run PLAN`, `tocsin exercise score PLAN`: an exercise on topics, workers and a consumer group of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.region.model import Region
    from stream.review.exercise_plan import Plan

app = typer.Typer(help="Exercises: announced or not, on topics of their own, scored.", no_args_is_help=True)
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="The plan, a TOML file.", show_default=False)]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="A worker and an intake of the exercise lane run already: start none.")]


def exercising(settings: Settings) -> Settings:
    """These settings on the exercise lane; TocsinError where they name another one."""
    import msgspec

    from stream.records.lanes import EXERCISE_PREFIX, Lane

    if settings.lane is Lane.LIVE:
        return msgspec.structs.replace(settings, lane=Lane.EXERCISE, prefix=EXERCISE_PREFIX, instance="exercise")
    if settings.lane is not Lane.EXERCISE or settings.clock != "broker":
        msg = f"prefix {settings.prefix!r}, clock {settings.clock!r}: exercises have the broker's time and a prefix that begins with {EXERCISE_PREFIX!r}"
        raise TocsinError(msg)
    return settings


def loaded(file: Path) -> tuple[Plan, Path, Region]:
    """The plan, its region's folder, and the region, checked against each other."""
    from stream.cli.folders import region_folder
    from stream.region.load import load_folder
    from stream.review.exercise_plan import check, read_plan

    plan = read_plan(file)
    beside = file.parent / plan.region
    folder = beside if (beside / "region.toml").is_file() else region_folder(plan.region)
    region = load_folder(folder)
    check(plan, region)
    return plan, folder, region


@app.callback()
def group() -> None:
    """Exercises: announced or not, on topics of their own, scored."""


@app.command("run")
@given(settings=connection)
def run(plan: PlanFile, settings: Settings, no_worker: NoWorker = False) -> None:
    """Play a plan in real time on the exercise lane, announce it if it is scheduled, and withdraw every warning at its end.

    Everything it writes says that it is of an exercise, and goes to topics that begin with `exercise.`; live topics are never touched. Ctrl-C ends
    the exercise at once, as its end would.
    """
    import asyncio

    from stream.cli.exercise_run import play

    read, folder, _ = loaded(plan)
    asyncio.run(play(exercising(settings), read, folder, own=not no_worker))
    typer.echo(f"exercise {read.exercise_id} is over; its score: tocsin exercise score {plan}")


@app.command("score")
@given(settings=connection)
def score(plan: PlanFile, settings: Settings, as_json: AsJson = False) -> None:
    """Who was warned in time, who answered in time, and how far up it had to go. Exit code 1 when the exercise was not passed."""
    import asyncio

    import msgspec

    from stream.cli.exercise_read import heard
    from stream.review.exercise_score import as_fields, as_table
    from stream.review.exercise_score import score as scored

    read, _, region = loaded(plan)
    found = scored(read, asyncio.run(heard(exercising(settings), read, region)))
    typer.echo(msgspec.json.encode(as_fields(found)).decode() if as_json else as_table(found))
    if not found.passed:
        raise typer.Exit(1)
