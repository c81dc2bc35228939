"""A task that should run for the life of its process may not be gone in silence, whatever ended it."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from stream.runtime.ending import end_if_failed, or_end

async def waits(answer):
    await answer

async def fails():
    raise ValueError("a bug")

async def main(how, awaited):
    answer = asyncio.get_running_loop().create_future()
    work = fails() if how == "fails" else waits(answer)
    task = asyncio.create_task(or_end(work) if awaited else work)
    if not awaited:
        task.add_done_callback(end_if_failed)
    await asyncio.sleep(0)
    if how == "cut off":  # as aiokafka does it with what waits on a connection that it closes
        answer.cancel()
    elif how == "stopped":
        task.cancel()
    await asyncio.sleep(0.1)

asyncio.run(main({how!r}, {awaited}))
"""


@pytest.mark.parametrize(("how", "code"), [("cut off", 75), ("fails", 70), ("stopped", 0), ("still runs", 0)])
@pytest.mark.parametrize("awaited", [False, True])
def test_only_what_was_stopped_here_may_end(how: str, code: int, *, awaited: bool) -> None:
    program = PROGRAM.replace("{how!r}", repr(how)).replace("{awaited}", repr(awaited))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert ("was cut off with its connection" in done.stderr) is (how == "cut off")
