"""Published values of plumes, typed by hand from the sources named."""

from __future__ import annotations

CHAMA = {
    "A": (0.250, 927, 0.189, 0.1020, -1.918),
    "B": (0.202, 370, 0.162, 0.0962, -0.101),
    "C": (0.134, 283, 0.134, 0.0722, 0.102),
    "D": (0.0787, 707, 0.135, 0.0475, 0.465),
    "E": (0.0566, 1070, 0.137, 0.0335, 0.624),
    "F": (0.0370, 1170, 0.134, 0.0220, 0.700),
}
"""Sandia's chama, simulation.py: a, b, c of sigma_y = a x / (1 + x / b)^c, and a, c of sigma_z (the same b); x in m."""

TURNER_M = (100.0, 200.0, 400.0, 700.0, 1000.0, 2000.0, 4000.0, 7000.0, 10_000.0)
TURNER_SIGMA_Y = {
    "A": (27, 50, 94, 155, 215, 390),
    "B": (19, 36, 67, 112, 155, 295, 550, 890, 1190),
    "C": (13, 23, 44, 74, 105, 200, 370, 610, 840),
    "D": (8, 15, 29, 48, 68, 130, 245, 400, 550),
    "E": (6, 11, 21, 36, 51, 96, 180, 300, 420),
    "F": (4, 8, 14, 24, 34, 64, 120, 200, 275),
}
"""Spread across the wind (m) of the Pasquill-Gifford curves, Martin 1976 after Turner; table at courses.washington.edu/cee490/DISPCOEF4WP.htm."""

VALLERO_EXAMPLE = ((0.26, 26.2, 45.9, 1.53e-5), (0.28, 28.2, 49.0, 1.56e-5), (0.30, 30.1, 52.2, 1.55e-5))
"""Fundamentals of Air Pollution, 3rd ed., pp. 303-305: 0.37 g/s from 40 m in a wind of 2 m/s; km, sigma_z, sigma_y, g/m3 on the ground."""

BRIGGS_EXAMPLES = (
    ("D", False, 1000.0, 0.08 * 1000 / 1.1**0.5, 0.06 * 1000 / 2.5**0.5),
    ("F", False, 5000.0, 0.04 * 5000 / 1.5**0.5, 0.016 * 5000 / 2.5),
    ("A", False, 2000.0, 0.22 * 2000 / 1.2**0.5, 0.20 * 2000),
    ("D", True, 1000.0, 0.16 * 1000 / 1.4**0.5, 0.14 * 1000 / 1.3**0.5),
    ("B", True, 1000.0, 0.32 * 1000 / 1.4**0.5, 0.24 * 1000 * 2.0**0.5),
    ("E", True, 2000.0, 0.11 * 2000 / 1.8**0.5, 0.08 * 2000 / 4.0**0.5),
)
"""The same book, tables 19-6 (urban) and 19-7 (rural), worked out for one distance a row: class, urban, m, sigma_y, sigma_z."""

MILE_M = 1609.344
LB_PER_MIN_G_S = 453.592 / 60.0
RMP_RURAL_60_MIN = (
    (46, 0.2), (120, 0.3), (220, 0.4), (420, 0.6), (650, 0.8), (910, 1.0), (1200, 1.2), (1600, 1.4), (1900, 1.6), (2300, 1.8), (2600, 2.0),
    (2900, 2.2), (3400, 2.4), (3700, 2.6), (4100, 2.8), (4400, 3.0), (4800, 3.2), (5200, 3.4), (5600, 3.6), (5900, 3.8), (6200, 4.0),
    (8100, 5.0), (10_000, 6.0), (14_500, 8.1), (19_100, 9.9),
)  # fmt: skip
"""EPA's worst case (Risk Management Program Guidance for Offsite Consequence Analysis, EPA 550-B-99-009), reference table 2: a neutrally
buoyant plume on the ground in open country, 60 minutes, stability F, wind 1.5 m/s. Release rate over endpoint ((lb/min)/(mg/l)) and
distance to the endpoint (miles), as published at rapidn.jrc.ec.europa.eu/property_estimator/181."""
RMP_RURAL_10_MIN = ((37, 0.2), (97, 0.3), (180, 0.4), (340, 0.6), (530, 0.8), (760, 1.0), (1000, 1.2), (1500, 1.4))
"""Reference table 1, the same for 10 minutes; beyond these the release is shorter than its way, which a steady plume does not know."""
RMP_URBAN_10_MIN = ((420, 0.3), (760, 0.4), (1400, 0.6), (2100, 0.8), (3100, 1.0), (4200, 1.2))
"""Reference table 3, the same for a city."""
