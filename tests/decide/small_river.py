"""The small river with flood and ammonia, as tests of muting see it: what a city hears, what stands, and what its people state."""

from __future__ import annotations

import json
from itertools import count

from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Statement
from stream.records.output import Kind

POLLUTANT = """
family = "water"
category = "env"
quantities = ["ammonia"]
footprint = "river_solute"
[[detectors]]
name = "concentration"
[rules]
validity_s = 21600
hold_s = 3600
status_valid_s = 3600
grid_step_s = 600
min_probability = 0.1
[texts.zh]
name = "氨氮"
[texts.en]
name = "ammonia"
"""
RULES = """
[flood-first]
equal = "{equal}"
[flood-first.source]
hazards = ["flood"]
level_from = "red"
[flood-first.target]
hazards = ["pollutant"]
level_to = "{level_to}"
[flood-first.why]
zh = "先防洪"
en = "the flood comes first"
"""
STATED = count()


class City:
    """The small river with a flood at the upper gauge, and what people of a city state."""

    def __init__(self, tale, start):
        self.tale, self.at = tale, start
        self.values = {"upper/stage": 1.0, "middle/stage": 1.0, "lower/stage": 1.0}

    def until(self, at, step=10 * MINUTE, **values):
        self.values |= {name.replace("_", "/"): value for name, value in values.items()}
        while self.at < at:
            self.at = min(at, self.at + step)
            self.tale.measure(self.at, self.values)
            self.tale.tick(self.at + SECOND)

    def states(self, act, city="bor", **fields):
        message = Statement(
            domain="rill", region_hash=self.tale.region.region_hash, city_id=city, statement_id=fields.pop("id", f"stm-{next(STATED)}"),
            act=act, by="li", received_at=self.at, starts_at=fields.pop("starts_at", self.at), **fields,
        )  # fmt: skip
        self.tale.give(self.at, message)
        return message.statement_id

    def silence(self, level, city="bor", hours=24.0, **fields):
        return self.states("silence", city, level=level, ends_at=self.at + round(hours * HOUR), text="we know", **fields)

    def heard(self, city="bor"):
        return self.tale.told(city)

    def standing(self, city="bor", hazard="flood"):
        """The last record of the city's warning on the compacted topic."""
        found = [json.loads(one.value) for one in self.tale.outputs if one.kind is Kind.WARNINGS and one.city_id == city]
        return [one for one in found if one["hazard"] == hazard][-1]

    def last_status(self, city="bor", hazard="flood"):
        return [one for one in self.tale.messages(city, "status") if one["hazard"] == hazard][-1]

    def incident(self, hazard="flood"):
        found = [json.loads(one.value) for one in self.tale.outputs if one.kind is Kind.INCIDENTS]
        return [one for one in found if one["hazard"] == hazard][-1]
