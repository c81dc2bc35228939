"""What `tocsin validate` shows of a region folder: the region if it is usable, everything wrong with it, and what one should know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.region.bundle import bundle
from stream.region.load import examine

if TYPE_CHECKING:
    from pathlib import Path

    from stream.region.model import Region
    from stream.region.problems import Problem


def report(folder: Path) -> tuple[Region | None, tuple[Problem, ...], tuple[Problem, ...]]:
    """(region or None, problems, notes) of a folder; TocsinError only if there is no such folder."""
    region, findings = examine(bundle(folder))
    return region, findings.sorted_problems(), findings.sorted_notes()
