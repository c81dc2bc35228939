"""What is remembered of what people stated by hand, and where a source stands that is no series of the domain. See `stream.records.statement`."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

REPORT: Final = "report"
LINKED: Final = "linked"
ALSO_IN: Final = "also_in"
FORECAST: Final = "forecast"
SCAN: Final = "scan"
Reaching = tuple[str, int, int, int, float, int]
"""(city_id, p10_at, p50_at, p90_at, probability, level)."""


class Placed(msgspec.Struct, array_like=True):
    """Where a source stands that is no series of the domain: a report, what another domain passed on, a conclusion (a forecast, a scan).

    `reach` "" and None: not known. `counts_as`: the witness it is. `weight`: a factor of its log-odds. `reaches`: if any, these are the
    cities it claims, and no footprint is asked. `domain_id`: where it counts. `confirmed`: a report that another person, or somebody who went there, stands behind.
    """

    city_id: str
    latitude: float | None
    longitude: float | None
    reach: str
    reach_km: float | None
    counts_as: str
    weight: float
    kind: Literal["report", "linked", "also_in", "forecast", "scan"]
    reaches: tuple[Reaching, ...] = ()
    domain_id: str = ""
    unit: str = ""
    confirmed: bool = True
