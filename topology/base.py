"""The contract every footprint keeps: one question, one shape of answer.

A footprint is a *module* of this package whose file name is the key used in `hazards/*.toml` (`footprint = "river_wave"`). It offers

- `PARAMETERS`: mapping of parameter name (with unit) to its default;
- `build(places, parameters) -> graph`: validated immutable arrays; raises `TopologyError` with *every* problem found;
- `footprint(graph, source, conditions)`: the cities a source reaches, nearest in time first, one `Impact` each, never the source's own;
- optionally `affected(graph, source, conditions)`: only their ids, where whole impacts are costly.

All functions are pure. Instants are int milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from topology.network import Network


class Path(StrEnum):
    """How a danger comes to a city."""

    SAME_PLACE = "same_place"
    RIVER = "river"
    WIND = "wind"
    TRAVEL = "travel"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class Arrival:
    """When the danger arrives: the 10th, 50th and 90th percentile, and when it has passed (90th percentile), int ms UTC."""

    p10_at: int
    p50_at: int
    p90_at: int
    passed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected to be measured at the city: a series and the 10th, 50th and 90th percentile of its highest value, in its unit."""

    series: str
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class Impact:
    """One city inside a footprint.

    `probability` that the danger reaches the city at all (0..1). `arrival` is None when it cannot be said; `unknown_because`
    then says why (a reservoir, a missing kilometre, calm wind) and is empty otherwise. `intensity` is the danger's strength at the city
    relative to the source (1.0 = as at the source). `confidence` (0..1) is how far the model itself is to be trusted here.
    `reasons` are short machine-readable words for people who ask why. `asset` names the point reached first (a water intake), "" when it is
    the city as such. `expected` is the value at the city where a rating or regression exists.
    """

    city_id: str
    path: Path
    probability: float
    arrival: Arrival | None
    intensity: float
    confidence: float
    unknown_because: str = ""
    reasons: tuple[str, ...] = ()
    asset: str = ""
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a danger was found. `reach` is "" when the place is on no river; latitude/longitude (degrees, WGS 84) are NaN if unknown.

    `city_id` is "" when the place stands in no city. `onset_at`: when the evidence first reached its present level.
    `observed_at`: the newest measurement behind it. `ended_at`: when the evidence fell below the clear threshold, None while it lasts.
    `value` is the newest measured value in the unit of the series (discharge, concentration, cases ...), `score` the detector's score.
    `incident_id` names what it belongs to ("" if nothing yet): ensembles are drawn by it, so that the same question has the same answer.
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
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class Winds:
    """Wind measurements of the domain, oldest first: parallel arrays. `from_deg`: the direction it blows *from*, clockwise from north."""

    observed_at: NDArray[np.int64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    speed_m_per_s: NDArray[np.float64]
    from_deg: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindGrid:
    """A gridded wind forecast: components towards east and north (m/s), float64 [instant, latitude, longitude].

    `valid_at` (int64 ms, rising), `latitude` and `longitude` (degrees, WGS 84, rising; longitudes may pass 180, and cover the globe
    when they lack no more than one step of 360).
    """

    valid_at: NDArray[np.int64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    east_m_per_s: NDArray[np.float64]
    north_m_per_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Passage:
    """The danger of one event was first found at this place of the river at `front_at` (int ms): it tells how fast it really travels.

    `gap_h`: how long before (h) it was looked for there without being found, infinite when nobody had looked: the front came in between.
    """

    reach: str
    reach_km: float
    front_at: int
    gap_h: float = 0.0


class Act(StrEnum):
    """What an operator or a duty officer reports about a river.

    Held back by a gate or dam (what has not passed yet comes `hours` later, with `factor` of its strength); closed (nothing passes until this
    ends); a broken levee (what lies below gets `factor` of the water); an ice cover on this reach (slower, and less surely known).
    """

    DELAY = "delay"
    BLOCKED = "blocked"
    BREACH = "breach"
    ICE = "ice"


@dataclass(frozen=True, slots=True)
class Intervention:
    """A report that changes what a river does at one place, from `starts_at` to `ends_at` (int ms, None = until further notice)."""

    act: Act
    reach: str
    reach_km: float
    starts_at: int
    ends_at: int | None = None
    hours: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """What else the domain knows at the instant of the question (`now`, int ms); discharge keyed by reach id (m3/s).

    `passages`: where and when this event was found so far, earliest first. `interventions`: what operators reported.
    `wind_grid`: a forecast of the wind, where there is one.
    """

    now: int
    winds: Winds | None = None
    discharge_m3_per_s: Mapping[str, float] | None = None
    passages: tuple[Passage, ...] = ()
    interventions: tuple[Intervention, ...] = ()
    wind_grid: WindGrid | None = None


@dataclass(frozen=True, slots=True)
class CityPlace:
    """A city as footprints see it: a point with a radius, and where on the river its points of interest lie (reach id, km from its upstream end).

    `population` is 0 when unknown. `river` is empty for a city on no river, or whose kilometre has no source: it then gets no river forecast.
    `assets` names the points of `river` (parallel; "" = the city as such; a water intake counts before the centre); empty when none is named.
    """

    city_id: str
    latitude: float
    longitude: float
    radius_km: float
    population: int = 0
    river: tuple[tuple[str, float], ...] = ()
    assets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """One row of `reaches.csv`: a stretch between two nodes. `downstream` is "" at an outlet.

    `fraction` is the share of the flow that takes this downstream branch (rows of one reach add up to 1). NaN = not given.
    `drawn`: `length_km` is no official length but that of a drawn line times its sinuosity. `drainage_area_km2` above its lower end can only
    grow downstream. `left`, `right`: the jurisdictions on the banks of a border reach, seen downstream; "" elsewhere.
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
    drawn: bool = False
    drainage_area_km2: float = float("nan")
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Travel:
    """One row of `travel.csv`: people travelling from one city to another."""

    origin: str
    destination: str
    travellers_per_day: float
    line: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """One row of `lags.csv`: what history taught about a danger's way from one gauge to the next below it.

    `lag_h` is the median travel time of the wave, `log_sd` the spread of its logarithm. A crest q (above) is followed by
    exp(intercept + slope * ln q) below (in the unit of `downstream_series`), with `residual_sd` of the logarithm; NaN = not learned.
    `events` is how many crests taught it.
    """

    upstream: tuple[str, float]
    downstream: tuple[str, float]
    lag_h: float
    log_sd: float
    events: int
    upstream_series: str = ""
    downstream_series: str = ""
    intercept: float = float("nan")
    slope: float = float("nan")
    residual_sd: float = float("nan")
    line: int = 0


@dataclass(frozen=True, slots=True)
class Places:
    """Everything a footprint graph is built from. `network`: a large river network read from its file, instead of `reaches`."""

    cities: tuple[CityPlace, ...]
    reaches: tuple[Reach, ...] = ()
    travel: tuple[Travel, ...] = ()
    lags: tuple[Lag, ...] = ()
    network: Network | None = None


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
    build: Callable[[Places, Mapping[str, float]], Any]
    footprint: Callable[[Any, Source, Conditions], tuple[Impact, ...]]


def footprint(name: str) -> Footprint:
    """The footprint module called `name` (the registry is the folder)."""
    return cast("Footprint", import_module(f"topology.{name}"))
