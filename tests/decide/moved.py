"""Two domains, a station that moves between them, and everything that can happen in another order: doors, journals, activations, restarts."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stream.decide.fold import Fold
from stream.records.instants import HOUR
from stream.records.journal import Columns, Command, Entry, Tick, decode, encode, measurements, partition_of
from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.bundle import Bundle, region_hash
from stream.region.load import load
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from stream.region.model import Region

START = 1_790_000_000_000 // HOUR * HOUR
PARTITIONS = 3
STEPS = 12
"""Of about a second each, in which everything is measured on: three times the hold time."""
STATIONS = ("left", "right", "moved", "steady")
FLOOD_M, CALM_M = 5.5, 1.0
QUICK = {
    "validity_s = 21600": "validity_s = 600", "hold_s = 3600": "hold_s = 4", "silent_after_intervals = 3": "silent_after_intervals = 5",
    "blind_limit_s = 43200": "blind_limit_s = 1200", "status_valid_s = 3600": "status_valid_s = 20", "grid_step_s = 600": "grid_step_s = 2",
    'footprint = "river_wave"\n': "",
}  # fmt: skip


@cache
def region(homes: tuple[tuple[str, str], ...], pins: tuple[tuple[str, int], ...]) -> Region:
    """The stations in these domains (one that has none is not there), which are pinned to partitions."""
    flood = FILES["hazards/flood.toml"]
    for old, new in QUICK.items():
        flood = flood.replace(old, new)
    stations = ["station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,blue,yellow,orange,red"]
    stations += [f"{name},stage,{domain},m,{name},{30 + len(name)},110,,,2,UTC,2,3,4,5" for name, domain in homes if domain]
    places = [
        {
            "type": "Feature", "geometry": {"type": "Point", "coordinates": [110, 30 + len(name)]},
            "properties": {"id": name, "name_zh": name, "name_en": name, "level": "city", "radius_km": 5},
        }
        for name in STATIONS
    ]  # fmt: skip
    head = 'name = "rill"\n[title]\nzh = "小河（合成）"\nen = "Rill (synthetic)"\n'
    files = {
        "region.toml": head + "".join(f'[domains.{name}]\nfamilies = ["water"]\npin = {pin}\n' for name, pin in pins),
        "stations.csv": "\n".join(stations) + "\n",
        "cities.geojson": json.dumps({"type": "FeatureCollection", "features": places}),
        "hazards/flood.toml": flood,
    }
    content = {name: text.encode() for name, text in files.items()}
    return load(Bundle("rill", region_hash(content), content))


class Taken(NamedTuple):
    """A measurement that a domain took into its history."""

    domain: str
    station: str
    observed_at: int


class Watched(Fold):
    """The fold, with a list of what each partition's domains took, and of what a deadline might have overtaken."""

    def __init__(self, regions: dict[str, Region]) -> None:
        super().__init__(regions.__getitem__, lane=Lane.TEST, clock="broker", partitions=PARTITIONS)
        self._by_hash = regions
        self.taken: dict[int, list[Taken]] = defaultdict(list)
        self.first: set[tuple[str, int]] = set()
        self.overtaken: list[Taken] = []
        self.active_at: dict[int, int] = defaultdict(int)
        self.door_at: dict[tuple[str, int], int] = {}

    def _taken(self, state, pending, timestamp, record):
        arrays = self.columns_of(record[1])
        for station, observed_at in arrays:
            one = Taken(record[1].domain, station, observed_at)
            self.taken[state.core.partition].append(one)
            door_at = self.door_at.get((station, observed_at), 0)
            if one[1:] not in self.first and state.core.doors_written_at >= max(door_at, self.active_at[state.core.partition] + 1):
                self.overtaken.append(one)
            self.first.add(one[1:])
        return super()._taken(state, pending, timestamp, record)

    def columns_of(self, message):
        ids = self._by_hash[message.region_hash].series.ids
        rows, times = np.frombuffer(message.rows, "<i4"), np.frombuffer(message.observed_at, "<i8")
        return [(ids[row].partition("/")[0], at) for row, at in zip(rows.tolist(), times.tolist(), strict=True)]


class World:
    """Doors, journals and folds. Everything happens when it is told to; `now` moves on with each step."""

    def __init__(self, regions: list[Region]) -> None:
        self.regions, self.published, self.now = regions, 0, START
        self.replaced: dict[str, int] = {}
        self.flooded = {"moved", "steady"}
        self.by_hash = {one.region_hash: one for one in regions}
        self.fold = Watched(self.by_hash)
        self.doors: list[tuple[int, str]] = []
        self.waiting: list[int] = []
        self.deliveries: dict[int, int] = defaultdict(int)
        self.journals: dict[int, list[Entry]] = {number: [] for number in range(PARTITIONS)}
        self.states = {number: self.fold.initial(number) for number in range(PARTITIONS)}
        self.applied = dict.fromkeys(range(PARTITIONS), 0)
        self.outputs: dict[int, list] = {number: [] for number in range(PARTITIONS)}
        self.saved: dict[int, tuple[bytes, int, int, int]] = {}
        self.restarts = 0
        self.told: set[tuple[int, str, int]] = set()
        for number in range(PARTITIONS):
            self.follow(number)
            self.run(number)
            self.checkpoint(number)

    def write(self, partition: int, value: bytes) -> None:
        self.journals[partition].append(Entry(len(self.journals[partition]), self.now, value))

    def publish(self) -> None:
        """The next region follows the one that is published."""
        if self.published + 1 < len(self.regions):
            self.now += 1
            self.replaced[self.regions[self.published].region_hash] = self.now
            self.published += 1
            self.replaced.pop(self.regions[self.published].region_hash, None)

    def measure(self, station: str) -> None:
        self.now += 100
        self.fold.door_at[station, self.now] = self.now
        self.waiting.append(len(self.doors))
        self.doors.append((self.now, station))

    def accept(self, number: int, version: int) -> None:
        """Some ACCEPT writes a door's record into the journal, by the region it knows."""
        at, station = self.doors[number]
        known = self.regions[min(version, self.published)]
        row = known.series.row_of.get(f"{station}/stage")
        if row is None:
            return  # an unknown series: refused at the door
        domain = known.domains[known.series.domain[row]]
        value = FLOOD_M if station in self.flooded else CALM_M
        arrays = Columns(np.array([row], "<i4"), np.array([at], "<i8"), np.array([value]), np.zeros(1, "u1"))
        self.write(
            partition_of(domain.domain_id, PARTITIONS, domain.pin), encode(measurements(domain.domain_id, known.region_hash, arrays))
        )
        self.deliveries[number] += 1
        if number in self.waiting:
            self.waiting.remove(number)

    def follow(self, partition: int) -> None:
        """The partition's owner writes which region is active, and which are not any more that something waits for."""
        wanted, state = self.regions[self.published], self.states[partition]
        if self.fold.active(state).get(wanted.name) != wanted.region_hash:
            self.write(partition, encode(Command("activate", wanted.name, wanted.region_hash)))
            return
        for replaced, at in self.replaced.items():
            if (partition, replaced, at) not in self.told:
                self.told.add((partition, replaced, at))
                self.write(partition, encode(Command("superseded", wanted.name, replaced, at=at)))
        earlier = {one.region_hash for one in self.regions[: self.published]} - {wanted.region_hash}
        for one in sorted(self.fold.awaited(state) & earlier):
            self.write(partition, encode(Command("superseded", wanted.name, one)))

    def tick(self, partition: int) -> None:
        self.now += 50
        mark = min((self.doors[one][0] for one in self.waiting), default=self.now) - 1
        self.write(partition, encode(Tick(self.now, 0.5, mark, acknowledgements_written_at=self.now)))

    def run(self, partition: int, most: int = 10_000) -> None:
        """Decide the next records; what goes to other partitions stands in their journals afterwards."""
        for entry in self.journals[partition][self.applied[partition] :][:most]:
            said = decode(entry.value)
            if isinstance(said, Command) and said.command in ("activate", "superseded"):
                self.fold.active_at[partition] = entry.timestamp
            made = self.fold.apply(self.states[partition], [entry])
            self.applied[partition] += 1
            self.outputs[partition] += made
            for one in made:
                if one.kind is Kind.JOURNAL:
                    self.write(one.partition, one.value)

    def checkpoint(self, partition: int) -> None:
        state = self.states[partition]
        sizes = self.applied[partition], len(self.fold.taken[partition]), len(self.outputs[partition])
        self.saved[partition] = (self.fold.snapshot(state), *sizes)

    def restart(self, partition: int) -> None:
        """The owner is killed: what followed its last checkpoint is decided again, and sent again."""
        data, self.applied[partition], taken, outputs = self.saved[partition]
        self.states[partition] = self.fold.restore(data)
        del self.fold.taken[partition][taken:], self.outputs[partition][outputs:]
        self.restarts += 1

    def settle(self, stations: tuple[str, ...] = STATIONS) -> None:
        """Everything goes on for a while, undisturbed, until nothing is under way any more."""
        while self.published + 1 < len(self.regions):
            self.publish()
        for step in range(60):
            if step > 2 * STEPS and self.settled():
                break
            for station in stations if step < STEPS else ():
                self.measure(station)
            for number in list(self.waiting):
                self.accept(number, self.published)
            for partition in range(PARTITIONS):
                self.tick(partition)
                self.run(partition)
                self.follow(partition)
            self.now += 400
        for partition in range(PARTITIONS):
            self.run(partition)

    def settled(self) -> bool:
        """Whether nothing is under way and nothing waits any more."""
        return not any(state.core.held or state.core.moves.stuck for state in self.states.values())

    def said(self, kind: Kind = Kind.CITY) -> list[dict]:
        """What cities were told, by every partition in its order."""
        found = [one for number in range(PARTITIONS) for one in self.outputs[number] if one.kind is kind and one.value]
        return [json.loads(one.value) for one in found]
