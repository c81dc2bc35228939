"""How alert a domain is, as it stands on `postures`: normal, watch, emergency or recovery, why and since when."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from stream.records.lanes import Lane


class Posture(StrEnum):
    """How alert a domain is. It is raised at once, and lowered only after its cause has been away for a while."""

    NORMAL = "normal"
    WATCH = "watch"
    EMERGENCY = "emergency"
    RECOVERY = "recovery"


class Because(StrEnum):
    """Why a domain took its posture."""

    WARNED = "warned"
    """A warning of the level of watch stands."""
    CITIES_IN_WATCH = "cities_in_watch"
    CONFIRMED_DANGER = "confirmed_danger"
    """A confirmed warning of the level of an emergency stands."""
    WARNINGS_ENDED = "warnings_ended"
    """The last warning of an emergency has ended."""
    LESS_DANGER = "less_danger"
    """What stands is below an emergency, for long enough."""
    QUIET = "quiet"
    """Nothing has stood for long enough."""
    EXERCISE_OVER = "exercise_over"


class Sampling(msgspec.Struct, frozen=True):
    """How often a quantity should be measured while the posture lasts: a hint to whoever sets the stations."""

    quantity: str
    every_s: float


class DomainPosture(msgspec.Struct, frozen=True, kw_only=True):
    """A domain's posture since `since_at`. `incidents`: the open ones that stand behind it. `sampling`: where it differs from the usual interval."""

    domain: str
    lane: Lane
    posture: Posture
    previous: Posture
    reason: Because
    since_at: str
    as_of_at: str
    incidents: tuple[str, ...]
    sampling: tuple[Sampling, ...]
    region: str
    region_hash: str
