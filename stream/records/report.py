"""What a person reports about a river, as it comes through the water door: a gate closed, a levee broken, an ice cover.

It is told from a measurement by its field `report`. An instant is RFC 3339 text with an offset, or seconds since 1970.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from stream.records.lanes import Lane
from stream.records.measurement import Name

Act = Literal["delay", "blocked", "breach", "ice"]


class InterventionReport(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag="intervention", tag_field="report"):
    """Something done, or happened, at one place of a river, that changes when and how strongly a danger arrives below.

    `act`: delay (the water is held back: what has not passed comes `hours` later with `factor` of its strength), blocked (nothing passes
    until it ends), breach (the water leaves the river: what lies below gets `factor` of it), ice (an ice cover on this reach). `reach`
    and `km` (from its upstream end) as in the region's `reaches.csv`. `ends_at` null: until further notice. A later report with the same
    act, reach, km and starts_at replaces the earlier one. `by` names who says so; `reported_at` counts on replays only.
    """

    domain: Name
    act: Act
    reach: Name
    km: Annotated[float, msgspec.Meta(ge=0, le=20_000)]
    starts_at: datetime | float
    by: Name
    ends_at: datetime | float | None = None
    hours: Annotated[float, msgspec.Meta(ge=0, le=8_760)] = 0.0
    factor: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    note: Annotated[str, msgspec.Meta(max_length=400)] = ""
    reported_at: datetime | float | None = None
    id: Name | None = None
    lane: Lane | None = None
