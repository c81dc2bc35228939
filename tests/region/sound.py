"""A small region without a fault, as texts; tests break one thing at a time. Line numbers below are what the tests expect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.region.bundle import Bundle, region_hash
from stream.region.load import examine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stream.region.model import Region
    from stream.region.problems import Findings

REGION = """\
name = "small"
[title]
zh = "小"
en = "Small"
[domains.rill]
families = ["water"]
[domains.haze]
families = ["air"]
pin = 3
[defaults]
timezone = "Asia/Shanghai"
interval_s = 600
"""
STATIONS = """\
station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in,blue,red,limit
a,stage,rill,m,upton,1,2,r1,0,600,UTC,local,haze,2,4,
b,stage,rill,m,downton,1.5,2,r2,3,,,,,2.5,4,
b,ammonia,rill,ug/l,downton,1.5,2,r2,3,,,,,,,1000
s,pm25,haze,ug/m3,upton,1,2,,,3600,,,,,,
w,wind_speed,haze,m/s,-,,,,,3600,,,,,,
"""
CITIES = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature",
 "properties": {"id": "upton",
   "name_zh": "上", "name_en": "Upton",
   "parent": "land",
   "radius_km": 5,
   "population": 1000,
   "river": [{"reach": "r1", "km": 1}]},
 "geometry": {"type": "Point", "coordinates": [2, 1]}},
{"type": "Feature",
 "properties": {"id": "downton",
   "name_zh": "下", "name_en": "Downton",
   "parents": ["land", "world"],
   "river": [{"reach": "r2", "km": 4}]},
 "geometry": {"type": "Polygon", "coordinates": [[[1.95, 1.45], [2.05, 1.45], [2.05, 1.55], [1.95, 1.55], [1.95, 1.45]]]}},
{"type": "Feature", "properties": {"id": "land", "name_zh": "国", "name_en": "Land", "level": "country"}, "geometry": null}
]}
"""
REACHES = """\
reach,downstream,length_km,celerity_m_per_s
r1,r2,10,1.2
r2,,10,
"""
FLOOD = """\
family = "water"
category = "met"
quantities = ["stage"]
footprint = "river_wave"
[footprint_parameters]
log_sd = 0.3
[[detectors]]
name = "stage"
[detectors.parameters]
clear_after_n = 2
[quality]
fail_min = -5
[quality.stage]
fail_max = 30
[rules]
hold_s = 7200
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
alert = "{level} {hazard} for {city}"
"""
POLLUTANT = """\
family = "water"
category = "env"
quantities = ["ammonia"]
footprint = "river_solute"
[[detectors]]
name = "concentration"
[texts.zh]
name = "氨氮"
[texts.en]
name = "ammonia"
"""
AIR = """\
family = "air"
category = "env"
quantities = ["pm25"]
conditions = ["wind_speed"]
footprint = "wind"
[[detectors]]
name = "aqi"
parameters = {table = "hj_633_2012"}
[texts.zh]
name = "烟"
[texts.en]
name = "smoke"
"""
FILES: Mapping[str, str] = {
    "region.toml": REGION,
    "stations.csv": STATIONS,
    "cities.geojson": CITIES,
    "reaches.csv": REACHES,
    "hazards/flood.toml": FLOOD,
    "hazards/pollutant.toml": POLLUTANT,
    "hazards/air.toml": AIR,
}


def bundled(files: Mapping[str, str | bytes]) -> Bundle:
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return Bundle("small", region_hash(content), content)


def examined(files: Mapping[str, str | bytes]) -> tuple[Region | None, Findings]:
    return examine(bundled(files))


def broken(file: str, old: str, new: str) -> dict[str, str | bytes]:
    """The small region with one text replaced, once."""
    assert FILES[file].count(old) >= 1, (file, old)
    return {**FILES, file: FILES[file].replace(old, new, 1)}
