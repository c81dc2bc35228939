"""`postures.toml`: when a domain is on watch, in an emergency or recovering from one, and what is then done differently.

The file is optional. Without it every domain still says its posture, by the rules below, and nothing else changes. With it, what it does not
give has these values:

watch      from `level` yellow on, or `cities` 3 in watch; hold_s 3600; min_probability x 0.8, watch x 0.8
emergency  from `level` orange on, confirmed; hold_s 3600; min_probability x 0.5, watch x 0.5, acknowledge x 0.5, sampling x 0.25
recovery   after an emergency's last warning has ended; hold_s 86400; min_probability x 0.8, watch x 0.8, sampling x 0.5

`min_probability` (also that of what is foretold), `watch` and `acknowledge` multiply the hazards' own rules (a sooner answer that an
agreement asks for stands); `reassert_s` replaces theirs; `sampling` multiplies the usual interval of every quantity,
`[<posture>.sampling_s]` names one in seconds: a hint to whoever sets the stations, told with the posture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stream.region.fields import read_toml
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stream.region.fields import Fields
    from stream.region.model import Rules
    from stream.region.problems import Findings

FILE = "postures.toml"
LEVELS = ("blue", "yellow", "orange", "red")
WATCH, EMERGENCY, RECOVERY = "watch", "emergency", "recovery"
_YEAR_S = 366 * 86_400.0
_FACTOR = (0.01, 10.0)
_CITIES_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Stance:
    """What a posture changes. `hold_s`: how long it stays after its cause went away. Factors; `reassert_s` None: as the hazard says."""

    hold_s: float
    min_probability: float = 1.0
    watch: float = 1.0
    acknowledge: float = 1.0
    reassert_s: float | None = None
    sampling: float = 1.0
    sampling_s: Mapping[str, float] = field(default_factory=dict)


_UNCHANGED = {WATCH: Stance(3_600), EMERGENCY: Stance(3_600), RECOVERY: Stance(86_400)}
_USUAL = {
    WATCH: Stance(3_600, min_probability=0.8, watch=0.8),
    EMERGENCY: Stance(3_600, min_probability=0.5, watch=0.5, acknowledge=0.5, sampling=0.25),
    RECOVERY: Stance(86_400, min_probability=0.8, watch=0.8, sampling=0.5),
}


@dataclass(frozen=True, slots=True)
class Postures:
    """When each posture is taken, and what it changes. `watch_cities`: so many cities in watch, 0 = their number does not matter."""

    watch_level: int = 2
    watch_cities: int = 3
    emergency_level: int = 3
    stances: Mapping[str, Stance] = field(default_factory=lambda: dict(_UNCHANGED))


def rules_in(rules: Rules, stance: Stance) -> Rules:
    """A hazard's rules in a posture.

    >>> from stream.region.model import Rules
    >>> emergency = rules_in(Rules(min_probability=0.2, acknowledge_red_s=600), Stance(0, min_probability=0.5, acknowledge=0.5))
    >>> emergency.min_probability, emergency.acknowledge_red_s, emergency.validity_s == Rules().validity_s
    (0.1, 300.0, True)
    """
    least = min(1.0, rules.min_probability * stance.min_probability)
    return replace(
        rules,
        min_probability=least,
        foretold_probability=min(1.0, rules.foretold_probability * stance.min_probability),
        watch=min(least, rules.watch * stance.watch),
        reassert_s=rules.reassert_s if stance.reassert_s is None else stance.reassert_s,
        acknowledge_blue_s=rules.acknowledge_blue_s * stance.acknowledge,
        acknowledge_yellow_s=rules.acknowledge_yellow_s * stance.acknowledge,
        acknowledge_orange_s=rules.acknowledge_orange_s * stance.acknowledge,
        acknowledge_red_s=rules.acknowledge_red_s * stance.acknowledge,
    )


def read_postures(data: bytes, quantities: Collection[str], findings: Findings) -> Postures:
    """The postures of a region in which these quantities are measured; everything wrong with the file is recorded."""
    top = read_toml(FILE, data, findings)
    if top is None:
        return Postures()
    usual, stances = Postures(), {}
    levels = {WATCH: usual.watch_level, EMERGENCY: usual.emergency_level}
    cities: int | None = None
    for name, otherwise in _USUAL.items():
        table = top.sub(name)
        if table is None:
            stances[name] = otherwise
            continue
        if name in levels:
            levels[name] = _level(table, levels[name])
        if name == WATCH:
            cities = table.whole("cities", 0, _CITIES_MOST)
        stances[name] = _stance(table, otherwise, quantities)
        table.no_more()
    if levels[EMERGENCY] < levels[WATCH]:
        top.problem(EMERGENCY, "an emergency would begin below the level of watch", f"give at least {LEVELS[levels[WATCH] - 1]}")
    top.no_more()
    return Postures(levels[WATCH], usual.watch_cities if cities is None else cities, levels[EMERGENCY], stances)


def _level(table: Fields, otherwise: int) -> int:
    word = table.string("level", otherwise="")
    if word and word not in LEVELS:
        table.problem("level", f"no such level {word!r}", nearest(word, LEVELS))
    return LEVELS.index(word) + 1 if word in LEVELS else otherwise


def _stance(table: Fields, otherwise: Stance, quantities: Collection[str]) -> Stance:
    given = {
        "hold_s": table.number("hold_s", 0.0, _YEAR_S),
        "reassert_s": table.number("reassert_s", 0.0, _YEAR_S),
        **{name: table.number(name, *_FACTOR) for name in ("min_probability", "watch", "acknowledge", "sampling")},
    }
    hints: dict[str, float] = {}
    if (named := table.sub("sampling_s")) is not None:
        for quantity in named.names():
            every_s = named.number(quantity, 1.0, _YEAR_S)
            if quantity not in quantities:
                named.problem(quantity, f"no series measures {quantity!r}", nearest(quantity, quantities))
            elif every_s is not None:
                hints[quantity] = every_s
    known = {name: value for name, value in given.items() if value is not None}
    return replace(otherwise, sampling_s=hints, **known)
