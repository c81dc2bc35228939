"""`[fusion]` of a hazard file: how much each piece of evidence weighs, and how many independent stations must agree for the top levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detectors.base import Level
from stream.region.model import Fusion
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.region.fields import Fields

STATIONS_MOST = 100
_YEAR_H = 366 * 24.0
LIMITS = {
    "prior": (1e-6, 1.0 - 1e-6),
    "together_h": (0.0, _YEAR_H),
    "reliability": (0.5, 1.0 - 1e-6),
    "half_life_h": (0.01, _YEAR_H),
    "missed": (0.0, 10.0),
}
WEIGHT_MOST = 10.0


def read_fusion(table: Fields | None, quantities: Sequence[str]) -> Fusion:
    """The fusion of a hazard on these quantities; what is not given keeps its default (see `model.Fusion`)."""
    if table is None:
        return Fusion()
    given = {name: table.number(name, *limits) for name, limits in LIMITS.items()}
    known = {name: value for name, value in given.items() if value is not None}
    k, n, cap, weights = table.whole("k", 1, STATIONS_MOST), table.whole("n", 0, STATIONS_MOST), _cap(table), _weights(table, quantities)
    table.no_more()
    usual = Fusion()
    fusion = Fusion(
        **known, k=usual.k if k is None else k, n=usual.n if n is None else n, unconfirmed_cap=usual.unconfirmed_cap if cap is None else cap,
        weights=weights,
    )  # fmt: skip
    if fusion.n and fusion.n < fusion.k:
        table.problem("k", f"{fusion.k} of {fusion.n} stations can never agree", f"give at most n ({fusion.n})")
    return fusion


def _cap(table: Fields) -> int | None:
    """The highest level that may be told unconfirmed: never red, else nothing would need confirming."""
    word = table.string("unconfirmed_cap", otherwise="")
    if not word:
        return None
    labels = [level.label for level in (Level.BLUE, Level.YELLOW, Level.ORANGE)]
    if word not in labels:
        table.problem("unconfirmed_cap", f"no such level {word!r}", nearest(word, labels))
        return None
    return int(Level[word.upper()])


def _weights(table: Fields, quantities: Sequence[str]) -> dict[str, float]:
    weights = table.sub("weights")
    if weights is None:
        return {}
    given = {quantity: weights.number(quantity, 0.0, WEIGHT_MOST) for quantity in quantities}
    weights.no_more()
    return {quantity: value for quantity, value in given.items() if value is not None}
