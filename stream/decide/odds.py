"""Two cities of an incident that contradict each other, as the fold remembers it. See `stream.decide.consistency`."""

from __future__ import annotations

import msgspec


class Odd(msgspec.Struct, array_like=True):
    """One pair, by their ids, with what each is told, why that is odd, and since when (ms)."""

    city_id: str
    level: int
    other_city_id: str
    other_level: int
    why: str
    since_at: int
