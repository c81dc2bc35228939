"""The fold's state: what a partition remembers, as plain structs (and arrays, in `bound.py`) that can be written down exactly.

Series and cities are named by their ids here, never by row numbers, so that a changed region can be taken over.
All instants are int ms.
"""

from __future__ import annotations

import msgspec

from stream.decide.counts import Counts
from stream.decide.foretold import Foretold
from stream.decide.linked import Links
from stream.decide.moving import Moves
from stream.decide.odds import Odd
from stream.decide.past import Past
from stream.decide.posture import PostureState
from stream.decide.signed import SignedBatch
from stream.decide.silences import Silence
from stream.decide.stated import ByHand, Placed
from stream.decide.takeover import Takeover
from stream.decide.timekeeping import Held, Time
from stream.records.warning import MsgType, Reason


class SourceState(msgspec.Struct):
    """One series in which a danger was found. `ended_at` is set when its level fell to none; it stays while its wave is under way.

    `peak` is the highest level of the episode, `highest` its highest value, `late` that the newest evidence came later than the hazard allows.
    `before`: the source before its newest measurement raised it, None if there was none; that measurement may still be corrected.
    `looked_at`: when the series was measured last before the onset, None if never. `placed`: where it stands, of what is no series here.
    """

    series: str
    level: int
    peak: int
    onset_at: int
    observed_at: int
    value: float
    score: float
    trend_per_h: float | None
    detector: str
    why: str
    quality: int
    late: bool = False
    ended_at: int | None = None
    highest: float = float("nan")
    p_value: float | None = None
    log_lr: float | None = None
    exceedance: float | None = None
    reaches_next_level_in_h: float | None = None
    before: SourceState | None = None
    looked_at: int | None = None
    placed: Placed | None = None


class Answer(msgspec.Struct, array_like=True):
    """What one officer answered to a revision of a warning."""

    received_at: int
    revision: int
    note: str


class Told(msgspec.Struct):
    """What a city was last told of an incident. `ended` once it was all clear, cancelled or expired.

    `below_since` is when the evidence fell below the told level, `blind_since` when the last fresh evidence was lost. `confirmed`: enough
    independent stations stood behind it. `muted_by`: what kept this revision from the city's topic. `heard`: the level of what the city was sent
    and was not ended, 0 = nothing; `heard_revision`: the last revision it was sent at all. `recent`: when it was told something in the last hour.
    """

    city_id: str
    warning_id: str
    revision: int
    level: int
    msg_type: MsgType
    reason: Reason
    path: str
    paths: tuple[str, ...]
    probability: float
    arrives_at_p50: int | None
    sent_at: int
    expires_at: int
    value: bytes = b""
    ended: bool = False
    below_since: int | None = None
    blind_since: int | None = None
    repeated_at: int = 0
    role: str = ""
    agreement_id: str = ""
    asked_at: int = 0
    asked_revision: int = 0
    acknowledge_by_at: int | None = None
    acknowledged: dict[str, dict[str, Answer]] = msgspec.field(default_factory=dict)
    rung: int = 0
    rung_at: int | None = None
    escalated_at: int | None = None
    escalated_because: str = ""
    body: str = ""
    about: tuple[tuple[str, int], ...] = ()
    confirmed: bool = True
    muted_by: tuple[str, ...] = ()
    heard: int = 0
    heard_revision: int = 0
    recent: tuple[int, ...] = ()


class Closed(msgspec.Struct, array_like=True):
    """What a closed incident said last: its own revision, and that of every warning. Corrected evidence may open it again, under the same ids.

    `past`: whom it had told, of the newest.
    """

    opened_at: int
    closed_at: int
    revision: int
    said: dict[str, int]
    past: Past | None = None


class IncidentState(msgspec.Struct):
    """An open incident of one hazard in one domain. `probability` that it is real, as far as its evidence says.

    `bodies`: what was told to those who coordinate or are informed. `leads`: where the danger was found. `coordinator`: the lowest
    administration above all cities concerned. `handed_over_to`: who took over because a city did not answer.
    `said`: the last revision of warnings, by their ids, that stand in `told` no more: from before it was opened again, or merged.
    `series`: the sources it consists of. `moved`: cities that came from another incident and were not told so yet, with how and from which.
    `apart_since`: when its sources fell apart. `split_from`: the incident it was a part of.
    `linked_to`: the incidents of other domains of which it is a consequence, or which the same stations see. `odds`: cities that contradict each other.
    """

    incident_id: str
    opened_at: int
    revision: int = 0
    level: int = 0
    told: dict[str, Told] = msgspec.field(default_factory=dict)
    summary: bytes = b""
    said: dict[str, int] = msgspec.field(default_factory=dict)
    bodies: dict[str, Told] = msgspec.field(default_factory=dict)
    leads: tuple[str, ...] = ()
    coordinator: str = ""
    handed_over_to: str = ""
    handed_over_at: int | None = None
    probability: float = 0.0
    confirmed: bool = True
    odds: tuple[Odd, ...] = ()
    series: tuple[str, ...] = ()
    moved: dict[str, str] = msgspec.field(default_factory=dict)
    apart_since: int | None = None
    split_from: str = ""
    linked_to: tuple[str, ...] = ()

    def warned(self) -> list[str]:
        """The cities that are warned by it now."""
        return [city_id for city_id, told in self.told.items() if not told.ended]


class StatusState(msgspec.Struct):
    """The last published status of one city."""

    state: str
    level: int
    since_at: int
    published_at: int
    muted_by: tuple[str, ...] = ()


class FrontState(msgspec.Struct, array_like=True):
    """The first trace of a substance at a station: when it was seen, and when it was looked for and not found before (None: never).

    `low`: it was still below the limit of an alarm, so the front had only just come.
    """

    front_at: int
    clean_at: int | None
    low: bool


class HazardState(msgspec.Struct):
    """One hazard in one domain: its sources, its open incidents by their ids, who is silent, and the status of every city it concerns.

    `silent_since`: when a silent series was heard last, where it ever was. `evaluated_at`: up to which settled instant it was judged; deadlines lie after it. `passes_at`: when the next ended wave has passed.
    `grid_at`: the next instant at which an open incident is recomputed (live lanes). `fronts`: by series, of the event under way.
    `dismissed`: series whose level was taken back by hand, and which: they count again from a higher one on, or once they have been below.
    `foretold`: by series, the newest forecasts of gauges.
    `review_at`: when what mutes its warnings has to be looked at again. `links`: with other domains. `retired`: series that left, until when what
    they found counts; `unwatched`: cities that no series watches any more.
    """

    sources: dict[str, SourceState] = msgspec.field(default_factory=dict)
    incidents: dict[str, IncidentState] = msgspec.field(default_factory=dict)
    closed: dict[str, Closed] = msgspec.field(default_factory=dict)
    silent: set[str] = msgspec.field(default_factory=set)
    silent_since: dict[str, int] = msgspec.field(default_factory=dict)
    status: dict[str, StatusState] = msgspec.field(default_factory=dict)
    watched: dict[str, float] = msgspec.field(default_factory=dict)
    evaluated_at: int = -1
    passes_at: int | None = None
    grid_at: int | None = None
    fronts: dict[str, FrontState] = msgspec.field(default_factory=dict)
    dismissed: dict[str, int] = msgspec.field(default_factory=dict)
    foretold: dict[str, Foretold] = msgspec.field(default_factory=dict)
    review_at: int | None = None
    links: Links = msgspec.field(default_factory=Links)
    retired: dict[str, int] = msgspec.field(default_factory=dict)
    unwatched: set[str] = msgspec.field(default_factory=set)

    def ordered(self) -> list[IncidentState]:
        """The open incidents, the one opened first coming first."""
        return sorted(self.incidents.values(), key=lambda one: (one.opened_at, one.incident_id))

    def warned(self) -> dict[str, Told]:
        """What the cities that are warned now were told; a city is warned by one open incident at most."""
        return {city_id: told for one in self.incidents.values() for city_id, told in one.told.items() if not told.ended}


class Reported(msgspec.Struct, array_like=True):
    """What somebody reported about a river: see `stream.records.report`."""

    act: str
    reach: str
    km: float
    starts_at: int
    ends_at: int | None
    hours: float
    factor: float
    by: str
    reported_at: int


class DomainState(msgspec.Struct):
    """One domain. `now` is the largest timestamp of its records. `instant` holds what a replay has not decided yet.

    `conditions`: the recent measurements of each series that only informs footprints, oldest first, as (observed_at, value).
    `reports`: of people about its river, in order of their start. `by_hand`: what else people stated. `silences`: by the statements that asked for them.
    `check_at`: the next grid instant at which the stations are looked at, None until one of them is heard (live lanes). `began_at`: since when
    a station that was never heard is missed; -1: not yet. `signed`: by principal, the newest signed batches, by number.
    """

    region: str
    now: int = -1
    hazards: dict[str, HazardState] = msgspec.field(default_factory=dict)
    conditions: dict[str, list[tuple[int, float]]] = msgspec.field(default_factory=dict)
    instant: list[Held] = msgspec.field(default_factory=list)
    reports: list[Reported] = msgspec.field(default_factory=list)
    by_hand: ByHand = msgspec.field(default_factory=ByHand)
    silences: dict[str, Silence] = msgspec.field(default_factory=dict)
    check_at: int | None = None
    began_at: int = -1
    posture: PostureState = msgspec.field(default_factory=PostureState)
    signed: dict[str, list[SignedBatch]] = msgspec.field(default_factory=dict)


class Core(msgspec.Struct):
    """Everything of a partition that is not an array.

    `active`: region name -> hash. `past`: hashes that were active before. `doors_written_at`: the oldest mark of the doors in the newest tick.
    `behind_since`: when the marks fell behind, None while they keep up. `acknowledgements_written_at`, `unread_since` and `unread`: the same for
    what cities answer. `exercise`: the one under way, "" = none. `time`: what time it is, and whether that is known. `moves`: of stations.
    `decided_by`: the fold version that took this partition over last, "" = none did; `turn`: the number of that change, by its switch;
    `takeover`: the one by this version that is under way. `base`: the other version that had decided this state when this one went on from it, and
    the first offset that it had not, ("", 0) = none.
    """

    partition: int
    partitions: int
    doors_written_at: int = -1
    behind_since: int | None = None
    behind: bool = False
    acknowledgements_written_at: int = 0
    unread_since: int | None = None
    unread: bool = False
    exercise: str = ""
    active: dict[str, str] = msgspec.field(default_factory=dict)
    past: list[str] = msgspec.field(default_factory=list)
    held: list[Held] = msgspec.field(default_factory=list)
    domains: dict[str, DomainState] = msgspec.field(default_factory=dict)
    counts: Counts = msgspec.field(default_factory=Counts)
    time: Time = msgspec.field(default_factory=Time)
    decided_by: str = ""
    takeover: Takeover | None = None
    moves: Moves = msgspec.field(default_factory=Moves)
    turn: int = 0
    base: tuple[str, int] = ("", 0)

    def knows(self, region_hash: str) -> bool:
        """Whether a region is active here, or was; what names another one is kept until it is."""
        return region_hash in self.active.values() or region_hash in self.past

    @property
    def time_suspect(self) -> bool:
        """Whether the clocks of the broker and of the owner contradict each other: nothing is silent, over or escalated by time meanwhile."""
        return self.time.suspect
