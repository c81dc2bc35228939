from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.kafka
@pytest.mark.slow
def test_the_gateway_and_the_bare_sink_take_everything_and_give_figures() -> None:
    # Nothing here depends on how fast this machine is: that every answer is a 202 for all of it is checked by the command itself.
    command = Path(__file__).with_name("gateway_http.py")
    done = subprocess.run([sys.executable, str(command), "--small"], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("gateway", "sink"):
        assert len(re.findall(rf"^{name} +[\d,]+ +[\d,]+ +[\d,]+ +\d+ +\d+$", done.stdout, re.MULTILINE)) == 4, done.stdout
