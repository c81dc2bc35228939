"""A journal as a broker and a worker would write it whose clocks are wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from stream.records.instants import MINUTE, SECOND, from_text
from stream.records.journal import Acknowledgement, Tick
from stream.records.output import Kind
from tests.decide.conftest import START, Story

QUIET = {"upper": 1.0, "middle": 1.0, "lower": 1.0}
TICK = 20 * SECOND


@dataclass
class World:
    """A journal as a broker and a worker would write it: `at` is the true time, each of their clocks may be off (`broker`, `wall`; ms)."""

    story: Story
    at: int = START
    broker: int = 0
    wall: int = 0
    values: dict[str, float] = field(default_factory=lambda: dict(QUIET))
    doors: int | None = None
    answers: int | None = None
    suspect: list[bool] = field(default_factory=list)

    def __post_init__(self):
        self.measured_at = self.at

    def tick(self, elapsed_s=TICK / SECOND):
        stamp = self.at + self.broker
        read_to = stamp - 2 * SECOND
        doors = read_to if self.doors is None else self.doors
        answers = read_to if self.answers is None else self.answers
        self.story.append(stamp, Tick(self.at + self.wall, elapsed_s, doors, acknowledgements_written_at=answers))
        self.suspect.append(self.story.state.core.time_suspect)

    def measure(self, **values):
        """Sensors' clocks are right."""
        self.values |= values
        Story.measure(_Plain(self.story), self.at + self.broker, self.values, observed_at=self.at)
        self.measured_at = self.at

    def live(self, for_ms, *, measuring=True):
        """Time goes by: ticks, and every ten minutes a measurement of everything."""
        end = self.at + for_ms
        while self.at < end:
            self.at += TICK
            if measuring and self.at - self.measured_at >= 10 * MINUTE:
                self.measure()
            self.tick()
        return self

    def answer(self, city, by="li", action="seen"):
        last = self.story.messages(city)[-1]
        stamp = self.at + self.broker
        self.story.append(
            stamp,
            Acknowledgement("rill", self.story.region.region_hash, city, last["warning_id"], last["revision"], action, by, "no", stamp),
        )

    def states(self):
        """How every city stands now."""
        bodies = [json.loads(one.value) for one in self.story.outputs if one.kind is Kind.CITY_STATUS]
        return {one["city_id"]: (one["state"], one.get("because", "")) for one in bodies}

    def told(self, city):
        """What a city was told, and how long after the start."""
        return [(one["msg_type"], one["level"], one["reason"], from_text(one["sent_at"]) - START) for one in self.story.messages(city)]

    def reasons(self):
        return {one.reason for one in self.story.outputs if one.kind is Kind.CITY}


class _Plain:
    """A story without the ticks that its own `give` puts in."""

    def __init__(self, story):
        self._story = story

    def __getattr__(self, name):
        return getattr(self._story, name)

    def give(self, timestamp, message):
        return self._story.append(timestamp, message)
