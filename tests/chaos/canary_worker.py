"""The product's worker, which does not read the partitions that stand in the file TOCSIN_UNREAD (`topic/partition`, one a line) for as long as they do."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.runtime.transport import BatchConsumer
from stream.runtime.worker import run_worker
from stream.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNREAD = Path(os.environ.get("TOCSIN_UNREAD", "unread"))
_messages = BatchConsumer._messages


def _some(self: BatchConsumer, records: Mapping[Any, Sequence[Any]]) -> Any:
    unread = set(UNREAD.read_text("ascii").split()) if UNREAD.exists() else set()
    return _messages(self, {tp: found for tp, found in records.items() if f"{tp.topic}/{tp.partition}" not in unread})


if __name__ == "__main__":
    BatchConsumer._messages = _some  # type: ignore[method-assign]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    sys.exit(run_worker(load()))
