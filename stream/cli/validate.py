"""`tocsin validate REGION`: everything that is wrong with a region folder, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from stream.cli.options import AsJson, RegionArgument

if TYPE_CHECKING:
    from stream.region.model import Region


def summary(region: Region) -> dict[str, object]:
    """What the region consists of."""
    return {
        "region": region.name,
        "region_hash": region.region_hash,
        "cities": len(region.cities),
        "series": len(region.series.ids),
        "domains": [domain.domain_id for domain in region.domains],
        "hazards": [hazard.hazard for hazard in region.hazards],
        "cascades": [cascade.name for cascade in region.cascades],
    }


def validate(region: RegionArgument, as_json: AsJson = False) -> None:
    """Check a region folder and list *all* problems with file, line, field and a fix. Exit code 1 if there is one."""
    import msgspec

    from stream.cli.folders import region_folder
    from stream.region.report import report

    loaded, problems, notes = report(region_folder(region))
    facts = summary(loaded) if loaded else {}
    if as_json:
        typer.echo(msgspec.json.encode({**facts, "sound": loaded is not None, "problems": problems, "notes": notes}).decode())
    else:
        for problem in problems:
            typer.echo(str(problem))
        for note in notes:
            typer.echo(f"note: {note}")
        if loaded:
            typer.echo(f"{loaded.name} ({loaded.region_hash}) is sound: {facts['cities']} cities, {facts['series']} series")
            typer.echo(f"  domains {', '.join(one.domain_id for one in loaded.domains)}")
            typer.echo(f"  hazards {', '.join(one.hazard for one in loaded.hazards)}")
            if loaded.cascades:
                typer.echo("  cascades " + ", ".join(f"{one.name} ({one.cause} -> {one.effect})" for one in loaded.cascades))
        else:
            typer.echo(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}: the region cannot be used", err=True)
    if not loaded:
        raise typer.Exit(1)
