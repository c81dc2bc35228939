from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).with_name("speed.py")


@pytest.mark.kafka
@pytest.mark.slow
def test_all_benchmarks_give_figures_and_the_three_contestants_agree():
    # Nothing here depends on how fast this machine is; that the three found the same changes of level is checked by the command itself.
    done = subprocess.run([sys.executable, str(SPEED), "--small"], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"level changes found by tocsin and bare: the same [1-9]", done.stdout)
    assert re.search(r"level changes found by tocsin and stock: the same [1-9]", done.stdout)
    for name in ("stock", "bare", "tocsin"):
        assert re.search(rf"^{name} +\d+\.\d\d +", done.stdout, re.MULTILINE), done.stdout
    assert re.search(r"200/s: p50 [\d.]+ ms, p90 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms of \d+ warnings \(0 missing\)", done.stdout), (
        done.stdout
    )
    assert re.search(r"40 city topics created, all leaders ready: [\d.]+ s", done.stdout)
    assert re.search(r"first warning to each of 40 cities never warned.*\(0 missing\)", done.stdout), done.stdout
