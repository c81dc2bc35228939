"""`tocsin topics create|check|acl`: every topic with its partitions, retention, compaction and time type, and who may what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli import topics_acl
from stream.cli.options import AsJson, connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.runtime.topics import TopicPlan

MOST_DOMAINS = 5

app = typer.Typer(help="Create the topics, compare them with what they must be; who may what.", no_args_is_help=True)
app.command("acl")(topics_acl.acl)
Regions = Annotated[
    list[str] | None, typer.Argument(metavar="[REGION]...", help="Also the topics of these regions' cities.", show_default=False)
]


def _plan(settings: Settings, regions: list[str] | None) -> tuple[TopicPlan, ...]:
    from stream.cli.folders import region_folder
    from stream.region.administrations import recipients
    from stream.region.load import load_folder
    from stream.region.principals import own_doors
    from stream.runtime.topics import plan

    loaded = [load_folder(region_folder(name)) for name in regions or ()]
    principals = [one for region in loaded for one in own_doors(region.principals)]
    return plan(settings, [one for region in loaded for one in recipients(region)], principals)


@app.command("create")
@given(settings=connection)
def create(settings: Settings, regions: Regions = None, as_json: AsJson = False) -> None:
    """Create the topics that are missing, in batches, and wait for their leaders."""
    import msgspec

    from stream.runtime import topic_admin

    wanted = _plan(settings, regions)
    created = topic_admin.create(settings.cluster, wanted)
    if as_json:
        typer.echo(msgspec.json.encode({"created": created, "present": len(wanted) - len(created)}).decode())
        return
    typer.echo(f"{len(created)} topics created, {len(wanted) - len(created)} were there already")


@app.command("check")
@given(settings=connection)
def check(settings: Settings, regions: Regions = None, as_json: AsJson = False) -> None:
    """List every difference between the cluster's topics and what they must be (exit code 1 if there is one), then the load of the partitions.

    The load is what the series of the active regions are due to send; a partition with more than twice its fair share is told.
    """
    import msgspec

    from stream.runtime import topic_admin

    wanted = _plan(settings, regions)
    differences = topic_admin.check(settings.cluster, wanted)
    for one in differences:
        typer.echo(
            msgspec.json.encode(one).decode() if as_json else f"{one.topic}: {one.what} is {one.found}, must be {one.wanted}: {one.fix}"
        )
    if differences:
        raise typer.Exit(1)
    if not as_json:
        typer.echo(f"{len(wanted)} topics are as they must be")
    _show_load(settings, as_json=as_json)


def _show_load(settings: Settings, *, as_json: bool) -> None:
    """One line a partition that has domains of an active region, and a warning for each that has too many."""
    import asyncio

    import msgspec

    from stream.cli.watching import published_regions
    from stream.runtime.domain_load import loads

    for one in loads(asyncio.run(published_regions(settings)), settings.journal_width):
        if not one.domains:
            continue
        if as_json:
            typer.echo(msgspec.json.encode(one).decode())
            continue
        largest = ", ".join(list(one.domains)[:MOST_DOMAINS]) + (" ..." if len(one.domains) > MOST_DOMAINS else "")
        typer.echo(f"journal partition {one.partition}: {one.per_min:,.1f} measurements/min of {len(one.domains)} domains ({largest})")
        if one.uneven:
            typer.echo(
                f"  uneven: {one.fair_shares:.1f} times its fair share; give one of these domains another partition with "
                "`pin = N` under [domains.<id>] in its region.toml, before the region is first activated"
            )
