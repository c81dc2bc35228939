"""What a person of a city states by hand, as it comes over the city's own topic `acknowledgements.<city_id>`: a spill seen, a warning that was wrong.

Who states it is the city whose topic it is, and when is the time the broker appended it: neither is ever read from the message.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from stream.records.instants import DAY
from stream.records.lanes import Lane
from stream.records.measurement import Name

Act = Literal["report", "confirm", "withdraw", "cancel", "correct", "maintain", "end_maintain", "silence", "unsilence"]
Level = Literal["none", "blue", "yellow", "orange", "red"]
Matched = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


SILENCE_MOST_MS = 7 * DAY
"""A silence ends so long after its beginning at the latest."""
SILENCE_MATCHERS = frozenset({"hazard", "level"})
"""What a silence may match by: the danger, and the highest level that it mutes."""


class Statement(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True, tag="statement", tag_field="type"):
    """What an officer (`by`) states, in a domain. `id` is the sender's: sent twice, it counts once.

    report: something was seen (`hazard`, `level`, where: `reach` and `km`, or `latitude` and `longitude`, or in `city`; else in the city
    itself; `value` in `unit` where it was measured; level "none": there is nothing). `confirmed`: somebody went and looked. Red needs a second person.
    confirm | withdraw: of the report `about`. cancel: the warning, incident or report `about` was wrong. correct: what is said of it is
    (`text`, or another `level`, place or `ends_at` of a report).
    maintain | end_maintain: of the station `about`. silence | unsilence: do not send this city what is at most `level` (of `hazard`, and
    of the incident or warning `about`, where they are given; `matchers` may say hazard and level instead).
    `starts_at` (null: now) and `ends_at` (null: until further notice) are RFC 3339 with an offset, or seconds since 1970.
    """

    act: Act
    domain: Name
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    id: Name
    hazard: Annotated[str, msgspec.Meta(max_length=100)] = ""
    about: Annotated[str, msgspec.Meta(max_length=200)] = ""
    level: Level | None = None
    confirmed: bool = False
    city: Annotated[str, msgspec.Meta(max_length=64)] = ""
    reach: Annotated[str, msgspec.Meta(max_length=100)] = ""
    km: Annotated[float, msgspec.Meta(ge=0, le=20_000)] | None = None
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    value: float | None = None
    unit: Annotated[str, msgspec.Meta(max_length=40)] = ""
    matchers: Annotated[dict[Matched, Matched], msgspec.Meta(max_length=10)] = msgspec.field(default_factory=dict)
    starts_at: datetime | float | None = None
    ends_at: datetime | float | None = None
    text: Annotated[str, msgspec.Meta(max_length=400)] = ""
    lane: Lane | None = None


PREFIX = "stm-"
"""What the id of a statement begins with."""


def statement_id(city_id: str, sent_id: str) -> str:
    """The id under which a statement is known: of the city whose it is, and of what its sender calls it.

    >>> statement_id("linhe", "1") != statement_id("linhe", "2"), statement_id("linhe", "1")[:4]
    (True, 'stm-')
    """
    return PREFIX + sha256(f"{city_id}\x1f{sent_id}".encode()).hexdigest()[:16]
