"""Eight synthetic rivers with three cities each, quick enough that warnings rise, change and end within a chaos run; and their gauges' traffic."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from stream.decide.fold import Fold
from stream.records.journal import Measurements, columns
from stream.region.bundle import Bundle, region_hash
from stream.region.load import load
from stream.runtime.region_publish import publish
from stream.runtime.topic_admin import create
from stream.runtime.topics import plan
from tests.chaos.compare import Verdict, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.runtime.topics import Topics
    from stream.settings import Settings
    from tests.chaos.traffic import Traffic

PRODUCT = "tests.chaos.product_worker"
RIVERS, GAUGES = 8, 3
CITIES = [f"r{river}g{gauge}" for river in range(RIVERS) for gauge in range(GAUGES)]
LEVELS = (1.0, 1.2, 2.5, 3.5, 4.5, 5.5, 3.2, 1.1, 1.0, 1.0)
FLOOD = """
family = "water"
category = "met"
quantities = ["stage"]
footprint = "river_wave"
[[detectors]]
name = "stage"
[quality]
fail_min = 0
[rules]
validity_s = 600
hold_s = 4
silent_after_intervals = 5
blind_limit_s = 600
status_valid_s = 20
grid_step_s = 2
min_probability = 0.1
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
"""


def quiet_gauges(each: int) -> list[str]:
    """So many gauges of each river that no city hears of."""
    return [f"q{river}n{number}" for river in range(RIVERS) for number in range(each)]


def rivers(validity_s: int = 600, *, spreading: bool = True, quiet: int = 0) -> Bundle:
    """The region; without `spreading` each city hears of its own gauge only, and a warning is valid for `validity_s` and no longer.

    `quiet`: further gauges of each river, in no city.
    """
    stations = ["station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,blue,yellow,orange,red"]
    reaches = ["reach,downstream,fraction,length_km,celerity_m_per_s"]
    features = []
    domains = "".join(f'[domains.river{river}]\nfamilies = ["water"]\n' for river in range(RIVERS))
    for river in range(RIVERS):
        for gauge in range(GAUGES):
            name, reach = f"r{river}g{gauge}", f"a{river}x{gauge}"
            down = f"a{river}x{gauge + 1}" if gauge + 1 < GAUGES else ""
            stations.append(f"{name},stage,river{river},m,{name},{30 - gauge / 5},{110 + river},{reach},0,2,UTC,2,3,4,5")
            reaches.append(f"{reach},{down},1,36,1")
            features.append({
                "type": "Feature", "geometry": {"type": "Point", "coordinates": [110 + river, 30 - gauge / 5]},
                "properties": {"id": name, "name_zh": name, "name_en": name, "level": "city", "radius_km": 5, "river": [{"reach": reach, "km": 0}]},
            })  # fmt: skip
    stations += [f"{name},stage,river{name[1]},m,-,30,110,,,2,UTC,2,3,4,5" for name in quiet_gauges(quiet)]
    flood = FLOOD.replace("validity_s = 600", f"validity_s = {validity_s}")
    flood = flood if spreading else flood.replace('footprint = "river_wave"\n', "")
    files = {
        "region.toml": f'name = "rivers"\n[title]\nzh = "河（合成）"\nen = "Rivers (synthetic)"\n{domains}',
        "stations.csv": "\n".join(stations) + "\n",
        "reaches.csv": "\n".join(reaches) + "\n",
        "cities.geojson": json.dumps({"type": "FeatureCollection", "features": features}),
        "hazards/flood.toml": flood,
    }
    content = {name: text.encode() for name, text in files.items()}
    return Bundle("rivers", region_hash(content), content)


def set_up_rivers(settings: Settings, bundle: Bundle) -> None:
    create(settings.cluster, plan(settings, CITIES))
    asyncio.run(publish(settings, bundle))


def judged(settings: Settings, traffic: Traffic, bundle: Bundle) -> Verdict:
    """Both comparisons, for the traffic of `gauges`."""
    region = load(bundle)

    def item(message: Measurements, index: int) -> object:
        arrays = columns(message)
        return region.series.ids[arrays.rows[index]], int(arrays.observed_at[index])

    fold = Fold(lambda _: region, lane=settings.lane, clock=settings.clock, partitions=settings.partitions)
    return compare(settings, fold, traffic.acknowledged, CITIES, item)


def gauges(topics: Topics, partitions: int) -> object:
    """`make` for `Traffic`: every gauge once a step, its river rising and falling (one river or another at every step), now and then something that is no measurement."""

    def make(step: int) -> Iterator[tuple[str, int, bytes, object]]:
        at = time.time_ns() // 1_000_000
        for number, name in enumerate(CITIES):
            river = number // GAUGES
            value = LEVELS[((step + river) // 10 + river) % len(LEVELS)] + (step % 10) / 100
            body = json.dumps({"series": f"{name}/stage", "observed_at": at / 1000, "value": value}).encode()
            yield topics.doors[0], number % partitions, body, (f"{name}/stage", at)
        if step % 25 == 0:
            junk = b"junk %d" % step
            yield topics.doors[0], step % partitions, junk, junk

    return make
