"""`reaches.csv` and `travel.csv`: rows of numbers as the footprints take them. What they mean together, the footprints check.

A network of very many reaches enters as `reaches.npz` instead: checked when it was made (`tocsin region network`), ready at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.region.problems import nearest
from stream.region.tables import Columns, read_table
from topology.base import Reach, TopologyError, Travel
from topology.network_file import read_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.region.cities import Cities
    from stream.region.problems import Findings
    from stream.region.tables import Row
    from topology.network import Network

REACHES_FILE = "reaches.csv"
NETWORK_FILE = "reaches.npz"
TRAVEL_FILE = "travel.csv"
REACH_NUMBERS = {
    "length_km": (0.0, 20_000.0),
    "fraction": (0.0, 1.0),
    "celerity_m_per_s": (0.0, 50.0),
    "velocity_m_per_s": (0.0, 50.0),
    "residence_h": (0.0, 1e6),
    "mean_discharge_m3_per_s": (0.0, 1e6),
    "drainage_area_km2": (0.0, 1e7),
}
LINE_KM, SINUOSITY = (0.0, 20_000.0), (1.0, 10.0)
_BANKS = ("left", "right")


def read_reaches(data: bytes, findings: Findings) -> tuple[Reach, ...] | None:
    """The river network's rows; None if the table as a whole cannot be read (its rows then say nothing about the rest).

    `length_km` is the official length. Where it is empty, the length of a drawn line times its sinuosity stands in for it: `line_km` times
    `sinuosity` (1 if empty), and every way over that reach says so.
    """
    optional = [name for name in REACH_NUMBERS if name != "length_km"]
    table = read_table(
        REACHES_FILE, data, Columns(("reach", "downstream", "length_km"), [*optional, "line_km", "sinuosity", *_BANKS]), findings
    )
    if not table.rows:
        return None
    return tuple(_reach(row, findings) for row in table.rows)


def _reach(row: Row, findings: Findings) -> Reach:
    numbers = {name: row.number(name, *limits, findings) for name, limits in REACH_NUMBERS.items()}
    line_km, sinuosity = row.number("line_km", *LINE_KM, findings), row.number("sinuosity", *SINUOSITY, findings)
    drawn = not row.text("length_km")
    if drawn and not row.text("line_km"):
        findings.add(REACHES_FILE, row.line, "length_km", "is empty", "give the length in km, or line_km and sinuosity of a drawn line")
    if drawn:
        numbers["length_km"] = line_km * (1.0 if math.isnan(sinuosity) else sinuosity)
    return Reach(
        row.text("reach"), row.text("downstream"), **numbers, line=row.line, drawn=drawn, left=row.text("left"), right=row.text("right")
    )


@dataclass(frozen=True, slots=True, eq=False)
class River:
    """The river network of a region: rows of reaches.csv, or the network of reaches.npz. Without either it has no reaches."""

    rows: tuple[Reach, ...] = ()
    network: Network | None = None

    def __bool__(self) -> bool:
        return bool(self.rows) or self.network is not None

    def banks(self) -> frozenset[str]:
        """All jurisdictions on border reaches."""
        if self.network is not None:
            return frozenset(bank for banks in self.network.banks.values() for bank in banks)
        return frozenset(bank for row in self.rows for bank in (row.left, row.right) if bank)

    def lengths(self) -> Mapping[str, float]:
        """The length (km) of each reach by its id."""
        return {row.reach: row.length_km for row in self.rows} if self.network is None else ReachLengths(self.network)


@dataclass(frozen=True, slots=True, eq=False)
class ReachLengths(Mapping[str, float]):
    """The lengths of a large network's reaches, looked up there."""

    network: Network

    def __getitem__(self, reach: str) -> float:
        return self.network.length_km.item(self.network.index[reach])

    def __iter__(self) -> Iterator[str]:
        return iter(self.network.reaches)

    def __len__(self) -> int:
        return len(self.network.reaches)


def read_river(files: Mapping[str, bytes], findings: Findings) -> River | None:
    """The river of a region's files; None if it cannot be read, which is then a problem."""
    if NETWORK_FILE not in files:
        rows = read_reaches(files[REACHES_FILE], findings) if REACHES_FILE in files else ()
        return None if rows is None else River(rows)
    if REACHES_FILE in files:
        findings.add(NETWORK_FILE, 0, "", f"stands beside {REACHES_FILE}", "keep one of the two")
    try:
        return River(network=read_network(files[NETWORK_FILE], NETWORK_FILE))
    except TopologyError as error:
        for fault in error.faults:
            findings.add(NETWORK_FILE, 0, fault.field, fault.problem, fault.fix)
        return None


def check_banks(river: River, cities: Cities, findings: Findings) -> None:
    """That the jurisdictions on the banks of border reaches are features of cities.geojson, and two different ones."""
    known = {**cities.index, **cities.administrations}
    if river.network is not None:
        for bank in sorted(river.banks() - set(known)):
            findings.add(NETWORK_FILE, 0, "left", f"no feature {bank!r} in cities.geojson", nearest(bank, known))
    for reach in river.rows:
        for side in _BANKS:
            name: str = getattr(reach, side)
            if name and name not in known:
                findings.add(REACHES_FILE, reach.line, side, f"no feature {name!r} in cities.geojson", nearest(name, known))
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
