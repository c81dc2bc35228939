"""A region as the rest of the service sees it: frozen values and read-only arrays, identified by the hash of its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stream.region.postures import Postures

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from stream.region.agreements import Agreement
    from stream.region.cascades import Cascade
    from stream.region.forecasts import Forecaster
    from stream.region.inhibitions import Inhibition
    from stream.region.principals import Principal
    from stream.region.scan_rules import Scan
    from topology.base import CityPlace, Lag


@dataclass(frozen=True, slots=True)
class Domain:
    """The unit inside which evidence meets: a river basin, an airshed, a travel region. `pin` fixes its journal partition."""

    domain_id: str
    families: tuple[str, ...]
    pin: int | None = None


@dataclass(frozen=True, slots=True)
class City:
    """A city that can be warned. `names` by language; `parents` from the nearest upwards; `level` of administration (city, province ...).

    `place` is what footprints see. `polygon_wkt` is "" for a point with a radius. `note` says e.g. why a city gets no river forecast.
    """

    city_id: str
    names: Mapping[str, str]
    level: str
    parents: tuple[str, ...]
    place: CityPlace
    adcode: str = ""
    polygon_wkt: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Administration:
    """Who stands above cities and is none itself (a province, a nation, a river commission). `parents` from the nearest upwards."""

    names: Mapping[str, str]
    level: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeriesTable:
    """All series of a region, sorted by id (`station/quantity`); row numbers index every array. Read-only.

    `domain`: index into `Region.domains`. `city`: index into `Region.cities`, -1 = none. `reach` "" and NaN coordinates = unknown.
    `interval_s`: how often a value is due. `unit`: what values are converted to at the door.
    """

    ids: tuple[str, ...]
    station: tuple[str, ...]
    quantity: tuple[str, ...]
    unit: tuple[str, ...]
    timezone: tuple[str, ...]
    datum: tuple[str, ...]
    also_in: tuple[tuple[str, ...], ...]
    reach: tuple[str, ...]
    domain: NDArray[np.int32]
    city: NDArray[np.int32]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    reach_km: NDArray[np.float64]
    interval_s: NDArray[np.float64]
    row_of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DetectorUse:
    """One detector of a hazard: `parameters` is the detector's PARAMETERS record for each row of `rows` (same order)."""

    name: str
    rows: NDArray[np.int32]
    parameters: NDArray[Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """The life cycle of a hazard's warnings; all durations in seconds.

    `validity_s`: a warning without news ends this long after it was sent (or after the danger should have passed). `hold_s`: a level stays
    this long after the evidence fell. `silent_after_intervals`: a series is silent after this many of its intervals. `blind_limit_s`: how long a
    warning is kept alive without fresh evidence. `status_valid_s`: validity of a city status. `grid_step_s`: open incidents are recomputed
    at these instants. `max_late_s`: older data raise nothing live. `max_future_s`: data further ahead are refused. `arrival_change`: share
    of the remaining lead time by which an arrival must move to be told again; `arrival_change_s`: and at least so much. `min_probability`: below it a
    city is not warned. `min_coverage`: share of its network that must report, else the city is `unknown`. `reassert_s`: repetition of
    an unchanged active warning, 0 = never. `watch`: probability from which an unwarned city in a footprint reads `watch`.
    `remote_level_drop`: levels by which a remote city's warning is below the source's level, per 1/e of intensity lost; 0 = same level.
    `foretold_probability`: a level is foretold for a city's gauge (`forecasts.json`), and the city warned of it, when the chance that it is reached
    within the next step is at least this.
    `revisions_per_hour`: a city is told no more often, except of beginnings, raises and ends; 0 = no limit.
    `acknowledge_<level>_s`: a city has to answer a warning of this level within so long, 0 = it need not; an agreement may ask more.
    """

    validity_s: float = 21_600
    hold_s: float = 3_600
    silent_after_intervals: float = 3
    blind_limit_s: float = 86_400
    status_valid_s: float = 900
    grid_step_s: float = 60
    max_late_s: float = 21_600
    max_future_s: float = 300
    arrival_change: float = 0.2
    arrival_change_s: float = 600
    min_probability: float = 0.1
    min_coverage: float = 0.5
    reassert_s: float = 0
    watch: float = 0.02
    remote_level_drop: float = 0
    foretold_probability: float = 0.2
    revisions_per_hour: float = 12
    acknowledge_blue_s: float = 0
    acknowledge_yellow_s: float = 0
    acknowledge_orange_s: float = 0
    acknowledge_red_s: float = 0


@dataclass(frozen=True, slots=True)
class Fusion:
    """How evidence of several instruments comes together (`[fusion]` of a hazard file; see `stream.decide.fusion`).

    `prior`: share of opened incidents that are real, before their evidence is weighed. `k`: so many independent stations must agree before a
    city is told more than `unconfirmed_cap` (a level) because of them; 1 = one is enough. `n`: only the n nearest places with stations
    can agree (its own counted), 0 = all of the incident. `together_h`: what begins within so many hours agrees; what begins when the wave
    is due agrees, too. `reliability`: chance that an alarm is the world's and not the instrument's own. `half_life_h`: evidence older than
    its interval, or ended, loses half of its weight in that time. `missed`: log-odds lost for every station that reports, where the wave
    should have arrived and nothing is found. `weights`: by quantity, a factor of its log-odds.
    """

    prior: float = 0.1
    k: int = 1
    n: int = 0
    unconfirmed_cap: int = 2
    together_h: float = 24
    reliability: float = 0.98
    half_life_h: float = 24
    missed: float = 1.2
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapTable:
    """`[cap]` of a hazard file: the code of its event in the OASIS event terms list ("" = by how it spreads), CAP's response type by level."""

    event_code: str = ""
    response: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard of a region (`hazards/<hazard>.toml`; the file's name is its key).

    `quantities`: which series are detected on. `conditions`: which series only inform footprints (wind). `footprint`: the topology module,
    "" for none, with its built `graph`. `observers[city index]`: rows of the series that can see this danger coming for that city
    (its own and those whose footprint includes it). `texts`: by language, template overrides and the hazard's `name`.
    `quality`: the quality parameters (detectors.quality PARAMETERS) of every row in `rows`. `health`: the same for the health of their
    stations (detectors.health PARAMETERS; `confirm_n` NaN = not judged), None where the hazard file has no `[health]`. `limits`: by city and then series in it, its own
    levels from blue to red (NaN = none). `stations_in`: by city, the rows of the series that stand in it.
    `scan`: how the counts of neighbouring places are looked at together, None where they are not.
    """

    hazard: str
    family: str
    category: str
    quantities: tuple[str, ...]
    conditions: tuple[str, ...]
    rows: NDArray[np.int32]
    condition_rows: NDArray[np.int32]
    quality: NDArray[Any]
    detectors: tuple[DetectorUse, ...]
    footprint: str
    footprint_parameters: Mapping[str, float]
    graph: Any
    observers: tuple[NDArray[np.int32], ...]
    rules: Rules
    texts: Mapping[str, Mapping[str, str]]
    health: NDArray[Any] | None = None
    limits: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    fusion: Fusion = field(default_factory=Fusion)
    stations_in: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    scan: Scan | None = None
    cap: CapTable = field(default_factory=CapTable)


@dataclass(frozen=True, slots=True)
class Region:
    """A validated region folder. `region_hash` is the SHA-256 (first 16 hex digits) of its files, and stands in every warning.

    `regressions`: of `lags.csv`, by the series above, what crests become at the next gauges below. `above`: everybody above each city and
    administration, nearest first. `agreements`, `inhibitions`, `cascades` and `principals` in the order of their ids. `forecasts`: of `forecasts.json`.
    """

    name: str
    region_hash: str
    title: Mapping[str, str]
    domains: tuple[Domain, ...]
    series: SeriesTable
    cities: tuple[City, ...]
    hazards: tuple[Hazard, ...]
    city_index: Mapping[str, int] = field(default_factory=dict)
    domain_index: Mapping[str, int] = field(default_factory=dict)
    regressions: Mapping[str, tuple[Lag, ...]] = field(default_factory=dict)
    administrations: Mapping[str, Administration] = field(default_factory=dict)
    above: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()
    forecasts: tuple[Forecaster, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    cascades: tuple[Cascade, ...] = ()
    postures: Postures = field(default_factory=Postures)
    principals: tuple[Principal, ...] = ()
