"""The contract every footprint keeps: one question, one shape of answer.

A footprint is a *module* of this package whose file name is the key used in `hazards/*.toml` (`footprint = "river_wave"`).
It offers

- `PARAMETERS`: mapping of parameter name (with unit) to its default;
- `build(places, parameters) -> graph`: validated immutable arrays; raises `TopologyError` with *every* problem found;
- `footprint(graph, source, conditions) -> tuple[Impact, ...]`: the cities a source reaches, nearest in time first, at most
  one `Impact` a city and never the source's own city (`same_place` is the caller's).

All functions are pure. Instants are int milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


class Path(StrEnum):
    """How a danger comes to a city."""

    SAME_PLACE = "same_place"
    RIVER = "river"
    WIND = "wind"
    TRAVEL = "travel"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When the danger arrives: the 10th, 50th and 90th percentile, and when it has passed (90th percentile), int ms UTC."""

    p10_at: int
    p50_at: int
    p90_at: int
    passed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """One city inside a footprint.

    `probability` that the danger reaches the city at all (0..1). `arrival` is None when it cannot be said; `unknown_because`
    then says why (a reservoir, a missing kilometre, calm wind) and is empty otherwise. `intensity` is the danger's strength at the city
    relative to the source (1.0 = as at the source). `confidence` (0..1) is how far the model itself is to be trusted here.
    `reasons` are short machine-readable words for people who ask why.
    """

    city_id: str
    path: Path
    probability: float
    arrival: Arrival | None
    intensity: float
    confidence: float
    unknown_because: str = ""
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a danger was found. `reach` is "" when the place is on no river; latitude/longitude (degrees, WGS 84) are NaN if unknown.

    `city_id` is "" when the place stands in no city. `onset_at`: when the evidence first reached its present level.
    `observed_at`: the newest measurement behind it. `ended_at`: when the evidence fell below the clear threshold, None while it lasts.
    `value` is the newest measured value in the unit of the series (discharge, concentration, cases ...), `score` the detector's score.
    """

    series: str
    city_id: str
    latitude: float
    longitude: float
    reach: str
    reach_km: float
    onset_at: int
    observed_at: int
    ended_at: int | None
    value: float
    score: float


@dataclass(frozen=True, slots=True)
class Winds:
    """Wind measurements of the domain, oldest first: parallel arrays.

    `speed_m_per_s`; `from_deg`: the direction the wind blows *from*, degrees clockwise from north; `observed_at` int64 ms.
    """

    observed_at: NDArray[np.int64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    speed_m_per_s: NDArray[np.float64]
    from_deg: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What else the domain knows at the instant of the question (`now`, int ms); discharge keyed by reach id (m3/s)."""

    now: int
    winds: Winds | None = None
    discharge_m3_per_s: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class CityPlace:
    """A city as footprints see it: a point with a radius, and where on the river its points of interest lie (reach id, km from its upstream end).

    `population` is 0 when unknown. `river` is empty for a city on no river, or whose kilometre has no source: it then gets no river forecast.
    """

    city_id: str
    latitude: float
    longitude: float
    radius_km: float
    population: int = 0
    river: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """One row of `reaches.csv`: a stretch between two nodes. `downstream` is "" at an outlet.

    `fraction` is the share of the flow that takes this downstream branch (rows of one reach add up to 1). NaN = not given.
    """

    reach: str
    downstream: str
    length_km: float
    fraction: float = 1.0
    celerity_m_per_s: float = float("nan")
    velocity_m_per_s: float = float("nan")
    residence_h: float = float("nan")
    mean_discharge_m3_per_s: float = float("nan")
    line: int = 0


@dataclass(frozen=True, slots=True)
class Travel:
    """One row of `travel.csv`: people travelling from one city to another."""

    origin: str
    destination: str
    travellers_per_day: float
    line: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """Everything a footprint graph is built from."""

    cities: tuple[CityPlace, ...]
    reaches: tuple[Reach, ...] = ()
    travel: tuple[Travel, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the input of a graph: which table and line (0 = the table as a whole), which field, what, and what to do."""

    table: str
    line: int
    field: str
    problem: str
    fix: str


class TopologyError(ValueError):
    """A graph cannot be built; `faults` lists every reason."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{f.table}:{f.line}: {f.field}: {f.problem} ({f.fix})" for f in faults))


class Footprint(Protocol):
    """The shape of a footprint module (see the module docstring)."""

    PARAMETERS: Mapping[str, float]

    def build(self, places: Places, parameters: Mapping[str, float]) -> Any:
        """Validated immutable graph."""

    def footprint(self, graph: Any, source: Source, conditions: Conditions) -> tuple[Impact, ...]:
        """The cities the source reaches."""


def footprint(name: str) -> Footprint:
    """The footprint module called `name` (the registry is the folder).

    >>> "celerity_m_per_s" in footprint("river_wave").PARAMETERS
    True
    """
    return cast("Footprint", import_module(f"topology.{name}"))
