"""What each series shows in each quarter of the year, as spans for the climatology test of `detectors/climatology.py`.

The span of the learning years is widened by its own width on both sides: a record flood must not become suspect, a wrong unit or a
drifting sensor must.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.base import Quality
from detectors.climatology import quarter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.base import Samples

QUARTERS = 4
YEARS_MIN = 3
"""With fewer years that have good samples in a quarter its span is left as it is."""


@dataclass(frozen=True, slots=True)
class Spans:
    """`columns`: by parameter of the quality tests and row of the samples; of the later good samples with a span, how many lay outside."""

    columns: dict[str, dict[int, float]]
    outside: int
    later: int


def learn(given: Sequence[Samples], split_at: int) -> Spans:
    """Spans from the good samples before `split_at` (ms), held against the later ones."""
    columns: dict[str, dict[int, float]] = {f"climatology_{end}_q{quarter}": {} for quarter in range(1, 5) for end in ("min", "max")}
    if not given:
        return Spans(columns, 0, 0)
    good = [one.flag <= Quality.UNKNOWN for one in given]
    row, at, value = (
        np.concatenate([getattr(one, name)[keep] for one, keep in zip(given, good, strict=True)])
        for name in ("rows", "observed_at", "value")
    )
    year = at.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64)
    place, early = row * QUARTERS + quarter_of(at), at < split_at
    outside = later = 0
    for one in np.unique(place).tolist():
        mine = place == one
        known, new = value[mine & early], value[mine & ~early]
        if len(np.unique(year[mine & early])) < YEARS_MIN or known.min() == known.max():
            continue
        series, quarter = divmod(one, QUARTERS)
        width = known.max() - known.min()
        low, high = float(known.min() - width), float(known.max() + width)
        columns[f"climatology_min_q{quarter + 1}"][series], columns[f"climatology_max_q{quarter + 1}"][series] = low, high
        outside += int(((new < low) | (new > high)).sum())
        later += len(new)
    return Spans(columns, outside, later)
