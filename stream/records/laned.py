"""What every journal message has in common."""

from __future__ import annotations

import msgspec


class Laned(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What every message says last: the lane it was written on (see `stream.records.lanes`), "" = nothing."""

    lane: str = ""
