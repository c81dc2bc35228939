"""The product's worker with the fold version that is installed: what the file named by FOLD_VERSION_FILE says, as it stands at the start.

`5-next` is the fold with another decision in it: it takes every stage for a quarter of a metre higher.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from stream.decide.fold import Fold
from stream.runtime.worker import Making, product, run_worker
from stream.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.records.journal import Measurements
    from stream.settings import Settings

NEXT = "5-next"
FILE, SHADOW = "FOLD_VERSION_FILE", "FOLD_SHADOW"


class NextFold(Fold):
    """The next version, which cannot go on from another one's state."""

    VERSION = NEXT
    MIGRATES = frozenset[str]()
    higher_m = 0.25

    def _measurements(self, state: Any, pending: Any, timestamp: int, record: tuple[bytes, Measurements]) -> Any:
        value, message = record
        higher = (np.frombuffer(message.value, "<f8") + self.higher_m).tobytes()
        return super()._measurements(state, pending, timestamp, (value, msgspec.structs.replace(message, value=higher)))


class HeirFold(NextFold):
    """The same decisions, and it can go on from the state of this version."""

    VERSION = "5-heir"
    MIGRATES = frozenset({Fold.VERSION})


FOLDS: dict[str, type[Fold]] = {one.VERSION: one for one in (Fold, NextFold, HeirFold)}


def making(version: str) -> Making:
    def fold(regions: Callable[[str], Any], settings: Settings) -> Fold:
        return FOLDS[version](regions, lane=settings.lane, clock=settings.clock, partitions=settings.journal_width)

    return product()._replace(fold=fold)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    installed = Path(os.environ[FILE]).read_text("utf-8")
    sys.exit(run_worker(load(), making(installed), shadow=SHADOW in os.environ))
