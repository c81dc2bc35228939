"""Where the shared measurements lie; absent ones fail in CI and are skipped, with a word, elsewhere."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from topology.base import Reach

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared_file(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        say = f"needs ../shared/data/{name} beside the repository"
        if os.environ.get("CI") == "true":
            pytest.fail(say)
        pytest.skip(say)
    return path


@pytest.fixture(scope="session")
def texas() -> tuple[Reach, ...]:
    """11,248 reaches of the lower Colorado, Texas, as rows of reaches.csv."""
    path = shared_file("network/lower_colorado_tx_reaches.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return tuple(
            Reach(
                reach=row["link"],
                downstream="" if row["to"] == "0" else row["to"],
                length_km=float(row["Length"]) / 1000.0,
                velocity_m_per_s=float(row["velocity_m_per_s"] or "nan"),
                line=number,
            )
            for number, row in enumerate(csv.DictReader(lines), start=2)
        )


@pytest.fixture(scope="session")
def songhua() -> list[dict[str, str]]:
    """The published observations of the Songhua spill of 2005."""
    with shared_file("events/songhua_2005_observations.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))
