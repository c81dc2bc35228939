"""The record of an incident: the hazard event as a whole, with all its cities, as JSON on a topic.

Instants are RFC 3339 UTC texts. The field order is the order on the wire; a golden file guards it.
"""

from __future__ import annotations

import msgspec

from stream.records.acknowledgement import Answered, Escalated
from stream.records.posture import Posture
from stream.records.warning import AlsoWarned, EvidenceSummary, Lane, Reason


class WeighedEvidence(msgspec.Struct, frozen=True):
    """What one series adds to the log-odds of an incident. `counts_as`: the station it is one witness with; `reason`: why it counts so much.

    The probability's log-odds are those of the hazard's prior and the sum of these.
    """

    series: str
    log_odds: float
    weight: float
    counts_as: str
    reason: str


class Muted(msgspec.Struct, frozen=True):
    """What a city is spared, and why. `muted_by`: `silence:<statement>` (of `by`, until `until_at`) or `inhibition:<rule>` (as long as its source stands)."""

    city_id: str
    muted_by: str
    until_at: str | None = None
    by: str = ""
    why: str = ""


class Inconsistent(msgspec.Struct, frozen=True):
    """Two cities that are told different colours, and nothing explains it. `why`: same_water, upper_is_lower or neighbours."""

    city_id: str
    level: str
    other_city_id: str
    other_level: str
    why: str
    since_at: str


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """The hazard event as a whole: one id, many cities.

    `state`: open, closed or merged; it then goes on as `merged_into`. `split_from`: the incident of which it was a part.
    `linked_to`: incidents of other domains of which it is a consequence (path `linked`), or which stations of both see.
    `probability` that it is real, as its evidence last said; `confirmed`: as many independent stations agree as the hazard asks for.
    `posture`: of its domain, as it was when this was judged.
    """

    incident_id: str
    revision: int
    hazard: str
    domain: str
    lane: Lane
    state: str
    level: str
    opened_at: str
    as_of_at: str
    closed_at: str | None
    reason: Reason
    sources: tuple[EvidenceSummary, ...]
    probability: float
    confirmed: bool
    evidence: tuple[WeighedEvidence, ...]
    cities: tuple[AlsoWarned, ...]
    coordinator: str = ""
    handed_over_to: str = ""
    handed_over_at: str | None = None
    answers: tuple[Answered, ...] = ()
    escalated: tuple[Escalated, ...] = ()
    muted: tuple[Muted, ...] = ()
    inconsistent: tuple[Inconsistent, ...] = ()
    merged_into: str = ""
    split_from: str = ""
    linked_to: tuple[str, ...] = ()
    posture: Posture = Posture.NORMAL
    region: str
    region_hash: str
