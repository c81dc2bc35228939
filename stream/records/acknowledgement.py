"""What a city answers to a warning, as it comes over its own topic `acknowledgements.<city_id>`.

Who answers is the city whose topic it is, and when is the time the broker appended it: neither is ever read from the message.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stream.records.lanes import Lane
from stream.records.measurement import Name

Action = Literal["seen", "accepted", "rejected", "done"]
REJECTED: Action = "rejected"


class Acknowledgement(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The answer of an officer (`by`) to a revision of a warning.

    `seen`: read by a person; `accepted`: being acted on; `rejected`: the city says why not, in `note`, and the body above it is told; `done`:
    what it asked for is done. Answering an older revision does not answer a later one at a higher level.
    `lane`, where it is given, must be that of the warning.
    """

    warning_id: Name
    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000)]
    action: Action
    by: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    note: Annotated[str, msgspec.Meta(max_length=400)] = ""
    id: Name | None = None
    lane: Lane | None = None


class Answered(msgspec.Struct, frozen=True):
    """What one officer answered to a revision of a city's warning."""

    city_id: str
    revision: int
    action: str
    by: str
    received_at: str
    note: str


class Escalated(msgspec.Struct, frozen=True):
    """A city's warning that went up: to whom (reminded, deputies, joint, next), why and since when."""

    city_id: str
    to: str
    because: str
    since_at: str
