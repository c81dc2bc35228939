"""Python's garbage collector, told what lives long: else it walks through the whole region again and again while records pour in.

Every record that is read is an object the collector counts; with its usual thresholds (700 new objects) it looks at all objects of the process
many times a second. In a worker with 10,000 series that was 30 to 45 % of all CPU time (tests/benchmarks/speed.py).
"""

from __future__ import annotations

import gc

NEW_OBJECTS = 50_000
"""About what ten batches from the doors bring. What is freed by reference counting, nearly everything, never waits for the collector."""
YOUNG_ROUNDS, MIDDLE_ROUNDS = 20, 100


def settle() -> None:
    """Collect once, and leave everything that is there now out of later rounds. Called when a worker's states have been restored.

    >>> settle(); gc.get_threshold(), gc.get_freeze_count() > 0
    ((50000, 20, 100), True)
    >>> gc.unfreeze(); gc.set_threshold(700, 10, 10)
    """
    gc.unfreeze()  # what an earlier assignment left behind may go
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)
