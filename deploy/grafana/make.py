"""Writes the dashboards as Grafana reads them, with Grafana's own library: python deploy/grafana/make.py [FOLDER]. The files are checked in."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import hazards  # noqa: E402
import overview  # noqa: E402
import pipeline  # noqa: E402
from board import board, hazard_variable  # noqa: E402
from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402

BOARDS = {overview: (), pipeline: (), hazards: (hazard_variable,)}


def files() -> dict[str, str]:
    """File name -> JSON."""
    made = {}
    for module, variables in BOARDS.items():
        found = board(module.UID, module.TITLE, module.DESCRIPTION, module.ROWS, [one() for one in variables])
        made[f"{module.UID}.json"] = JSONEncoder(sort_keys=True, indent=1).encode(found) + "\n"
    return made


def main(folder: Path) -> None:
    """Write them into this folder."""
    for name, text in files().items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
