"""`tocsin region activate REGION`: from now on the workers use this region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from stream.cli import network
from stream.cli.options import AsJson, RegionArgument, connection, given
from stream.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.region.model import Region

app = typer.Typer(help="Publish regions.", no_args_is_help=True)


async def activated(settings: Settings, folder: Path) -> tuple[Region, tuple[str, ...]]:
    """Validate a region folder, create the topics it needs, publish it and make it the active one; the region, and the topics created.

    RegionError where it is not valid, or would put a domain into another partition than it is in.
    """
    import asyncio

    from stream.region.administrations import recipients
    from stream.region.bundle import bundle
    from stream.region.load import load
    from stream.region.principals import own_doors
    from stream.runtime import topic_admin
    from stream.runtime.region_publish import publish, require_partitions
    from stream.runtime.topics import plan

    bundled = bundle(folder)
    region = load(bundled)
    wanted = plan(settings, recipients(region), own_doors(region.principals))
    created = await asyncio.to_thread(topic_admin.create, settings.cluster, wanted)
    await require_partitions(settings, region)
    await publish(settings, bundled)
    return region, created


@app.callback()
def group() -> None:
    """Publish regions."""


app.command("network")(network.network)


@app.command("activate")
@given(settings=connection)
def activate(region: RegionArgument, settings: Settings, as_json: AsJson = False) -> None:
    """Check a region folder, create its topics (one a city), publish it and make it the active one."""
    import asyncio

    import msgspec

    from stream.cli.folders import region_folder

    active, created = asyncio.run(activated(settings, region_folder(region)))
    facts = {"region": active.name, "region_hash": active.region_hash, "cities": len(active.cities), "topics_created": created}
    if as_json:
        typer.echo(msgspec.json.encode(facts).decode())
        return
    typer.echo(f"{active.name} ({active.region_hash}) is active: {len(active.cities)} cities, {len(created)} topics created")
