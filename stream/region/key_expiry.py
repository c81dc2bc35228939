"""Until when each principal can show who it is: keys that end unseen silence a gateway on a day that nobody chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.records.instants import DAY, LATEST_AT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.region.principals import Principal

WARN_DAYS = (30, 7, 1)
"""So many days before the end it is told, each time louder: what the operators of IPAWS learnt from certificates that ended."""


class Ending(NamedTuple):
    """The last instant (ms) up to which a principal has a valid key without a gap; at or before `now` where it has none."""

    principal_id: str
    key_id: str
    ends_at: int

    def days_left(self, now: int) -> float:
        """Days from `now` (ms) on; 0 where it has ended.

        >>> Ending("p", "k", 86_400_000).days_left(43_200_000), Ending("p", "k", 0).days_left(1)
        (0.5, 0.0)
        """
        return max(0.0, (self.ends_at - now) / DAY)


def endings(principals: Iterable[Principal], now: int) -> list[Ending]:
    """Of everybody whose keys end, the soonest first. `now` (ms). Who is revoked, and who needs no key, is not in it."""
    found = [_ending(one, now) for one in principals if one.keys and not one.revoked]
    return sorted((one for one in found if one.ends_at < LATEST_AT), key=lambda one: (one.ends_at, one.principal_id))


def _ending(principal: Principal, now: int) -> Ending:
    """A key that begins only after the others have ended closes no gap."""
    ends_at, last = now, ""
    for key in sorted(principal.keys, key=lambda one: one.not_before):
        if not key.revoked and key.not_before <= ends_at < key.not_after:
            ends_at, last = key.not_after, key.key_id
    return Ending(principal.principal_id, last, ends_at)
