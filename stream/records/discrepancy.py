"""What a city says and what others see do not agree: shown to everybody, held against nobody."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from stream.records.lanes import Lane
from stream.records.warning import Texts


class DiscrepancyKind(StrEnum):
    """What does not agree."""

    CONTRADICTS_SENSORS = "contradicts_sensors"
    """The city reports less, or much more, than its own stations show."""
    CONTRADICTS_NEIGHBOURS = "contradicts_neighbours"
    """The city reports less than what its neighbours measured and what should be there by now."""
    LATE = "late"
    """It was reported later than the hazard's data may come."""
    WITHDRAWN = "withdrawn"
    """The city took its report back."""
    DISPUTED = "disputed"
    """The city says that an incident is wrong which is not its own to take back."""


class Discrepancy(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. `state`: open, settled (it agrees again, or the report is over), or noted (it just happened).

    `stated_level` by the city's officer `by` in `statement_id`; `found_level` is what `series` (up to 10) show, "" where nothing is compared.
    """

    discrepancy_id: str
    kind: DiscrepancyKind
    state: str
    domain: str
    hazard: str
    city_id: str
    statement_id: str
    by: str
    stated_level: str
    found_level: str
    series: tuple[str, ...]
    since_at: str
    as_of_at: str
    note: str
    lane: Lane
    text: Texts
    region: str
    region_hash: str
