"""The product's worker as MemoryDenyWriteExecute=yes of its unit leaves it: no page of its memory may become executable."""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1

if __name__ == "__main__":
    if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        sys.exit("this kernel cannot refuse it")
    os.execv(sys.executable, [sys.executable, "-m", "tests.chaos.product_worker"])  # noqa: S606
