"""`reaches.csv` and `travel.csv`: rows of numbers as the footprints take them. What they mean together, the footprints check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.region.tables import Columns, read_table
from topology.base import Reach, Travel

if TYPE_CHECKING:
    from stream.region.problems import Findings

REACHES_FILE = "reaches.csv"
TRAVEL_FILE = "travel.csv"
_REACH_NUMBERS = {
    "length_km": (0.0, 20_000.0),
    "fraction": (0.0, 1.0),
    "celerity_m_per_s": (0.0, 50.0),
    "velocity_m_per_s": (0.0, 50.0),
    "residence_h": (0.0, 1e6),
    "mean_discharge_m3_per_s": (0.0, 1e6),
}


def read_reaches(data: bytes, findings: Findings) -> tuple[Reach, ...] | None:
    """The river network's rows; None if the table as a whole cannot be read (its rows then say nothing about the rest)."""
    optional = [name for name in _REACH_NUMBERS if name != "length_km"]
    table = read_table(REACHES_FILE, data, Columns(("reach", "downstream", "length_km"), optional), findings)
    if not table.rows:
        return None
    found = []
    for row in table.rows:
        numbers = {name: row.number(name, *limits, findings) for name, limits in _REACH_NUMBERS.items()}
        if not row.text("length_km"):
            findings.add(REACHES_FILE, row.line, "length_km", "is empty", "give the length in km")
        found.append(Reach(row.text("reach"), row.text("downstream"), **numbers, line=row.line))
    return tuple(found)


def read_travel(data: bytes, findings: Findings) -> tuple[Travel, ...]:
    """The rows of people travelling."""
    table = read_table(TRAVEL_FILE, data, Columns(("origin", "destination", "travellers_per_day")), findings)
    return tuple(
        Travel(
            row.text("origin"),
            row.text("destination"),
            row.needed_number("travellers_per_day", 0.0, 1e9, findings),
            row.line,
        )
        for row in table.rows
    )
