"""Finds a region folder: a path, or the name of one of the regions that come with the source."""

from __future__ import annotations

from pathlib import Path

from stream.errors import TocsinError

SHIPPED = Path(__file__).parents[2] / "deploy" / "regions"


def shipped() -> tuple[str, ...]:
    """Names of the regions that came with this installation; none when only the packages were installed."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/region.toml")))


def region_folder(name: str) -> Path:
    """The folder of a region given as a path or as the name of a shipped one; TocsinError says what was looked for."""
    if (Path(name) / "region.toml").is_file():
        return Path(name)
    if name in shipped():
        return SHIPPED / name
    known = (
        f"shipped regions are {', '.join(shipped())}"
        if shipped()
        else "no regions came with this installation: install from the source tree"
    )
    msg = f"no region {name!r}: there is no file {Path(name) / 'region.toml'}, and {known}"
    raise TocsinError(msg)
