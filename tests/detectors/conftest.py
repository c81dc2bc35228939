"""The scalar twins are imported by their plain names, here and by the benchmarks."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in (Path(__file__).parent / "twins", Path(__file__).parent):
    sys.path.insert(0, str(folder))
