"""The journal: everything that happened in a domain, in one order, as compact binary records.

A journal record's Kafka key is the domain (Measurements, Report, Acknowledgement, Statement, Linked) or empty (Command, Tick); its partition follows from the domain
(`partition_of`), its timestamp is the broker's append time on live lanes and the time of observation on replay lanes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec
import numpy as np

from stream.records.handed import Handed
from stream.records.laned import Laned
from stream.records.switching import FoldVersion, Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Flag:
    """Bits of `Measurements.flags`."""

    LATE = 1
    """Older than the hazard's `max_late_s` at the door: updates baselines, raises nothing live."""
    SUSPECT = 2
    """The sender itself marked the value as doubtful."""


class Measurements(Laned, frozen=True, array_like=True, tag="m", gc=False):
    """Clean measurements of one domain as parallel arrays (little-endian bytes; see `columns`).

    `rows` are indices into the series of the region with that hash. On replay lanes all of a message is of one instant.
    """

    domain: str
    region_hash: str
    rows: bytes
    observed_at: bytes
    value: bytes
    flags: bytes


class SignedMeasurements(Measurements, frozen=True, array_like=True, tag="g", gc=False):
    """Measurements out of a signed batch: by whom and with which key, its `sequence` and (first bytes of its hash) `batch`.

    `part`: which of the messages for this domain that the batch was cut into, from 0.
    """

    principal: str
    key_id: str
    sequence: int
    batch: bytes
    part: int


class ForwardedMeasurements(Measurements, frozen=True, array_like=True, tag="f", gc=False):
    """Measurements of series that belong to another domain now, sent on by the fold that got them; `hops`: how often that was done."""

    hops: int


class Command(Laned, frozen=True, array_like=True, tag="c", gc=False):
    """An order to the fold of this partition: `activate` a region (by name and hash), or send a `link_test` to every city.

    `exercise` and `exercise_over` begin and end the exercise that `region` then names (`stream.decide.exercising`). `at`: when it was ordered (ms); `every_s`: for a link test, when the next one is due at the latest.
    """

    command: str
    region: str = ""
    region_hash: str = ""
    at: int = 0
    every_s: int = 86_400


class Tick(Laned, frozen=True, array_like=True, tag="t", gc=False):
    """Time as a record, one a partition every few seconds, applied to every domain in it.

    `written_at`: the writer's wall clock; `elapsed_s`: monotonic seconds since its previous tick. `doors_written_at`: everything that was
    appended to any door up to this instant is in the journal. `closing` marks the end of a replay: it decides the last instant.
    `acknowledgements_written_at`: the same for everything that cities answered.
    """

    written_at: int
    elapsed_s: float
    doors_written_at: int
    closing: bool = False
    acknowledgements_written_at: int = 0


class Report(Laned, frozen=True, array_like=True, tag="r", gc=False):
    """What a person reported about a domain; `kind` is always `intervention` today, the rest as in `stream.records.report` (instants int ms).

    `region_hash`: of the region it was checked against. `reported_at` is the record's timestamp on replay lanes.
    """

    domain: str
    region_hash: str
    kind: str
    act: str
    reach: str
    km: float
    starts_at: int
    ends_at: int | None
    hours: float
    factor: float
    by: str
    note: str
    reported_at: int


class Acknowledgement(Laned, frozen=True, array_like=True, tag="a", gc=False):
    """What a city answered to a revision of one of its warnings; see `stream.records.acknowledgement`.

    `city_id`: whose topic it came on. `region_hash`: of the region the warning was made with. `received_at`: when it was appended there (ms).
    """

    domain: str
    region_hash: str
    city_id: str
    warning_id: str
    revision: int
    action: str
    by: str
    note: str
    received_at: int


class Statement(Laned, frozen=True, array_like=True, tag="s", gc=False):
    """What a person of a city stated by hand; see `stream.records.statement`, whose places were checked against the region of `region_hash`.

    `place_city`: where it was seen, as a city; a place unknown is "" or None. `matchers`: as pairs, sorted. `received_at`: when the broker took it (ms).
    """

    domain: str
    region_hash: str
    city_id: str
    statement_id: str
    act: str
    by: str
    received_at: int
    starts_at: int
    ends_at: int | None = None
    hazard: str = ""
    about: str = ""
    level: str = ""
    confirmed: bool = False
    place_city: str = ""
    reach: str = ""
    km: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    value: float | None = None
    unit: str = ""
    matchers: tuple[tuple[str, str], ...] = ()
    text: str = ""


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one series shows in its home domain, for another domain that it also serves; fields as in `stream.decide.state.SourceState`."""

    series: str
    level: int
    peak: int
    onset_at: int
    observed_at: int
    value: float
    score: float
    detector: str
    why: str
    quality: int
    late: bool = False
    ended_at: int | None = None
    highest: float = float("nan")
    p_value: float | None = None
    log_lr: float | None = None
    exceedance: float | None = None


class Linked(Laned, frozen=True, array_like=True, tag="l", gc=False):
    """What one domain passes on to another: that a danger follows from its own (`cascade`), or what a station of both measures (`same_event`).

    `link_id` with the highest `revision` counts. `state`: open; ended (nothing follows any more); withdrawn (the cause was wrong). It is
    applied at `effective_at` and ends by itself at `ends_at`. `reaches`: (city, arrival P10, P50, P90, probability, level). `chain`: the
    incidents it comes from, the first cause first, each with its domain and hazard; `hop`: their number. `seen`: of a same event.
    """

    link_id: str
    revision: int
    state: str
    cause: str
    rule: str
    region_hash: str
    from_domain: str
    from_hazard: str
    from_incident: str
    to_domain: str
    to_hazard: str
    sent_at: int
    effective_at: int
    ends_at: int | None
    hop: int
    chain: tuple[tuple[str, str, str], ...]
    level: int = 0
    probability: float = 0.0
    weight: float = 1.0
    reaches: tuple[tuple[str, int, int, int, float, int], ...] = ()
    seen: Seen | None = None

    @property
    def domain(self) -> str:
        """Whose journal it stands in."""
        return self.to_domain


Message = (
    Measurements | SignedMeasurements | ForwardedMeasurements | Handed | Command | Tick | Report | Acknowledgement | Statement | Linked
    | FoldVersion | Standing
)  # fmt: skip


class Entry(NamedTuple):
    """One journal record as the fold takes it: its offset, its timestamp (ms) and its bytes."""

    offset: int
    timestamp: int
    value: bytes


class Columns(NamedTuple):
    """The arrays of a Measurements message, read-only views of its bytes."""

    rows: NDArray[np.int32]
    observed_at: NDArray[np.int64]
    value: NDArray[np.float64]
    flags: NDArray[np.uint8]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """The bytes of a journal message."""
    return _encoder.encode(message)


def decode(value: bytes) -> Message:
    """The message of a journal record.

    >>> decode(encode(Tick(1, 5.0, 0)))
    Tick(written_at=1, elapsed_s=5.0, doors_written_at=0, closing=False, acknowledgements_written_at=0, lane='')
    """
    return cast("Message", _decoder.decode(value))


def columns(message: Measurements) -> Columns:
    """The arrays of a Measurements message."""
    return Columns(
        np.frombuffer(message.rows, "<i4"),
        np.frombuffer(message.observed_at, "<i8"),
        np.frombuffer(message.value, "<f8"),
        np.frombuffer(message.flags, "u1"),
    )


def measurements(domain: str, region_hash: str, arrays: Columns) -> Measurements:
    """A Measurements message of these arrays.

    >>> one = Columns(np.array([3], "<i4"), np.array([5], "<i8"), np.array([0.5]), np.zeros(1, "u1"))
    >>> columns(measurements("d", "h", one)).rows.tolist()
    [3]
    """
    return Measurements(
        domain,
        region_hash,
        np.ascontiguousarray(arrays.rows, "<i4").tobytes(),
        np.ascontiguousarray(arrays.observed_at, "<i8").tobytes(),
        np.ascontiguousarray(arrays.value, "<f8").tobytes(),
        np.ascontiguousarray(arrays.flags, "u1").tobytes(),
    )


def partition_of(domain: str, partitions: int, pin: int | None = None) -> int:
    """The journal partition of a domain: its pin, or a hash that no client library decides for us.

    >>> partition_of("danube", 12, pin=5), 0 <= partition_of("danube", 12) < 12
    (5, True)
    """
    if pin is not None:
        return pin % partitions
    return int.from_bytes(blake2b(domain.encode(), digest_size=8).digest(), "big") % partitions
