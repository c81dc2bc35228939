"""Why something that came to a door was not let in, and the record that keeps it: nothing a sender sent disappears without a reason."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import asdict

from stream.records.rejected import RejectedHeaders

if TYPE_CHECKING:
    from stream.records.lanes import Lane

DETAIL_CHARS_MAX = 400
QUOTE_CHARS_MAX = 60


class Refused(StrEnum):
    """The reason of a refusal: the metric label, the header of the `rejected` record."""

    TOMBSTONE = "tombstone"
    TOO_LARGE = "too_large"
    EMPTY = "empty"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    WRONG_TYPE = "wrong_type"
    MISSING_FIELD = "missing_field"
    UNKNOWN_FIELD = "unknown_field"
    OUT_OF_RANGE = "out_of_range"
    NOT_FINITE = "not_finite"
    UNKNOWN_SERIES = "unknown_series"
    UNKNOWN_REACH = "unknown_reach"
    WRONG_FAMILY = "wrong_family"
    UNIT_UNKNOWN = "unit_unknown"
    UNIT_INCOMPATIBLE = "unit_incompatible"
    TIME_INVALID = "time_invalid"
    TIME_AMBIGUOUS = "time_ambiguous"
    TIME_ABSURD = "time_absurd"
    TIME_FUTURE = "time_future"
    PERIOD_INVALID = "period_invalid"
    MANY = "many"
    UNKNOWN_WARNING = "unknown_warning"
    NO_REASON = "no_reason"
    OTHER_LANE = "other_lane"
    UNKNOWN_DOMAIN = "unknown_domain"
    UNKNOWN_HAZARD = "unknown_hazard"
    UNKNOWN_CITY = "unknown_city"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_DEVICE = "unknown_device"
    NOT_YOURS = "not_yours"
    BAD_ENVELOPE = "bad_envelope"
    UNKNOWN_PRINCIPAL = "unknown_principal"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    KEY_NOT_VALID = "key_not_valid"
    REVOKED = "revoked"
    WRONG_AUDIENCE = "wrong_audience"
    SIGNED_TIME = "signed_time"
    NOT_BOUND = "not_bound"
    UNSIGNED = "unsigned"


IDENTITY = frozenset(
    {
        Refused.OTHER_LANE, Refused.BAD_ENVELOPE, Refused.UNKNOWN_PRINCIPAL, Refused.UNKNOWN_KEY, Refused.BAD_SIGNATURE,
        Refused.KEY_NOT_VALID, Refused.REVOKED, Refused.WRONG_AUDIENCE, Refused.SIGNED_TIME, Refused.NOT_BOUND, Refused.UNSIGNED,
    }
)  # fmt: skip
"""Reasons that are about who said it, or for whom: each leaves an entry on `audit`, too."""


ADVICE: dict[Refused, str] = {
    Refused.TOMBSTONE: "the record has no value; send a measurement as JSON",
    Refused.TOO_LARGE: "split the message (door_bytes_max)",
    Refused.EMPTY: "send one JSON object or an array of at least one",
    Refused.NOT_UTF8: "send JSON encoded as UTF-8",
    Refused.NOT_JSON: "send one valid JSON object or array (RFC 8259), uncompressed, without a byte order mark, nothing after it",
    Refused.TOO_DEEP: "send objects without nesting",
    Refused.WRONG_TYPE: "send there what its format asks for; `tocsin schema` tells the types of ours",
    Refused.MISSING_FIELD: "see `tocsin schema`; measurements: send observed_at (counts: period_start_at, period_end_at), value, and series, or station and quantity, or area",
    Refused.UNKNOWN_FIELD: "case counts may hold no other field, so that nothing about a person can slip in",
    Refused.OUT_OF_RANGE: "see `tocsin schema` for the limits of each field",
    Refused.NOT_FINITE: "send a finite number, or nothing while there is no value",
    Refused.UNKNOWN_SERIES: "no active region has this series; name one of stations.csv, or activate the region that has it",
    Refused.UNKNOWN_REACH: "a report names a domain with a river and a reach and km of its region's reaches.csv",
    Refused.WRONG_FAMILY: "send it to the door of its own family (measurements.water, .air or .health)",
    Refused.UNIT_UNKNOWN: "write the unit as in the region's stations.csv, or leave it out",
    Refused.UNIT_INCOMPATIBLE: "send a unit of the series' own dimension, or leave it out",
    Refused.TIME_INVALID: "write times as RFC 3339 (2005-11-13T13:45:00+08:00) or seconds since 1970",
    Refused.TIME_AMBIGUOUS: "write the time with its offset from UTC (2005-11-13T13:45:00+08:00)",
    Refused.TIME_ABSURD: "times lie between 1970 and 2200; numbers are seconds since 1970",
    Refused.TIME_FUTURE: "set the sender's clock or time zone right",
    Refused.PERIOD_INVALID: "period_end_at must be after period_start_at (reports: ends_at after starts_at)",
    Refused.MANY: "correct the sender; the whole message is kept here once",
    Refused.UNKNOWN_WARNING: "answer with the warning_id and revision of a warning on the city's own topic, as they stand there",
    Refused.NO_REASON: "say why: in note why a warning is rejected, in text why it was wrong or what is right",
    Refused.OTHER_LANE: 'what is of an exercise says "lane": "exercise" and goes to topics of exercises; nothing else does',
    Refused.UNKNOWN_DOMAIN: "name a domain of the active region (its region.toml)",
    Refused.UNKNOWN_HAZARD: "name a hazard of the region that is of a family of the domain",
    Refused.UNKNOWN_CITY: "name a city of the region, or a reach and km, or a latitude and longitude",
    Refused.UNKNOWN_STATION: "name a station of stations.csv, or one of its series (station/quantity)",
    Refused.BAD_ENVELOPE: "see `tocsin schema envelope`",
    Refused.UNKNOWN_PRINCIPAL: "no active region has this principal, or not one that shows itself in this way; add it to gateways.toml",
    Refused.UNKNOWN_KEY: "sign with a key that stands in gateways.toml",
    Refused.BAD_SIGNATURE: "sign exactly the bytes that are sent, with the key that is named",
    Refused.KEY_NOT_VALID: "sign with a key that is valid now, or change its validity in gateways.toml",
    Refused.REVOKED: "bring in a new key or principal in gateways.toml; find out who uses this one",
    Refused.WRONG_AUDIENCE: "sign for the audience that gateways.toml names",
    Refused.SIGNED_TIME: "sign when sending, with a clock that is right; or give the principal a longer signed_within_s",
    Refused.NOT_BOUND: "this sender may speak only for what it is bound to; use the token or key of this station, or have it bound to it (gateways.toml)",
    Refused.UNSIGNED: "this station's measurements are taken only signed, or through a door of its own (gateways.toml)",
    Refused.UNKNOWN_DEVICE: "say in gateway.toml which station and quantity it is (`tocsin gateway try` shows what is read)",
    Refused.NOT_YOURS: "only a city of the region may state this, and of a station only its own city and those above it",
}


class Fault(NamedTuple):
    """What is wrong with one measurement: the reason, where and what (which never quotes a case count), what to do if not the usual thing."""

    reason: Refused
    what: str
    do: str = ""

    @property
    def detail(self) -> str:
        """One line for a person: what and where, then what to do, printable and bounded."""
        advice = self.do or ADVICE[self.reason]
        text = f"{self.what}: {advice}" if self.what else advice
        printable = "".join(letter if letter.isprintable() else "?" for letter in text)
        return printable if len(printable) <= DETAIL_CHARS_MAX else printable[: DETAIL_CHARS_MAX - 3] + "..."


def other_lane(said: str | None, lane: Lane) -> Fault:
    """The fault of a record that says it is of another lane than its topic."""
    return Fault(Refused.OTHER_LANE, f"of lane {said or '(none said)'} on a topic of lane {lane.value}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused measurement or message, with its position. `index`: its place in an array, None for the whole record.

    `payload` is None for case counts (only `sha256` of the bytes is kept: they could hold something about a person) and for tombstones.
    """

    reason: Refused
    detail: str
    topic: str
    partition: int
    offset: int
    index: int | None
    payload: bytes | None
    sha256: str
    size: int


class RejectedRecord(NamedTuple):
    """A record of the topic `rejected`."""

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


def digest(payload: bytes) -> str:
    """SHA-256 in hex.

    >>> digest(b"")[:8]
    'e3b0c442'
    """
    return sha256(payload).hexdigest()


def quoted(text: str) -> str:
    r"""A sender's text made safe to show: ASCII with escapes (so nothing hides or runs backwards), bounded.

    >>> print(quoted("a" + chr(0x202E) + "b"))
    'a\u202eb'
    """
    shown = ascii(text)
    return shown if len(shown) <= QUOTE_CHARS_MAX else shown[: QUOTE_CHARS_MAX - 4] + "...'"


def to_record(refusal: Refusal) -> RejectedRecord:
    """Key, value and headers of the `rejected` record: the original bytes as value, everything about them in headers.

    >>> to_record(Refusal(Refused.EMPTY, "why", "measurements.water", 0, 7, None, b"[]", digest(b"[]"), 2)).key
    b'measurements.water/0/7/'
    """
    index = "" if refusal.index is None else str(refusal.index)
    key = f"{refusal.topic}/{refusal.partition}/{refusal.offset}/{index}"
    headers = RejectedHeaders(
        reason=refusal.reason.value,
        detail=refusal.detail,
        topic=refusal.topic,
        partition=str(refusal.partition),
        offset=str(refusal.offset),
        index=index,
        sha256=refusal.sha256,
        size=str(refusal.size),
    )
    return RejectedRecord(key.encode(), refusal.payload, [(name, text.encode()) for name, text in asdict(headers).items()])
