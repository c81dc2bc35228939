"""`tocsin validate REGION`: everything that is wrong with a region folder, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from stream.cli.options import AsJson, RegionArgument

if TYPE_CHECKING:
    from stream.region.problems import RegionError


def show_problems(error: RegionError, as_json: bool = False) -> None:
    """Print the problems of a region folder: where, what, and what to do."""
    import msgspec

    if as_json:
        for problem in error.problems:
            typer.echo(msgspec.json.encode(problem).decode())
        return
    typer.echo(f"error: {error}", err=True)


def validate(region: RegionArgument, as_json: AsJson = False) -> None:
    """Check a region folder and list *all* problems with file, line, field and a fix."""
    import msgspec

    from stream.cli.folders import region_folder
    from stream.region.load import load_folder
    from stream.region.problems import RegionError

    try:
        loaded = load_folder(region_folder(region))
    except RegionError as error:
        show_problems(error, as_json)
        raise typer.Exit(1) from None
    domains, hazards = [domain.domain_id for domain in loaded.domains], [hazard.hazard for hazard in loaded.hazards]
    notes = {city.city_id: city.note for city in loaded.cities if city.note}
    if as_json:
        facts = {"region": loaded.name, "region_hash": loaded.region_hash, "cities": len(loaded.cities), "series": len(loaded.series.ids)}
        typer.echo(msgspec.json.encode({**facts, "domains": domains, "hazards": hazards, "notes": notes}).decode())
        return
    typer.echo(f"{loaded.name} ({loaded.region_hash}) is sound: {len(loaded.cities)} cities, {len(loaded.series.ids)} series")
    typer.echo(f"  domains {', '.join(domains)}; hazards {', '.join(hazards)}")
    for city, note in notes.items():
        typer.echo(f"  {city}: {note}")
