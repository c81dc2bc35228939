"""What leaves the fold for people: city warnings, city status and evidence, as JSON on topics.

Instants are RFC 3339 UTC texts here. The field order is the order on the wire; a golden file guards it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from stream.records.lanes import Lane as Lane  # noqa: PLC0414  whoever reads a record finds its lane beside it


class MsgType(StrEnum):
    """Where in its life a warning is. `cancel`: it was wrong; `all_clear`: it is over."""

    ALERT = "alert"
    UPDATE = "update"
    ALL_CLEAR = "all_clear"
    CANCEL = "cancel"


class Reason(StrEnum):
    """Why a city was told something (or not): the metric label, the ledger entry and the sentence the operator reads."""

    FIRST = "first"
    WORSE = "worse"
    BETTER = "better"
    EARLIER = "earlier"
    LATER = "later"
    SURER = "surer"
    EXTENDED = "extended"
    REASSERT = "reassert"
    HELD = "held"
    CLEARED = "cleared"
    LEFT = "left"
    """It does not reach the city any more, and goes on elsewhere."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    MERGED = "merged"
    SPLIT = "split"
    BLIND = "blind"
    SIGHTED = "sighted"
    MUTED = "muted"
    """Not to the city: from now on its warning is muted."""
    UNMUTED = "unmuted"
    """What stood while it was muted is sent."""
    CORRECTION = "correction"
    """Somebody who answers for the incident says what is right."""
    NOTHING_NEW = "nothing_new"
    UNACKNOWLEDGED = "unacknowledged"
    """To a body: a city has not answered, or has rejected its warning."""
    ACKNOWLEDGED = "acknowledged"
    """To a body: the cities it stood in for have answered."""
    INFORMED = "informed"
    """To a party of an agreement that the danger does not reach."""


class Coverage(msgspec.Struct, frozen=True):
    """How much of the network that can see this danger for this city reports: fresh of all series; `silent` names up to 20 that do not.

    `maintenance`: up to 20 that do not because their station is in planned maintenance. `silent_since_at`: when the first of those named as
    silent was last heard, or missed for the first time; None if none is silent, or nobody waited for it yet.
    """

    fresh: int
    total: int
    silent: tuple[str, ...] = ()
    maintenance: tuple[str, ...] = ()
    silent_since_at: str | None = None


class EvidenceSummary(msgspec.Struct, frozen=True):
    """One series behind a warning. What it may carry besides its level: see Evidence."""

    series: str
    level: str
    value: float
    unit: str
    observed_at: str
    score: float
    why: str
    trend_per_h: float | None = None
    p_value: float | None = None
    log_lr: float | None = None
    exceedance: float | None = None
    reaches_next_level_in_h: float | None = None
    reported_late: bool = False
    value_to: float | None = None


class AlsoWarned(msgspec.Struct, frozen=True):
    """Another city told of the same incident."""

    city_id: str
    level: str


class Texts(msgspec.Struct, frozen=True):
    """The operator's sentence in both languages."""

    zh: str
    en: str


class Exceedance(msgspec.Struct, frozen=True):
    """The chance that a city's danger reaches a level, and when, if it does, where a trained forecast says so."""

    level: str
    probability: float
    arrives_at_p10: str | None = None
    arrives_at_p50: str | None = None
    arrives_at_p90: str | None = None


class CityWarning(msgspec.Struct, frozen=True, kw_only=True, tag="warning", tag_field="type"):
    """What one city is told about one incident. (warning_id, revision) identifies it; a repetition carries the same bytes.

    `path` is how the leading danger comes (the worst, of equals the one already here), `paths` every way it comes, the leading one first.
    `role`: lead, affected, assist, coordinator or informed (the last two: `city_id` is not reached, and may be an administration).
    `coordinator`: who takes over if nobody answers, "" = nobody known. `acknowledge_by_at`: until when the city has to answer.
    `muted_by`: what kept it from being sent to the city (`silence:<statement>`, `inhibition:<rule>`); empty in everything a city reads.
    `exercise_id`: the exercise it belongs to, "" = none.
    `exceedance`: of every level that may be reached, within the lead window of a trained forecast where there is one, else as far as footprints say.
    """

    warning_id: str
    revision: int
    supersedes: int | None
    incident_id: str
    city_id: str
    hazard: str
    domain: str
    lane: Lane
    msg_type: MsgType
    level: str
    certainty: str
    reason: Reason
    path: str
    paths: tuple[str, ...]
    probability: float
    intensity: float
    confidence: float
    sent_at: str
    arrives_at_p10: str | None
    arrives_at_p50: str | None
    arrives_at_p90: str | None
    arrival_unknown_because: str
    passed_at: str | None
    exceedance: tuple[Exceedance, ...] = ()
    expires_at: str
    reasons: tuple[str, ...]
    evidence: tuple[EvidenceSummary, ...]
    coverage: Coverage
    role: str
    agreement_id: str = ""
    coordinator: str = ""
    muted_by: tuple[str, ...] = ()
    exercise_id: str = ""
    also_warned: tuple[AlsoWarned, ...]
    acknowledge_by_at: str | None
    region: str
    region_hash: str
    text: Texts


class CityState(StrEnum):
    """What a city can count on for one hazard. Silence never reads as clear."""

    CLEAR = "clear"
    WATCH = "watch"
    WARNED = "warned"
    UNKNOWN = "unknown"


class CityStatus(msgspec.Struct, frozen=True, kw_only=True, tag="status", tag_field="type"):
    """Heartbeat of one (city, hazard, domain). After `valid_until_at` it says nothing any more: read it as unknown.

    `muted_by`: a warning stands, and what mutes it; it is not over. `because`: why it is unknown though stations report (`time_suspect`: the clocks
    of the broker and of Tocsin disagree, so that nothing can be dated); else the field is not there.
    """

    city_id: str
    hazard: str
    domain: str
    lane: Lane
    state: CityState
    level: str
    since_at: str
    as_of_at: str
    valid_until_at: str
    coverage: Coverage
    muted_by: tuple[str, ...] = ()
    because: str | msgspec.UnsetType = msgspec.UNSET
    region: str
    region_hash: str
    text: Texts


class ExerciseNotice(msgspec.Struct, frozen=True, kw_only=True, tag="exercise", tag_field="type"):
    """Says on a city's exercise topic that an exercise is `announced` (scheduled ones only), or `over`."""

    exercise_id: str
    city_id: str
    lane: Lane
    phase: str
    kind: str
    title: Texts
    sent_at: str
    begins_at: str
    ends_at: str
    text: Texts


class LinkTest(msgspec.Struct, frozen=True, kw_only=True, tag="link_test", tag_field="type"):
    """A scheduled test that a city's topic is reached; always lane test, never a danger."""

    city_id: str
    lane: Lane
    sent_at: str
    next_by_at: str
    text: Texts


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One change of what a detector finds in one series, for people who ask why.

    `p_value` and `log_lr` (natural logarithm of the likelihood ratio) come from statistical detectors, `exceedance` (probability that the true
    value is at or above the lowest limit) from limit detectors. `reaches_next_level_in_h`: a rising gauge's, at its present rate.
    `reported_late`: it came later than the hazard allows, or belongs to a period that was closed. A measurement that was kept but not
    believed has quality 4, weight 0 and the reason in `why`. `value_to`: None = `value` is exact; else it is somewhere from `value` to this, as case
    counts are told outside their own city (a total over several cities from 0 to 100,000,000, which tells nothing).
    """

    domain: str
    hazard: str
    series: str
    station: str
    quantity: str
    observed_at: str
    value: float
    unit: str
    level: str
    previous_level: str
    detector: str
    score: float
    trend_per_h: float | None
    weight: float
    quality: int
    why: str
    lane: Lane
    as_of_at: str
    p_value: float | None = None
    log_lr: float | None = None
    exceedance: float | None = None
    reaches_next_level_in_h: float | None = None
    reported_late: bool = False
    value_to: float | None = None


class StationState(StrEnum):
    """What is wrong with a station, as far as its measurements show. Anything but `sound` raises nothing, and lowers nothing."""

    SOUND = "sound"
    UNIT_MISTAKE = "unit_mistake"
    """Off by a power of ten, as centimetres sent for metres."""
    SIGN_FLIP = "sign_flip"
    DRIFTING = "drifting"
    CHATTERING = "chattering"
    SILENT = "silent"
    MAINTENANCE = "maintenance"
    """Planned, and over by itself."""


class StationHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a station's health. `observed_at` and `value`: its newest measurement, `believed`: the newest that was detected on (None for case counts)."""

    domain: str
    series: str
    station: str
    quantity: str
    state: StationState
    previous_state: StationState
    observed_at: str | None
    value: float | None
    believed: float | None
    unit: str
    lane: Lane
    as_of_at: str
    region: str
    region_hash: str


CityMessage = CityWarning | CityStatus | LinkTest | ExerciseNotice
"""What stands on `warnings.<city_id>`."""
