"""A process that hangs ends, whether its event loop does or what runs beside it; one that was only suspended as a whole does not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from stream.runtime.ending import ExitCode
from stream.runtime.topics import Topics
from tests.runtime.lane import ROOT, Worker, door_producer, set_up, toy_settings
from tests.runtime.toy import HANG, HANG_SERIES

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

LIMIT_S = 2.0
PROCESS = f"""
import asyncio, sys, time
from stream.runtime.watchdog import Watchdog

async def run():
    dog = Watchdog({LIMIT_S})
    dog.start()
    beating = asyncio.create_task(dog.run())
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    if sys.argv[1] == "loop":
        time.sleep(60)
    if sys.argv[1] == "beside":
        with dog.beside("the work"):
            await asyncio.to_thread(time.sleep, 60)
    if sys.argv[1] == "log":  # what hangs is the log's reader
        print("x" * 10_000_000, flush=True)
    await asyncio.sleep(2 * {LIMIT_S})
    print("well", flush=True)

asyncio.run(run())
"""


def begin(how: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, how], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(("how", "said"), [("loop", "the event loop has not turned for"), ("beside", "the work has not come back for")])
def test_what_hangs_is_ended_and_says_so(how, said):
    process = begin(how)
    output, _ = process.communicate(timeout=10 * LIMIT_S)
    assert process.returncode == ExitCode.RESTART
    assert said in output.decode()


def test_a_process_ends_even_if_nobody_reads_its_last_line():
    process = begin("log")
    try:
        assert process.wait(timeout=20 * LIMIT_S) == ExitCode.RESTART
    finally:
        process.stdout.close()


def test_a_process_that_was_suspended_as_a_whole_has_not_hung():
    process = begin("suspended")
    process.send_signal(signal.SIGSTOP)
    time.sleep(2 * LIMIT_S)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=20 * LIMIT_S)
    assert (process.returncode, output) == (0, b"well\n")


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize(
    ("record", "said"),
    [(HANG, "the event loop has not turned for"), (f"{HANG_SERIES}:1".encode(), "the fold of journal partition")],
    ids=["loop", "fold"],
)
def test_a_worker_whose_loop_or_fold_hangs_is_ended(broker: Broker, fresh_prefix: str, tmp_path: Path, record: bytes, said: str) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, watchdog_s=4.0)
    set_up(settings)
    worker = Worker(settings, tmp_path / "w1.log")
    try:
        worker.wait_ready()
        producer = door_producer(settings)
        producer.produce(Topics(fresh_prefix).doors[0], record, partition=1)
        assert producer.flush(10) == 0
        assert worker.process.wait(30) == ExitCode.RESTART
        assert said in worker.tail() or "no progress for" in worker.tail()
    finally:
        worker.kill()
