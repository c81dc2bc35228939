"""The options that say where a gateway keeps what Kafka does not take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def keeping(
    spool: Annotated[
        Path | None,
        typer.Option(
            help="A folder of its own on a disk: what Kafka does not take is kept there. Without it, it is refused.", file_okay=False
        ),
    ] = None,
    spool_mb: Annotated[int, typer.Option(min=1, help="The most the folder may hold of live data, and again of history.")] = 1024,
) -> tuple[Path | None, int]:
    """The spool's folder and its bound (bytes)."""
    return spool, spool_mb << 20
