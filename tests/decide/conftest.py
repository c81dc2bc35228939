"""A small synthetic river, and a story teller: measurements at instants in, warnings per city out."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from stream.decide.fold import Fold
from stream.errors import UnknownRegion
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, Command, Entry, Tick, encode, measurements, partition_of
from stream.records.output import Kind, Output
from stream.records.warning import Lane
from stream.region.bundle import Bundle, bundle
from stream.region.load import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stream.region.model import Region

START = 1_790_000_000_000 // HOUR * HOUR

FILES = {
    "region.toml": """
name = "rill"
[title]
zh = "小河（合成）"
en = "Rill (synthetic)"
[domains.rill]
families = ["water"]
""",
    "stations.csv": """station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in,blue,yellow,orange,red
upper,stage,rill,m,ava,30.0,110.0,r1,0,600,UTC,,,2,3,4,5
middle,stage,rill,m,bor,29.8,110.1,r2,0,600,UTC,,,2,3,4,5
lower,stage,rill,m,cam,29.6,110.2,r3,0,600,UTC,,,2,3,4,5
""",
    "reaches.csv": """reach,downstream,fraction,length_km,celerity_m_per_s,velocity_m_per_s,residence_h,mean_discharge_m3_per_s
r1,r2,1,36,1,,,
r2,r3,1,36,1,,,
r3,,1,10,1,,,
""",
    "cities.geojson": json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": {"type": "Point", "coordinates": [110 + i / 10, 30 - i / 5]},
                    "properties": {
                        "id": name, "name_zh": zh, "name_en": name.title(), "level": "city", "radius_km": 5, "river": [{"reach": f"r{i + 1}", "km": 0}],
                    },
                }
                for i, (name, zh) in enumerate([("ava", "阿瓦"), ("bor", "博尔"), ("cam", "卡姆")])
            ],
        }
    ),
    "hazards/flood.toml": """
family = "water"
category = "met"
quantities = ["stage"]
footprint = "river_wave"
[[detectors]]
name = "stage"
[rules]
validity_s = 21600
hold_s = 3600
silent_after_intervals = 3
blind_limit_s = 43200
status_valid_s = 3600
grid_step_s = 600
min_probability = 0.1
[texts.zh]
name = "洪水"
[texts.en]
name = "flood"
""",
}  # fmt: skip


def make_bundle(files: dict[str, str], folder: Path) -> Bundle:
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return bundle(folder)


@dataclass
class Story:
    """Feeds one partition's journal; `told` collects what each city was told, in order."""

    files: dict[str, str]
    folder: Path
    clock: str = "broker"
    partitions: int = 1
    outputs: list[Output] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    ticked: Tick | None = None

    def __post_init__(self):
        self.region = load(make_bundle(self.files, self.folder))
        self.regions = {self.region.region_hash: self.region}
        self.fold = Fold(self.lookup, lane=Lane.TEST, clock=self.clock, partitions=self.partitions)
        domain = self.region.domains[0].domain_id
        self.state = self.fold.initial(partition_of(domain, self.partitions))
        self.activate(START if self.clock == "broker" else 0)

    def lookup(self, region_hash):
        if region_hash not in self.regions:
            raise UnknownRegion(region_hash)
        return self.regions[region_hash]

    def give(self, timestamp: int, message) -> list[Output]:
        """Apply one record. In a journal there are ticks all the time: one stands before whatever comes after a pause."""
        paused = self.entries and timestamp > self.entries[-1].timestamp + MINUTE
        if isinstance(message, Tick):
            self.ticked = message
        elif paused and self.ticked is not None and self.clock == "broker":
            last = self.ticked
            marks = [
                one if one < last.written_at else timestamp - 2 * SECOND
                for one in (last.doors_written_at, last.acknowledgements_written_at)
            ]
            elapsed_s = (timestamp - last.written_at) / SECOND
            self.give(timestamp, Tick(timestamp, elapsed_s, marks[0], acknowledgements_written_at=marks[1], lane=last.lane))
        return self.append(timestamp, message)

    def append(self, timestamp: int, message) -> list[Output]:
        """Apply one record and nothing else."""
        entry = Entry(len(self.entries), timestamp, encode(message))
        self.entries.append(entry)
        made = self.fold.apply(self.state, [entry])
        self.outputs += made
        return made

    def activate(self, timestamp: int):
        return self.give(timestamp, Command("activate", self.region.name, self.region.region_hash))

    def measure(self, timestamp: int, values: dict[str, float], observed_at: int | None = None, flags: int = 0):
        """Values by series (or by station of the only quantity), observed at the timestamp."""
        ids = {name if "/" in name else f"{name}/stage": value for name, value in values.items()}
        rows = [self.region.series.row_of[name] for name in ids]
        arrays = Columns(
            np.array(rows, "<i4"),
            np.full(len(rows), timestamp if observed_at is None else observed_at, "<i8"),
            np.array(list(ids.values()), "<f8"),
            np.full(len(rows), flags, "u1"),
        )
        domain = self.region.domains[self.region.series.domain[rows[0]]].domain_id
        return self.give(timestamp, measurements(domain, self.region.region_hash, arrays))

    def tick(self, timestamp: int, doors_written_at: int | None = None, *, closing: bool = False):
        elapsed_s = 5.0 if self.ticked is None else (timestamp - self.ticked.written_at) / SECOND
        return self.give(timestamp, Tick(timestamp, elapsed_s, timestamp if doors_written_at is None else doors_written_at, closing))

    def quiet(self, start: int, end: int, values: dict[str, float], step: int = 10 * MINUTE):
        """Unchanging measurements with ticks in between."""
        for at in range(start, end, step):
            self.measure(at, values)
            self.tick(at + SECOND)

    def messages(self, city: str, type_: str = "warning", since: int = 0) -> list[dict]:
        return [
            body
            for output in self.outputs[since:]
            if output.kind is Kind.CITY and output.city_id == city and (body := json.loads(output.value))["type"] == type_
        ]

    def told(self, city: str) -> list[tuple[str, str, str]]:
        """(message type, level, reason) of every warning the city received."""
        return [(body["msg_type"], body["level"], body["reason"]) for body in self.messages(city)]

    def status(self, city: str) -> str | None:
        said = self.messages(city, "status")
        return said[-1]["state"] if said else None


CALM = {"upper": 1.0, "middle": 1.0, "lower": 1.0}


@pytest.fixture
def story(tmp_path) -> Callable[..., Story]:
    def tell(files: dict[str, str] | None = None, **options) -> Story:
        changed = {name: text for name, text in {**FILES, **(files or {})}.items() if text}
        return Story(changed, tmp_path, **options)

    return tell


@pytest.fixture
def files() -> dict[str, str]:
    """The small river's files, to be changed."""
    return dict(FILES)


@pytest.fixture
def calm() -> dict[str, float]:
    return dict(CALM)


@pytest.fixture
def start() -> int:
    return START


@pytest.fixture
def change(tmp_path) -> Callable[..., Region]:
    """A second version of a tale's region, known to its fold but not active yet: files edited by functions of the old text."""

    def make(tale: Story, *, stations: Callable[[str], str] = str, cities: Callable[[str], str] = str) -> Region:
        files = dict(tale.files)
        files["stations.csv"], files["cities.geojson"] = stations(files["stations.csv"]), cities(files["cities.geojson"])
        region = load(make_bundle(files, tmp_path / "second"))
        tale.regions[region.region_hash] = region
        return region

    return make
