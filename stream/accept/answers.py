"""A city's answer, judged: whether it is readable, and answers a warning of the city on whose topic it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.accept.decode import explain
from stream.accept.refusal import Fault, Refused, other_lane, quoted
from stream.records import journal
from stream.records.acknowledgement import REJECTED, Acknowledgement
from stream.records.lanes import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping

_decoder = msgspec.json.Decoder(Acknowledgement)


class Known(msgspec.Struct, frozen=True):
    """What must be known of a warning to take answers to it, and to say how long it waited for them: a part of `CityWarning`."""

    warning_id: str
    revision: int
    city_id: str
    domain: str
    region_hash: str
    lane: Lane
    level: str = ""
    sent_at: str = ""


def read(value: bytes | None, bytes_max: int) -> Acknowledgement | Fault:
    """The answer in these bytes, or what is wrong with them."""
    if value is None:
        return Fault(Refused.TOMBSTONE, "")
    if len(value) > bytes_max:
        return Fault(Refused.TOO_LARGE, f"{len(value)} bytes, at most {bytes_max} are read")
    try:
        made = _decoder.decode(value)
    except (ValueError, RecursionError) as error:
        return explain(value, error, quote=True)
    if made.action == REJECTED and not made.note.strip():
        return Fault(Refused.NO_REASON, f"revision {made.revision} of {quoted(made.warning_id)} is rejected")
    return made


def judge(
    made: Acknowledgement, city_id: str, received_at: int, warnings: Mapping[str, Known], lane: Lane
) -> journal.Acknowledgement | Fault:
    """The journal's message of an answer that came on the topic of `city_id`, or why it answers nothing.

    `warnings`: the newest revision of each warning there is, by its id. An answer need not say its lane: it names a warning, and the lane is
    in that name; but what it says must be true.
    """
    if made.lane is not None and made.lane is not lane:
        return other_lane(made.lane, lane)
    known = warnings.get(made.warning_id)
    if known is None or known.city_id != city_id:
        return Fault(Refused.UNKNOWN_WARNING, f"{quoted(city_id)} has no warning {quoted(made.warning_id)}")
    if made.revision > known.revision:
        return Fault(Refused.UNKNOWN_WARNING, f"the newest revision of {made.warning_id} is {known.revision}, not {made.revision}")
    return journal.Acknowledgement(
        known.domain,
        known.region_hash,
        city_id,
        made.warning_id,
        made.revision,
        made.action,
        made.by,
        made.note,
        received_at,
        lane=lane.value,
    )
