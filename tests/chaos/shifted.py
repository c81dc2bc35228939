"""`tocsin` with a wall clock that is ahead by so many seconds (TOCSIN_TESTS_AHEAD_S) from its start on.

Under libfaketime a client in C that starts with a clock that is ahead waits for its first answer until the true time has come there.
"""

from __future__ import annotations

import os
import time

if __name__ == "__main__":
    ahead_s = int(os.environ["TOCSIN_TESTS_AHEAD_S"])
    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + ahead_s
    time.time_ns = lambda: true_time_ns() + ahead_s * 1_000_000_000

    from stream.cli.main import main  # after the clock is set

    main()
