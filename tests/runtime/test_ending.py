"""A task that should run for the life of its process may not be gone in silence, whatever ended it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from stream.runtime.ending import end_if_failed

async def waits(answer):
    await answer

async def fails():
    raise ValueError("a bug")

async def main(how):
    answer = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(fails() if how == "fails" else waits(answer))
    task.add_done_callback(end_if_failed)
    await asyncio.sleep(0)
    if how == "cut off":  # as aiokafka does it with what waits on a connection that it closes
        answer.cancel()
    elif how == "stopped":
        task.cancel()
    await asyncio.sleep(0.1)

asyncio.run(main({how!r}))
"""


@pytest.mark.parametrize(("how", "code"), [("cut off", 75), ("fails", 70), ("stopped", 0), ("still runs", 0)])
def test_only_what_was_stopped_here_may_end(how: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{how!r}", repr(how))], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert ("was cut off with its connection" in done.stderr) is (how == "cut off")
