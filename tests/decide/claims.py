"""Sources that claim whatever cities a test wants, judged by the fold's own judgement: a world in which anything may come together or fall apart."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.state import SourceState
from stream.decide.stated import LINKED, Placed
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.output import Kind
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stream.decide.scene import Scene
    from tests.decide.conftest import Story

CITIES = ("ava", "bor", "cam", "dun", "eli", "fay")
LEVELS = {"blue": 1, "yellow": 2, "orange": 3, "red": 4}


def files(rules: str = "") -> dict[str, str]:
    """Six cities, each with a gauge on a river of its own."""
    header = FILES["stations.csv"].partition("\n")[0]
    stations = [f"{c},stage,rill,m,{c},{30 + i},110.0,r{i},0,600,UTC,,,2,3,4,5" for i, c in enumerate(CITIES)]
    reaches = [FILES["reaches.csv"].partition("\n")[0], *(f"r{i},,1,10,1,,," for i in range(len(CITIES)))]
    cities = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [110.0, 30.0 + i]},
            "properties": {
                "id": c, "name_zh": c, "name_en": c.title(), "level": "city", "radius_km": 5, "river": [{"reach": f"r{i}", "km": 0}], "parent": "land",
            },
        }
        for i, c in enumerate(CITIES)
    ]  # fmt: skip
    land = {"id": "land", "name_zh": "land", "name_en": "Land", "level": "country"}
    cities.append({"type": "Feature", "geometry": None, "properties": land})
    return {
        "stations.csv": "\n".join([header, *stations, ""]),
        "reaches.csv": "\n".join([*reaches, ""]),
        "cities.geojson": json.dumps({"type": "FeatureCollection", "features": cities}),
        "hazards/flood.toml": FILES["hazards/flood.toml"].replace("[rules]\n", f"[rules]\n{rules}"),
    }


@dataclass
class World:
    """One hazard of a story's domain. `heard`: every body on a city's topic, in order; `incidents`: every record of an incident."""

    tale: Story
    at: int
    heard: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, story: Callable[..., Story], start: int, rules: str = "") -> World:
        """Every gauge has just reported that nothing is the matter."""
        tale = story(files(rules))
        tale.measure(start, dict.fromkeys(CITIES, 1.0))
        tale.tick(start + SECOND)
        return cls(tale, start + 10 * MINUTE)

    @property
    def scene(self) -> Scene:
        """The hazard in the domain."""
        return self.tale.state.scene("rill", 0)

    def claim(self, name: str, cities: Mapping[str, tuple[float, str]], *, onset_at: int | None = None) -> None:
        """A source claims these cities, each with a probability and a level; one that stood claims these now and no others."""
        at, arrives = self.at, self.at + HOUR
        level = max((LEVELS[word] for _, word in cities.values()), default=1)
        before = self.scene.state.sources.get(name)
        source = SourceState(name, level, level, at, at, 1.0, 0.0, None, "linked", "linked", 1)
        source.onset_at = before.onset_at if before is not None else at if onset_at is None else onset_at
        reaches = tuple((city, arrives, arrives, arrives, chance, LEVELS[word]) for city, (chance, word) in cities.items())
        nowhere = (("nowhere", arrives, arrives, arrives, 0.0, 1),)
        source.placed = Placed("", None, None, "", None, name, 1.0, LINKED, reaches or nowhere, "rill")
        self.scene.state.sources[name] = source

    def end(self, name: str) -> None:
        """The source is over, and nothing of it is under way."""
        source = self.scene.state.sources[name]
        source.level, source.ended_at = 0, self.at
        placed = source.placed
        assert placed is not None
        placed.reaches = tuple((city, self.at, self.at, self.at, chance, level) for city, _, _, _, chance, level in placed.reaches)

    def judge(self, at: int | None = None) -> list[dict[str, Any]]:
        """Judge at an instant; what cities and bodies hear of it."""
        self.at = self.at if at is None else at
        made = []
        for output in evaluate(self.scene, Moment(self.at, self.at)):
            if output.kind is Kind.INCIDENTS:
                self.incidents.append(json.loads(output.value))
            elif output.kind is Kind.CITY and (body := json.loads(output.value))["type"] == "warning":
                made.append(body)
        self.heard += made
        return made

    def until(self, at: int, step: int = 10 * MINUTE) -> None:
        """Judge at every grid instant up to `at`."""
        while self.at < at:
            self.judge((self.at // step + 1) * step)

    def told(self, city: str) -> list[tuple[str, str, str]]:
        """(message type, level, reason) of everything a city heard."""
        return [(body["msg_type"], body["level"], body["reason"]) for body in self.heard if body["city_id"] == city]

    def last(self, city: str) -> dict[str, Any]:
        """What a city heard last."""
        return [body for body in self.heard if body["city_id"] == city][-1]

    def record(self, incident_id: str) -> dict[str, Any]:
        """The last record of an incident."""
        return [body for body in self.incidents if body["incident_id"] == incident_id][-1]
