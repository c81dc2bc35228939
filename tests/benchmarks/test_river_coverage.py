from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

COMMAND = Path(__file__).with_name("river_coverage.py")


def test_the_small_run_prints_coverage_before_and_after_corrections(tmp_path):
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| 1000, 0\.4 \| (\d) \| ([\d.]+)% \|", done.stdout, re.MULTILINE)
    assert [int(passages) for passages, _ in rows] == [0, 1, 2, 4]
    assert all(60.0 <= float(share) <= 95.0 for _, share in rows)
    assert (tmp_path / "river_coverage.md").read_text("utf-8").strip() in done.stdout
