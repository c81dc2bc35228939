"""The invented story that `deploy/regions/example/history.csv` tells, as a function without chance: the same bytes on every machine.

Seventeen days: three quiet ones; then a flood wave from Linyuan passes five cities in turn; ammonia from Shankou comes down its tributary;
smoke drifts from Linyuan to the east; cases rise in Linhe. Each danger leaves some city untouched, and is over at the end.

Run as `python -m tests.region.example_history` it writes the file; a test proves that the committed one is this.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tests.region.shared import REGIONS

START = datetime(2024, 5, 1, tzinfo=UTC)
DAYS = 17
HOUR_S = 3600
# Kilometres below Linyuan along the main river, and of the tributary's waters below Shankou.
BELOW_LINYUAN_KM = {"linyuan": 0.0, "hekou": 65.0, "linhe": 130.0, "pingze": 180.0, "lingang": 240.0}
BELOW_SHANKOU_KM = {"shankou": 0.0, "hekou": 45.0, "linhe": 110.0, "pingze": 160.0, "lingang": 220.0}
CITIES = ("hekou", "lingang", "linhe", "linyuan", "pingze", "shankou")
FLOOD_PEAK_M = {"linyuan": 3.4, "hekou": 2.9, "linhe": 2.4, "pingze": 1.9, "lingang": 1.0, "shankou": 0.0}
AMMONIA_PEAK_MG_L = {"shankou": 12.0, "hekou": 2.8, "linhe": 1.9, "pingze": 0.9, "lingang": 0.6, "linyuan": 0.0}
# (km downwind of Linyuan, peak of smoke in ug/m3); Shankou and Lingang lie aside.
SMOKE = {"linyuan": (0.0, 300.0), "hekou": (62.0, 170.0), "linhe": (119.0, 110.0), "pingze": (169.0, 45.0), "lingang": (226.0, 8.0)}
CASES = {10: 20, 11: 60, 12: 95, 13: 100, 14: 60, 15: 15}
CELERITY_KM_PER_H, VELOCITY_KM_PER_H, WIND_KM_PER_H = 5.4, 2.0, 14.4
FLOOD_AT_H, SPILL_AT_H, SMOKE_AT_H = 84.0, 132.0, 222.0


def jitter(series: str, step: int) -> float:
    """A number from -1 to 1 that looks like noise and is the same everywhere."""
    return int.from_bytes(sha256(f"{series} {step}".encode()).digest()[:4], "big") / 2**31 - 1


def bump(hours: float, rise_h: float, fall_h: float) -> float:
    """A wave with its peak (1.0) at 0: rising over about `rise_h`, falling over about `fall_h`."""
    return math.exp(-((hours / (rise_h if hours < 0 else fall_h)) ** 2))


def stage_m(city: str, hour: int) -> float:
    """Water level."""
    wave = FLOOD_PEAK_M[city] * bump(hour - FLOOD_AT_H - BELOW_LINYUAN_KM.get(city, 0.0) / CELERITY_KM_PER_H, 10, 24)
    return 2.0 + wave + 0.02 * jitter(f"{city}/stage", hour)


def discharge_m3_per_s(city: str, hour: int) -> float:
    """Discharge by a rating curve of the level."""
    mean = {"linyuan": 120.0, "linhe": 165.0, "shankou": 40.0}[city]
    return float(mean * (stage_m(city, hour) / 2.0) ** 1.7)


def ammonia_mg_per_l(city: str, hour: int) -> float:
    """Concentration: a cloud that grows longer on its way."""
    way_h = BELOW_SHANKOU_KM.get(city, 0.0) / VELOCITY_KM_PER_H
    cloud = AMMONIA_PEAK_MG_L[city] * bump(hour - SPILL_AT_H - way_h, 5 + 0.06 * way_h, 9 + 0.1 * way_h)
    return max(0.0, 0.15 + cloud + 0.03 * jitter(f"{city}/ammonia", hour))


def pm25_ug_per_m3(city: str, hour: int) -> float:
    """Fine particles: a daily rhythm, and the smoke."""
    km, peak = SMOKE.get(city, (0.0, 0.0))
    smoke = peak * bump(hour - SMOKE_AT_H - km / WIND_KM_PER_H, 4, 14)
    return 22.0 + 5.0 * math.cos(2 * math.pi * (hour - 8) / 24) + smoke + 3.0 * jitter(f"{city}/pm25", hour)


def cases(city: str, day: int) -> int:
    """Cases reported for a day (numbered from 1)."""
    usual = 2 + round(1.5 * jitter(f"{city}/cases", day))
    return CASES.get(day, usual) if city == "linhe" else usual


def rows() -> list[tuple[int, str, str]]:
    """(seconds since the start, series, value as text) of everything measured, by time and series."""
    found: list[tuple[int, str, str]] = []
    for hour in range(DAYS * 24):
        at = hour * HOUR_S
        found += [(at, f"{city}/stage", f"{stage_m(city, hour):.2f}") for city in CITIES]
        found += [(at, f"{city}/pm25", f"{pm25_ug_per_m3(city, hour):.0f}") for city in CITIES]
        found += [(at, f"{city}/discharge", f"{discharge_m3_per_s(city, hour):.0f}") for city in ("linhe", "linyuan", "shankou")]
        found.append((at, "lin-mast/wind_speed", f"{4 + 0.4 * jitter('speed', hour):.1f}"))
        found.append((at, "lin-mast/wind_direction", f"{280 + 8 * jitter('direction', hour):.0f}"))
        if hour % 4 == 0:
            found += [(at, f"{city}/ammonia", f"{ammonia_mg_per_l(city, hour):.2f}") for city in CITIES]
    for day in range(1, DAYS + 1):
        found += [(day * 24 * HOUR_S, f"{city}/cases", str(cases(city, day))) for city in CITIES]
    return sorted(found)


def history_csv() -> str:
    """The file."""
    lines = ["series,observed_at,value"]
    lines += [f"{series},{START + timedelta(seconds=at):%Y-%m-%dT%H:%MZ},{value}" for at, series, value in rows()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (REGIONS / "example" / "history.csv").write_text(history_csv(), encoding="utf-8", newline="\n")
