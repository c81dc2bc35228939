"""`reaches.csv` and `travel.csv`: rows of numbers as the footprints take them. What they mean together, the footprints check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from stream.region.problems import nearest
from stream.region.tables import Columns, read_table
from topology.base import Reach, Travel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.region.cities import Cities
    from stream.region.problems import Findings
    from stream.region.tables import Row

REACHES_FILE = "reaches.csv"
TRAVEL_FILE = "travel.csv"
_REACH_NUMBERS = {
    "length_km": (0.0, 20_000.0),
    "fraction": (0.0, 1.0),
    "celerity_m_per_s": (0.0, 50.0),
    "velocity_m_per_s": (0.0, 50.0),
    "residence_h": (0.0, 1e6),
    "mean_discharge_m3_per_s": (0.0, 1e6),
    "drainage_area_km2": (0.0, 1e7),
}
_LINE_KM, _SINUOSITY = (0.0, 20_000.0), (1.0, 10.0)
_BANKS = ("left", "right")


def read_reaches(data: bytes, findings: Findings) -> tuple[Reach, ...] | None:
    """The river network's rows; None if the table as a whole cannot be read (its rows then say nothing about the rest).

    `length_km` is the official length. Where it is empty, the length of a drawn line times its sinuosity stands in for it: `line_km` times
    `sinuosity` (1 if empty), and every way over that reach says so.
    """
    optional = [name for name in _REACH_NUMBERS if name != "length_km"]
    table = read_table(
        REACHES_FILE, data, Columns(("reach", "downstream", "length_km"), [*optional, "line_km", "sinuosity", *_BANKS]), findings
    )
    if not table.rows:
        return None
    return tuple(_reach(row, findings) for row in table.rows)


def _reach(row: Row, findings: Findings) -> Reach:
    numbers = {name: row.number(name, *limits, findings) for name, limits in _REACH_NUMBERS.items()}
    line_km, sinuosity = row.number("line_km", *_LINE_KM, findings), row.number("sinuosity", *_SINUOSITY, findings)
    drawn = not row.text("length_km")
    if drawn and not row.text("line_km"):
        findings.add(REACHES_FILE, row.line, "length_km", "is empty", "give the length in km, or line_km and sinuosity of a drawn line")
    if drawn:
        numbers["length_km"] = line_km * (1.0 if math.isnan(sinuosity) else sinuosity)
    return Reach(
        row.text("reach"), row.text("downstream"), **numbers, line=row.line, drawn=drawn, left=row.text("left"), right=row.text("right")
    )


def check_banks(reaches: Sequence[Reach], cities: Cities, findings: Findings) -> None:
    """That the jurisdictions on the banks of border reaches are features of cities.geojson, and two different ones."""
    known = {**cities.index, **cities.administrations}
    for reach in reaches:
        for bank in _BANKS:
            name: str = getattr(reach, bank)
            if name and name not in known:
                findings.add(REACHES_FILE, reach.line, bank, f"no feature {name!r} in cities.geojson", nearest(name, known))
        if reach.left and reach.left == reach.right:
            findings.add(REACHES_FILE, reach.line, "right", f"{reach.right!r} is on both banks", "a border has two sides: leave both empty")


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
