"""`tocsin region network TABLE --out FILE`: a table of very many reaches becomes the file a region loads at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli.options import AsJson

Table = Annotated[Path, typer.Argument(help="A table with the columns of reaches.csv.", exists=True, dir_okay=False)]
Out = Annotated[Path, typer.Option(help="Where to write it; in a region folder it is called reaches.npz.")]


def network(table: Table, out: Out = Path("reaches.npz"), as_json: AsJson = False) -> None:
    """Check a table of reaches and lay it out as a file: every fault with its line, or the network with its hash."""
    import msgspec

    from stream.errors import TocsinError
    from stream.region.reach_table import network_of_table
    from topology.base import TopologyError
    from topology.network_file import save_network

    try:
        made = network_of_table(table)
    except TopologyError as error:
        listed = "\n".join(f"  {table.name}:{fault.line}: {fault.field}: {fault.problem}; {fault.fix}" for fault in error.faults)
        problem = f"the network has {len(error.faults)} problem{'s' if len(error.faults) != 1 else ''}:\n{listed}"
        raise TocsinError(problem) from error
    facts = {
        "reaches": len(made.reaches),
        "length_km": round(float(made.length_km.sum()), 1),
        "outlets": int((made.below == -1).sum()),
        "splits": len(made.below) - len(made.reaches),
        "sha256": save_network(made, out),
    }
    if as_json:
        typer.echo(msgspec.json.encode({**facts, "file": str(out)}).decode())
        return
    words = f"{facts['reaches']:,} reaches, {facts['length_km']:,} km, outlets {facts['outlets']:,}, splits {facts['splits']:,}"
    typer.echo(f"{out}: {words} (SHA-256 {facts['sha256']})")
