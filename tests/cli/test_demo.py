"""The demo as a real process with its real children: what it says, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
FIRST_WARNING_S = 30.0
PATIENCE_S = 90.0


# A shell starts background jobs with Ctrl-C ignored, and children inherit that: a person's terminal does not.
PROGRAM = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from stream.cli.main import main; main()"


def start(rill: Path, temporary: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, "demo", "--region", str(rill), *more]
    environment = {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def processes_of(temporary: Path) -> list[str]:
    """Command lines of all processes whose environment names the folder: the demo's children inherit it."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and f"TMPDIR={temporary}".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def assert_nothing_is_left(temporary: Path) -> None:
    until = time.monotonic() + 10
    while (left := processes_of(temporary)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []
    assert list(temporary.iterdir()) == []


def wait_for(lines: list[str], process: subprocess.Popen[str], words: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not any(words in line for line in lines):
        assert process.poll() is None, "\n".join(lines)
        assert time.monotonic() < until, "\n".join(lines)
        time.sleep(0.05)


def test_the_demo_warns_within_half_a_minute_and_leaves_nothing_behind(rill: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir()
    process = start(rill, temporary, "--json", "--speed", "40000")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    warnings = [event["warning"] for event in events if event["event"] == "warning"]
    summary = events[-1]
    assert summary["event"] == "summary"
    assert summary["warnings"] == len(warnings)
    assert summary["first_warning_s"] < FIRST_WARNING_S
    print(f"first warning {summary['first_warning_s']} s after the start")
    assert {warning["city_id"] for warning in warnings} == {"ava", "bor", "cam"}
    assert {warning["lane"] for warning in warnings} == {"test"}
    bor = next(one for one in summary["regions"]["rill"] if one["city_id"] == "bor")
    assert (bor["arrived_at"], bor["arrived_by"]) == ("2026-03-01T13:30:00Z", "synthetic")
    cam = next(one for one in summary["regions"]["rill"] if one["city_id"] == "cam")
    assert cam["arrived_by"] == "own station"
    assert cam["inside"] is True
    assert bor["lead_time_h"] > 5
    assert "not for production" in err
    assert "worker |" in err
    assert_nothing_is_left(temporary)


@pytest.mark.parametrize("moment", ["broker: Apache Kafka", "worker is ready", "BLUE"])
def test_ctrl_c_leaves_nothing_behind_whenever_it_comes(rill: Path, tmp_path: Path, moment: str) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir()
    process = start(rill, temporary)
    lines: list[str] = []
    readers = [threading.Thread(target=lambda pipe=pipe: lines.extend(pipe)) for pipe in (process.stdout, process.stderr)]
    for reader in readers:
        reader.start()
    wait_for(lines, process, moment)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == 130, "\n".join(lines)
    for reader in readers:
        reader.join()
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    assert not [line for line in lines if "Traceback" in line], "\n".join(lines)
    assert_nothing_is_left(temporary)


def test_a_worker_that_dies_ends_the_demo_with_its_last_words(rill: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "t"
    temporary.mkdir()
    process = start(rill, temporary)
    lines: list[str] = []
    errors: list[str] = []
    readers = [
        threading.Thread(target=lambda: lines.extend(process.stdout or ())),
        threading.Thread(target=lambda: errors.extend(process.stderr or ())),
    ]
    for reader in readers:
        reader.start()
    wait_for(lines, process, "worker is ready")
    (worker,) = [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal() and f"stream.cli.main\0worker\0--settings\0{temporary}".encode() in _command_line(folder)
    ]
    os.kill(worker, signal.SIGKILL)
    assert process.wait(PATIENCE_S) == 1
    for reader in readers:
        reader.join()
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()
    said = "".join(errors)
    assert "worker ended unexpectedly (exit code -9)" in said
    assert "ready generation=1" in said
    assert_nothing_is_left(temporary)


def _command_line(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except OSError:
        return b""


def test_a_region_without_history_is_refused_before_anything_starts(rill: Path, tmp_path: Path) -> None:
    (rill / "history.csv").unlink()
    process = start(rill, tmp_path)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no history.csv" in err
