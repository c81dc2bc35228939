"""What a hazard of a domain has passed on to other domains, and what it was passed: plain structs of the fold's state."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from stream.records.instants import DAY
from stream.records.journal import Linked

CASCADE: Final = "cascade"
SAME_EVENT: Final = "same_event"
OPEN: Final = "open"
ENDED: Final = "ended"
WITHDRAWN: Final = "withdrawn"
"""The cause was wrong, so what followed from it was, too."""
ALSO_IN_RULE: Final = "also_in"
HOPS_MOST = 3
"""So many domains a consequence may pass through: each is a forecast of a forecast."""
LEAD_MS = 2_000
"""On live lanes a link takes effect so long after it was decided: it is in the other journal by then, so that order is the same everywhere."""
REMEMBERED_MS = 60 * DAY
"""So long after its end a link is remembered, so that a repetition of it changes nothing and revisions never go back."""


class Refusal(StrEnum):
    """Why a link was not taken: counted under this name."""

    LOOP = "loop"
    """It comes from a danger of this very hazard and domain."""
    TOO_FAR = "too_far"
    NO_SUCH_HAZARD = "no_such_hazard"
    OVER = "over"
    """It had ended before it came."""
    REPEATED = "repeated"
    """This revision, or a newer one, is known."""


class Sent(msgspec.Struct):
    """What was passed on last under a link's id. `until`: by city, up to when the effect is expected there."""

    last: Linked
    until: dict[str, int] = msgspec.field(default_factory=dict)


class Taken(msgspec.Struct):
    """The newest revision of a link that was taken. `applied`: it has taken effect; `over`: and has ended."""

    link: Linked
    applied: bool = False
    over: bool = False


class Links(msgspec.Struct):
    """The links of one hazard in one domain, by their ids."""

    sent: dict[str, Sent] = msgspec.field(default_factory=dict)
    taken: dict[str, Taken] = msgspec.field(default_factory=dict)


def forget(links: Links, at: int) -> None:
    """Forget, in place, what ended long ago."""
    for link_id in [one for one, sent in links.sent.items() if _ended_at(sent.last) + REMEMBERED_MS < at]:
        del links.sent[link_id]
    for link_id in [one for one, taken in links.taken.items() if taken.over and _ended_at(taken.link) + REMEMBERED_MS < at]:
        del links.taken[link_id]


def _ended_at(link: Linked) -> int:
    return link.sent_at if link.ends_at is None else max(link.sent_at, link.ends_at)
