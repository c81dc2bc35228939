"""What the other stations of a network show when one of them is measured: the mean of their newest values.

Air masses are larger than cities: what is on its way to a station is at its neighbours already. Only values that are good and about as old as the
sample count, so a station that fell silent, lags behind or is in fault does not speak for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.history import LENGTH
from detectors.rows import MS_PER_H, read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OLDER_MS, NEWER_MS = int(2.0 * MS_PER_H), int(0.5 * MS_PER_H)
"""How much older or newer than the sample a value may be: one missed hour; stations that do not report at the same minute."""


def network_mean(history: NDArray[Any], network: NDArray[np.intp], rows: NDArray[np.intp], observed_at: NDArray[np.int64]) -> Floats:
    """The mean of the other series of each sample's network at its instant, (n,), in their unit; NaN where none of them is known.

    `history`: of all series (`history.py`). `network`: which network each series belongs to, negative = none. `rows`, `observed_at`: of the samples.
    """
    found = np.full(len(rows), np.nan)
    of_sample = network[rows]
    for one in np.unique(of_sample[of_sample >= 0]).tolist():
        members = np.flatnonzero(network == one)
        records = read(history, members)
        mine = np.flatnonzero(of_sample == one)
        for at in np.unique(observed_at[mine]).tolist():
            chosen = mine[observed_at[mine] == at]
            known = _newest(records, at)
            there = ~np.isnan(known)
            values = np.where(there, known, 0.0)
            own = np.searchsorted(members, rows[chosen])
            others = there.sum() - there[own]
            total = values.sum() - values[own]
            found[chosen] = np.divide(total, others, out=np.full(len(chosen), np.nan), where=others > 0)
    return found


def _newest(records: NDArray[Any], at: int) -> Floats:
    """Each series' newest good value about as old as this instant; NaN where there is none."""
    times = records["observed_at"]
    usable = (times >= at - OLDER_MS) & (times <= at + NEWER_MS) & (records["flag"] < Quality.SUSPECT)
    last = LENGTH - 1 - usable[:, ::-1].argmax(axis=1)
    value = np.take_along_axis(records["value"], last[:, None], axis=1)[:, 0]
    newest: Floats = np.where(usable.any(axis=1), value, np.nan)
    return newest
