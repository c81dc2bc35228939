"""`tocsin` with a wall clock that is ahead by so many seconds (TOCSIN_TESTS_AHEAD_S) from its start on.

Under libfaketime a client in C that starts with a clock that is ahead waits for its first answer until the true time has come there.
"""

from __future__ import annotations

import os
import time

AHEAD_S = int(os.environ["TOCSIN_TESTS_AHEAD_S"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + AHEAD_S
time.time_ns = lambda: _time_ns() + AHEAD_S * 1_000_000_000

from stream.cli.main import main  # noqa: E402  after the clock is set

if __name__ == "__main__":
    main()
