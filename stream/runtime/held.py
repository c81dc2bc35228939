"""A partition of the journal in the hands of this process, for one generation of the group."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.decide.census import Census

if TYPE_CHECKING:
    from stream.runtime.edge import Edge
    from stream.runtime.fold_versions import Turn


@dataclass(slots=True)
class Held:
    """All that is known of it. `turn`: whose it is to speak. `next_offset`: the first record that is not in `state`; `saved_offset`: that of the last checkpoint, -1 = none."""

    partition: int
    generation: int
    state: Any
    next_offset: int
    edge: Edge
    turn: Turn
    saved_offset: int = -1
    saved_at: float = field(default_factory=time.monotonic)
    size: int = 0
    other_lane: int = 0
    time_suspect: bool = False
    at: int = 0
    census: Census = field(default_factory=Census)
    sought_at: float = 0.0
    over: bool = False
    """Another fold version decides from next_offset on."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while records are applied and handed to the edge: a checkpoint in between would hold outputs that were never sent."""
