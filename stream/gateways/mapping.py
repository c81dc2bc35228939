"""`gateway.toml`: whose payloads mean what. It turns the names that devices and files use into stations, quantities and units of a region.

Three kinds of senders need it: devices of a radio network (`[[devices]]`), datastreams of a SensorThings service (`[[datastreams]]`), and files
with columns (`[csv]`). `[[sources]]` says which MQTT topics are of which dialect. Who writes Tocsin JSON needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections import abc
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from stream.region.problems import Problem

Place = tuple[str | int, ...]
"""Keys and positions that lead to a value inside a JSON object."""


class MappingError(TocsinError):
    """A mapping is not usable; `problems` lists all of it, each with file, line and field."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Use:
    """What one value of a sender is: `value * scale + offset` in `unit` ("" = the unit its series is kept in).

    `zone`: of its times that have no offset from UTC; None = that of the station, as the region has it.
    """

    station: str
    quantity: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device: what its decoded object holds and where, and where in it the time of the measurement stands (() = when it was received)."""

    device_id: str
    uses: tuple[tuple[Place, Use], ...]
    time: Place = ()


@dataclass(frozen=True, slots=True)
class Columns:
    """How files with columns are read. `names`: our field -> their column; `values`: their column -> what stands in it (station "" = that of the row).

    Without `values` each row is one measurement, in the column of `value`. `stations`: their code -> our station. `time_format`: as strptime has it, "" = ISO 8601.
    `missing`: cells that hold no value.
    """

    names: abc.Mapping[str, str] = field(default_factory=dict)
    values: abc.Mapping[str, Use] = field(default_factory=dict)
    stations: abc.Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    encoding: str = "utf-8"
    time_format: str = ""
    zone: ZoneInfo | None = None
    missing: frozenset[str] = frozenset({""})


@dataclass(frozen=True, slots=True)
class Source:
    """MQTT topics that match a filter are of one dialect."""

    topic: str
    dialect: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """All of `gateway.toml`. Devices by their ids in lower case, datastreams by their ids as text."""

    devices: abc.Mapping[str, Device] = field(default_factory=dict)
    datastreams: abc.Mapping[str, Use] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    sources: tuple[Source, ...] = ()

    def dialect_of(self, topic: str) -> str:
        """The dialect of an MQTT topic, that of the first filter that matches; Tocsin JSON where none does.

        >>> Mapping(sources=(Source("application/+/device/+/event/up", "chirpstack"),)).dialect_of("application/1/device/a1/event/up")
        'chirpstack'
        """
        return next((one.dialect for one in self.sources if matches(one.topic, topic)), "tocsin_json")


def matches(topic_filter: str, topic: str) -> bool:
    """Whether an MQTT topic matches a filter (MQTT 5.0, 4.7): `+` is one level, `#` this level's parent and all below.

    >>> matches("a/+/c", "a/b/c"), matches("a/#", "a"), matches("#", "$SYS/broker"), matches("a/+", "a/b/c")
    (True, True, False, False)
    """
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for at, one in enumerate(wanted):
        if one == "#":
            return True
        if at >= len(levels) or one not in {"+", levels[at]}:
            return False
    return len(wanted) == len(levels)
