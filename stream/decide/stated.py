"""What is remembered of what people stated by hand, and where a source stands that is no series of the domain. See `stream.records.statement`."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

REPORT: Final = "report"
LINKED: Final = "linked"
ALSO_IN: Final = "also_in"
FORECAST: Final = "forecast"
SCAN: Final = "scan"
RETIRED: Final = "retired"
"""A series that the domain has no more (`leaving.py`)."""
REPORTED: Final = "reported"
"""Why a report is a source."""
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
    kind: Literal["report", "linked", "also_in", "forecast", "scan", "retired"]
    reaches: tuple[Reaching, ...] = ()
    domain_id: str = ""
    unit: str = ""
    confirmed: bool = True


class HandReport(msgspec.Struct):
    """What a city's officer reported, as it stands: `level` as stated, `confirmed_by` whom else. One of level none is no source.

    `ends_at`: when it is over, as its reporter said. Where he did not, it is as if its station were silent after `stands_until` (`lapsed`),
    and forgotten at `gone_at`. `about_city`: of which city it speaks.
    """

    statement_id: str
    city_id: str
    hazard: str
    by: str
    level: int
    starts_at: int
    received_at: int
    ends_at: int | None
    text: str
    about_city: str
    stands_until: int = 0
    gone_at: int = 0
    lapsed: bool = False
    confirmed_by: tuple[str, ...] = ()


class Maintenance(msgspec.Struct, array_like=True):
    """The planned maintenance of a station. `under_way`: it has begun."""

    city_id: str
    by: str
    starts_at: int
    ends_at: int
    text: str
    under_way: bool = False


class Doubt(msgspec.Struct, array_like=True):
    """A contradiction of a report that stands, and since when."""

    kind: str
    statement_id: str
    city_id: str
    hazard: str
    since_at: int
    by: str
    level: int


class ByHand(msgspec.Struct):
    """What people stated about a domain, as long as it matters: reports, and maintenance by station.

    `doubts`: the contradictions between reports and what is measured. `heard`: the ids of the last statements. `early`: reports that somebody
    confirmed before they came, and who: topics of different cities are read in no order.
    """

    reports: dict[str, HandReport] = msgspec.field(default_factory=dict)
    maintained: dict[str, Maintenance] = msgspec.field(default_factory=dict)
    doubts: dict[str, Doubt] = msgspec.field(default_factory=dict)
    heard: list[str] = msgspec.field(default_factory=list)
    early: list[tuple[str, str]] = msgspec.field(default_factory=list)
