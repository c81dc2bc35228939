"""The region and the measurements every benchmark uses: generated, the same at every run.

A series measures the stage of a river every few seconds: a quiet level with noise, and now and then a flare of four samples well above the
second limit. All quality tests are on (range, spike, rate of change, flat line), and two detectors (stage, rate of rise).
"""

from __future__ import annotations

import json
import random
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.records.instants import to_text

if TYPE_CHECKING:
    from pathlib import Path

STEP_MS = 10_000
QUIET_M, FLARE_M, NOISE_M = 3.3, 5.7, 0.03
FLARE_ROUNDS = 4
"""A flare rises by more than the spike limit: its first sample is suspect, the second one confirms it."""
LEVELS_M = (4.1, 5.1)
"""Just above the two lowest limits; the steps up to them are below the spike limit and are believed at once."""

_COLUMNS = (
    "station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,blue,yellow,orange,red,"
    "fail_min,fail_max,suspect_min,suspect_max,spike_suspect,rate_suspect_per_h,flat_line_tolerance,flat_line_count,rise_blue_per_h,rise_yellow_per_h"
)
_HAZARD = """family = "water"
category = "met"
quantities = ["stage"]
footprint = "river_wave"
[[detectors]]
name = "stage"
[[detectors]]
name = "rate_of_rise"
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
"""


@dataclass(frozen=True)
class Size:
    """How large the world is. Every domain is one reach with one city, or several along it."""

    series: int
    domains: int
    cities_each: int = 1

    def cities(self) -> list[str]:
        """The first city of every domain, then the others."""
        return [city_id(number, place) for place in range(self.cities_each) for number in range(self.domains)]


def city_id(domain: int, place: int) -> str:
    """The `place`th city along the reach of a domain."""
    return f"c{domain}" if place == 0 else f"c{domain}-{place}"


def series_name(number: int) -> str:
    return f"s{number:05d}/stage"


def partition_of(series: int, partitions: int) -> int:
    """Where a librdkafka producer with the series as key sends it: a partition's records come from all domains."""
    return zlib.crc32(series_name(series).encode()) % partitions


def write_region(folder: Path, size: Size) -> None:
    """Series `i` is in domain `i % domains`."""
    (folder / "hazards").mkdir(parents=True)
    domains = "".join(f'[domains.d{number}]\nfamilies = ["water"]\n' for number in range(size.domains))
    (folder / "region.toml").write_text(f'name = "bench"\n[title]\nzh = "b"\nen = "b"\n{domains}', "utf-8")
    rows = [
        f"s{number:05d},stage,d{number % size.domains},m,c{number % size.domains},30,110,r{number % size.domains},0,3600,"
        "4,5,6,7,-5,30,-4,25,2,100000000,0.000001,5,4,8"
        for number in range(size.series)
    ]
    (folder / "stations.csv").write_text("\n".join([_COLUMNS, *rows, ""]), "utf-8")
    reaches = [f"r{number},,1,{max(10, size.cities_each)},1" for number in range(size.domains)]
    (folder / "reaches.csv").write_text("\n".join(["reach,downstream,fraction,length_km,celerity_m_per_s", *reaches, ""]), "utf-8")
    (folder / "cities.geojson").write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": [_city(n, place) for place in range(size.cities_each) for n in range(size.domains)]}
        ),
        "utf-8",
    )
    (folder / "hazards" / "flood.toml").write_text(_HAZARD, "utf-8")


def _city(number: int, place: int) -> dict:
    name = city_id(number, place)
    names = {"id": name, "name_zh": f"城{name[1:]}", "name_en": f"City {name[1:]}", "level": "city"}
    point = {"type": "Point", "coordinates": [80 + number % 100 * 0.3, 20 + number // 100 * 0.3 + place * 0.02]}
    return {"type": "Feature", "geometry": point, "properties": {**names, "radius_km": 5, "river": [{"reach": f"r{number}", "km": place}]}}


def message(series: int, observed_at: int, value: float) -> bytes:
    """What a gateway sends: one measurement, time as RFC 3339 text, with its unit."""
    return b'{"series":"%s","observed_at":"%s","value":%.3f,"unit":"m"}' % (
        series_name(series).encode(),
        to_text(observed_at).encode(),
        value,
    )


class Traffic:
    """Rounds of measurements: each round has one of every series, in another order. Two series a ten thousand begin a flare in each."""

    def __init__(self, size: Size, begin_at: int) -> None:
        self._size = size
        self._begin_at = begin_at

    def observed_at(self, number: int) -> int:
        """The instant of a round."""
        return self._begin_at + number * STEP_MS

    def messages(self, number: int) -> list[tuple[int, bytes]]:
        """(series, message) of a round; the same however often it is asked for."""
        chance = random.Random(number)
        order = list(range(self._size.series))
        chance.shuffle(order)
        flaring = {series for begun in range(number - FLARE_ROUNDS + 1, number + 1) for series in self._flares(begun)}
        at = self.observed_at(number)
        return [(series, message(series, at, (FLARE_M if series in flaring else QUIET_M) + chance.gauss(0, NOISE_M))) for series in order]

    def _flares(self, number: int) -> list[int]:
        # Not in the first rounds, which make the series known.
        return random.Random(-number - 1).sample(range(self._size.series), max(2, self._size.series // 5_000)) if number > 1 else []
