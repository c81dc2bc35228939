"""Instants: integer milliseconds since 1970-01-01 UTC inside, RFC 3339 text on every topic.

Integers are exact, sort and subtract without surprises, and are the same on every machine.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Kafka refuses times before 1970; after 2200 a number is a mistake of scale (milliseconds for seconds), not a time.
EARLIEST_AT = 0
LATEST_AT = 7_258_118_400 * SECOND


@lru_cache(maxsize=1024)
def to_text(at: int) -> str:
    """RFC 3339 in UTC; milliseconds only where there are any. The few instants of one decision stand in many records, so they are kept.

    >>> to_text(1_131_860_700_000), to_text(1)
    ('2005-11-13T05:45:00Z', '1970-01-01T00:00:00.001Z')
    """
    moment = EPOCH + timedelta(milliseconds=at)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year >= 1000 else moment.isoformat()[:19]  # noqa: PLR2004
    return f"{text}.{at % SECOND:03d}Z" if at % SECOND else f"{text}Z"


def from_datetime(moment: datetime) -> int:
    """Milliseconds of an aware datetime.

    >>> from_datetime(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000
    """
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_text(text: str) -> int:
    """Milliseconds of an RFC 3339 text with an offset; ValueError without one.

    >>> from_text("2005-11-13T13:45:00+08:00")
    1131860700000
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        msg = f"{text!r} has no offset from UTC; write it as 2005-11-13T13:45:00+08:00"
        raise ValueError(msg)
    return from_datetime(moment)
