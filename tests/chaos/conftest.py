"""A broker that a test may kill; and the canary's quiet run, which begins with the first test of this folder and is judged by its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.runtime.broker import Broker
from tests.chaos.canary_seen import promtool_available

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_CI = os.environ.get("CI") == "true"
QUIET_MINUTES = float(os.environ.get("TOCSIN_QUIET_MINUTES") or ("5" if IN_CI else "0.5"))
STARTING_S = 240.0
"""A broker and three processes beside everything else, and promtool at the end."""


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker.start(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def promtool() -> None:
    if not promtool_available():
        assert not IN_CI, "promtool is needed"
        pytest.skip("no promtool on PATH: what the alerts do is not tested")


class QuietRun:
    """`python -m tests.chaos.canary_quiet` as it was started."""

    def __init__(self, folder: Path, minutes: float) -> None:
        self.minutes = minutes
        self._out, self._errors = folder / "out", folder / "errors"
        command = [sys.executable, "-m", "tests.chaos.canary_quiet", "--minutes", str(minutes), "--json"]
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=out, stderr=errors)

    def said(self) -> str:
        """What it printed, once it is over."""
        assert self._process.wait(self.minutes * 60 + STARTING_S) == 0, self._errors.read_text("utf-8", "replace")[-3000:]
        return self._out.read_text("utf-8")

    def stop(self) -> None:
        """End it, if it is not over."""
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture(scope="session", autouse=True)
def quiet_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuietRun | None]:
    """Five minutes in which the other tests of this folder go on; none when nobody judges it or promtool cannot."""
    judged = any(item.path.name == "test_quiet.py" for item in request.session.items)
    if not judged or not promtool_available():
        yield None
        return
    run = QuietRun(tmp_path_factory.mktemp("quiet"), QUIET_MINUTES)
    yield run
    run.stop()
