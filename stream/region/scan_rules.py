"""`[scan]` of a hazard file: whether cases of neighbouring cities are looked at together, and how unlikely an excess must be for each level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.region.fields import Fields

COLOURS = ("blue", "yellow", "orange", "red")
ZONE_MOST = 50


@dataclass(frozen=True, slots=True)
class Scan:
    """`zone_most`: so many places at most are one zone, a place and its nearest. `alpha_<level>`: the scan's p-value at which it is reached.

    `min_cases`: fewer in the whole window raise nothing.
    """

    zone_most: int = 5
    alpha_blue: float = 1e-3
    alpha_yellow: float = 1e-4
    alpha_orange: float = 1e-6
    alpha_red: float = 1e-9
    min_cases: float = 5

    def level(self, p_value: float, cases: float) -> int:
        """The level (0 to 4) of a cluster.

        >>> Scan().level(1e-5, 20), Scan().level(1e-5, 4), Scan().level(0.01, 20)
        (2, 0, 0)
        """
        if cases < self.min_cases:
            return 0
        return sum(p_value <= alpha for alpha in self._alphas())

    def limit(self, level: int) -> float:
        """The p-value at which a level is reached, 1 for none.

        >>> Scan().limit(0), Scan().limit(2)
        (1.0, 0.0001)
        """
        return (1.0, *self._alphas())[level]

    def _alphas(self) -> tuple[float, float, float, float]:
        return self.alpha_blue, self.alpha_yellow, self.alpha_orange, self.alpha_red


def read_scan(table: Fields | None) -> Scan | None:
    """The scan of a hazard; None where there is no such table. What is not given keeps its default."""
    if table is None:
        return None
    zone_most = table.whole("zone_most", 2, ZONE_MOST)
    alphas = {f"alpha_{colour}": table.number(f"alpha_{colour}", 0.0, 0.5) for colour in COLOURS}
    min_cases = table.number("min_cases", 1.0, 1e6)
    table.no_more()
    usual = Scan()
    known = {name: value for name, value in (*alphas.items(), ("min_cases", min_cases)) if value is not None}
    scan = Scan(**known, zone_most=usual.zone_most if zone_most is None else zone_most)
    ordered = [getattr(scan, f"alpha_{colour}") for colour in COLOURS]
    if ordered != sorted(ordered, reverse=True):
        table.problem("alpha_red", "a higher level is easier to reach than a lower one", "let alpha fall from blue to red")
    return scan
