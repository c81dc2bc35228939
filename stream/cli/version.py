"""`tocsin version`: which Tocsin, and on what it stands."""

from __future__ import annotations

import typer

from stream.cli.options import AsJson


def version(as_json: AsJson = False) -> None:
    """Print the versions of Tocsin, of the fold that it decides with, and of what it depends on most."""
    import platform
    from importlib import metadata

    import msgspec

    from stream.decide.fold import Fold

    parts = {}
    for name in ("tocsin", "faust-streaming", "aiokafka", "numpy"):
        try:
            parts[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            parts[name] = "not installed"  # run from the source tree
    parts["fold"] = Fold.VERSION
    parts["python"] = platform.python_version()
    typer.echo(msgspec.json.encode(parts).decode() if as_json else "\n".join(f"{name} {number}" for name, number in parts.items()))
