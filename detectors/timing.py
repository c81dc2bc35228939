"""Tests of a sample's instant, after IOOS QARTOD: impossible date, and gap.

A date before the station existed or after it was given up is FAIL (a logger whose clock was reset sends 1970 or 2000). Dates in the
future are refused at the door, where the time is known. The first sample after a gap is SUSPECT, not FAIL as in ioos_qc: after an outage in a
flood it is the one that matters, and the next sample confirms it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.base import Quality
from detectors.rows import NEVER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Samples

FIELDS = "gap_suspect_s earliest_at latest_at"
"""Seconds without a sample; first and last possible instant in milliseconds since 1970-01-01 UTC."""


def flag(parameters: NDArray[Any], history: NDArray[Any], samples: Samples) -> NDArray[np.uint8]:
    """GOOD, SUSPECT, FAIL, or UNKNOWN where nothing could be tested; all three inputs row by row."""
    p, last_at = parameters, history["observed_at"][:, -1]
    impossible = (samples.observed_at < p["earliest_at"]) | (samples.observed_at > p["latest_at"])
    known = (last_at != NEVER) & samples.in_order
    gap = known & (samples.observed_at - last_at > p["gap_suspect_s"] * 1000.0)
    tested = ~(np.isnan(p["earliest_at"]) & np.isnan(p["latest_at"])) | (known & ~np.isnan(p["gap_suspect_s"]))
    judged = np.where(impossible, Quality.FAIL, np.where(gap, Quality.SUSPECT, Quality.GOOD))
    return np.where(tested, judged, Quality.UNKNOWN).astype(np.uint8)
