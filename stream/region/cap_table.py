"""`[cap]` of a hazard file: what its alerts say in the fields that machines read, where the usual words do not fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stream.region.model import CapTable
from stream.region.problems import nearest

if TYPE_CHECKING:
    from stream.region.fields import Fields

LEVELS = ("blue", "yellow", "orange", "red")
RESPONSES = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "None")
"""CAP 1.2, responseType, but for AllClear, which is no answer to a level."""
_EVENT_CODE = re.compile(r"OET-\d{3}")


def read_cap(table: Fields | None) -> CapTable:
    """The table's content, what is wrong with it named; empty without a table."""
    if table is None:
        return CapTable()
    code = table.string("event_code", otherwise="")
    if code and not _EVENT_CODE.fullmatch(code):
        table.problem("event_code", f"{code!r} is no code of the OASIS event terms list", "write it as OET-081 (flood)")
    response = {level: table.string(f"response_{level}", otherwise="") for level in LEVELS}
    for level, word in response.items():
        if word and word not in RESPONSES:
            table.problem(f"response_{level}", f"CAP has no response type {word!r}", nearest(word, RESPONSES))
    table.no_more()
    return CapTable(code, {level: word for level, word in response.items() if word})
