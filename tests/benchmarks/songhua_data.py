"""The Songhua spill of 2005 as it was known day by day: fronts with the day they were published, bounds, and what officials expected.

Fronts and bounds come from the shared observations; the day of publication is that of the bulletin or paper they are cited from. Forecasts
of the time are typed from the same papers (each with its source).
"""

from __future__ import annotations

import csv
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from tests.region.shared import shared_file

CST = timezone(timedelta(hours=8))
LENGTH_KM = 711.6
"""Sujiatun, where the river line begins, lies 711.6 km above Tongjiang, where it ends."""
HOUR = 3_600_000


class Front(NamedTuple):
    """First detection at a section, `km` below Sujiatun, and when it was known to everybody."""

    section: str
    km: float
    at: int
    known_at: int


class Bound(NamedTuple):
    """The front came to a section after `after` (not detected then) and before `before` (already high); None where nothing was published."""

    section: str
    km: float
    after: int | None
    before: int | None


class Official(NamedTuple):
    """What was expected at the time: said on a day, for a place, a window of days (the same day twice for one), and the source."""

    said: str
    place: str
    first: str
    last: str
    source: str


def ms(text: str) -> int:
    """An instant in China Standard Time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CST).timestamp() * 1000)


def words(at: int) -> str:
    """An instant in words of the time."""
    return datetime.fromtimestamp(at / 1000, CST).strftime("%d %b %H:%M")


# Section in the shared file, event, and the day of the source it is cited from.
_FRONTS = (
    ("Harbin", "front", "2005-11-25"),
    ("Mulan", "front", "2005-11-29"),
    ("Tonghe", "front", "2005-12-01"),
    ("Dalai", "front", "2005-12-06"),
    ("Jiamusi", "front", "2005-12-08"),
)

BOUNDS_MORE = {"Dalianhe": (None, "2005-12-03T16:00"), "Tongjiang": (None, "2005-12-18T06:00")}
"""Dalianhe: 0.0717 mg/l by then, Xinhua 4 December (china.org.cn 2005/Dec/150789)."""

OFFICIAL = (
    Official("2005-11-24", "Tongjiang", "2005-12-09", "2005-12-09", "hydrology bureau (zjol)"),
    Official("2005-12-01", "Dalianhe", "2005-12-01T23:00", "2005-12-02T09:00", "Xinhua, english.china.org.cn/environment/150572"),
    Official("2005-12-02", "Dalianhe", "2005-12-04T02:00", "2005-12-04T02:00", "provincial bureau, english.china.org.cn 2005/Dec/150701"),
    Official("2005-12-02", "Jiamusi", "2005-12-06", "2005-12-06", "provincial bureau, english.china.org.cn 2005/Dec/150701"),
    Official("2005-12-05", "Jiamusi", "2005-12-06", "2005-12-06", "Xinhua, china.org.cn/english/environment/150871"),
    Official("2005-12-15", "Tongjiang", "2005-12-15", "2005-12-15", "heilongjiang.dbw.cn"),
    Official("2005-11-24", "Khabarovsk", "2005-11-27", "2005-11-28", "Russian officials"),
    Official("2005-11-24", "Khabarovsk", "2005-12-01", "2005-12-01", "regional government, rferl.org/a/1063234"),
    Official("2005-11-30", "Khabarovsk", "2005-12-08", "2005-12-08", "Russian officials, 'no earlier than' (day of saying not known)"),
    Official("2005-12-01", "Khabarovsk", "2005-12-13", "2005-12-17", "regional experts, cbsnews.com russia-braces-for-china-spill"),
    Official("2005-12-08", "Khabarovsk", "2005-12-25", "2005-12-25", "hydrometeorological station, terradaily 051208110740"),
    Official("2005-12-13", "Khabarovsk", "2005-12-21", "2005-12-21", "hydrometeorological service, irishexaminer arid-30234773"),
    Official("2005-12-20", "Khabarovsk", "2005-12-20", "2005-12-21", "RIA, 'in about six hours'"),
)

ACTUAL = {
    "Tongjiang": "about 15-16 Dec (not measured)",
    "Khabarovsk": "22 Dec (a forecast of the day before)",
    "Dalianhe": "30 Nov 22:00 to 3 Dec 16:00",
}

ICE_FROM = "2005-11-24"
"""The river was icy when the slick came to Harbin (AFP 24 November, terradaily 051124141758), frozen over in parts on 1 December (Xinhua)."""


def observations() -> list[dict[str, str]]:
    with shared_file("events/songhua_2005_observations.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def fronts() -> list[Front]:
    """The five observed fronts, Harbin's first."""
    rows, found = observations(), []
    for section, event, day in _FRONTS:
        (row,) = [one for one in rows if one["section"].startswith(section) and one["event"].startswith(event)]
        km = LENGTH_KM - float(row["km_above_tongjiang"])
        found.append(Front(section, round(km, 3), ms(row["local_time_cst"]), ms(day) + 24 * HOUR))
    return found


def bounds() -> list[Bound]:
    """What is known of fronts that nobody saw come in."""
    rows, found = observations(), []
    for section, late in (("Dalianhe", ""), ("Huachuan", "tail"), ("Tongjiang", "")):
        of = [one for one in rows if one["section"].startswith(section)]
        after = [ms(one["local_time_cst"]) for one in of if one["event"].startswith(("not detected", "still not"))]
        before = [ms(one["local_time_cst"]) for one in of if late and one["event"].startswith(late)]
        before += [ms(text) for text in BOUNDS_MORE.get(section, ()) if text]
        km = LENGTH_KM - float(of[0]["km_above_tongjiang"])
        found.append(Bound(section, round(km, 3), max(after, default=None), min(before, default=None)))
    return found
