"""What a gateway sends to a door: one measurement or case count, or an array of them.

`observed_at` is RFC 3339 text (without an offset it is taken as local time of the station) or seconds since 1970 as a number.
What is of an exercise says so in `lane`, else it is refused there (`stream.records.lanes`). Unknown fields are ignored for instruments and refused for case counts, where an extra field could be about a person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from stream.records.lanes import Lane

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One value of one quantity at one station and instant (doors `measurements.water` and `measurements.air`)."""

    observed_at: datetime | float
    value: float
    series: Name | None = None
    station: Name | None = None
    quantity: Name | None = None
    unit: Name | None = None
    quality: Name | None = None
    id: Name | None = None
    lane: Lane | None = None


class CaseCount(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Cases counted in one area and period (door `measurements.health`). The count's instant is the period's end.

    There is no field for a person, an address or free text, and none is let through.
    """

    period_start_at: datetime | float
    period_end_at: datetime | float
    value: Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
    series: Name | None = None
    area: Name | None = None
    quantity: Name | None = None
    unit: Name | None = None
    id: Name | None = None
    lane: Lane | None = None
