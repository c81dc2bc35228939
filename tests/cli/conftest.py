"""A small region folder with a flood that comes down its river."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from pathlib import Path

HOURS = 30


def history() -> str:
    """Ten-minute stages: the upper gauge rises over its limits after three hours, the others follow hours later, all fall again."""
    lines = ["series,observed_at,value"]
    for step in range(HOURS * 6):
        hour = step / 6
        for station, delay_h in (("upper", 3.0), ("middle", 13.0), ("lower", 23.0)):
            stage = 1.0 + max(0.0, 3.6 - abs(hour - delay_h - 2) * 1.2)
            lines.append(f"{station}/stage,2026-03-{1 + step // 144:02d}T{step // 6 % 24:02d}:{step % 6 * 10:02d}:00Z,{stage:.3f}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def rill(tmp_path: Path) -> Path:
    """The folder of the region `rill`, with history.csv and observed.csv."""
    folder = tmp_path / "rill"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "history.csv").write_text(history(), "utf-8")
    (folder / "observed.csv").write_text("city_id,arrived_at,source\nbor,2026-03-01T13:30:00Z,synthetic\n", "utf-8")
    return folder
