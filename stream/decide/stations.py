"""Stations seen side by side, at grid instants of their domain (on replay lanes at every instant): what no series can know of itself.

A jump that the station's own next sample has not confirmed yet is believed as soon as a neighbour shows it too: the first rise of a flood.
A value that was held back for a wrong unit or sign is either believed in the same way, or, seen again and again, makes the station one in fault
(`detectors/health.py`). What a station in fault sends is kept and not believed: to its cities it is one that does not report.
Detectors that ask what the other stations show have their turn here too, after all that (`waiting.py`), forecasts (`foretold.py`) and scans (`clusters.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors import health, history
from detectors.base import Quality, Samples
from detectors.corroboration import corroborated
from detectors.rows import MS_PER_H, read
from stream.decide.clusters import Clustered, clusters
from stream.decide.detect import score, score_waiting
from stream.decide.findings import Found, Step
from stream.decide.foretold import Foreseen, foresee
from stream.decide.found import take
from stream.decide.incident import evaluate
from stream.decide.life import Moment, seconds
from stream.decide.neighbours import NOBODY
from stream.decide.posture import review
from stream.decide.refused import Refused
from stream.decide.station_health import tell
from stream.decide.status import statuses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stream.decide.bound import Bound
    from stream.decide.partition import Partition
    from stream.records.output import Output

    Rows = NDArray[np.intp]
    Floats = NDArray[np.float64]

LOGARITHMIC = "discharge"
"""Rivers differ in size by orders of magnitude: their changes are compared as shares."""
_LEAST_DISCHARGE = 1e-3
VOICES = 2
"""So many sound neighbours are needed to say that a station drifts."""


def schedule(partition: Partition, domain_id: str, at: int) -> bool:
    """Have the domain's stations looked at after a measurement at `at`; whether that must be at once (replay lanes)."""
    domain = partition.core.domains[domain_id]
    if domain.check_at is not None or domain_id not in partition.bound(domain_id).checked:
        return False
    if partition.observed:
        return True
    hazards = partition.bound(domain_id).hazards
    step = seconds(min(hazards[index].hazard.rules.grid_step_s for index in partition.hazards_of(domain_id)))
    domain.check_at = -(-at // step) * step
    clock = partition.clocks[domain_id]
    clock.grid_at = min(clock.grid_at, domain.check_at)
    return False


def check(partition: Partition, domain_id: str, at: int) -> list[Output]:
    """Look at the domain's stations side by side and do what follows from it at once."""
    bound = partition.bound(domain_id)
    members = bound.members[domain_id]
    found = _believe_suspects(partition, bound, members, at) + _believe_held(partition, bound, members, at)
    outputs = take(partition, domain_id, at, found) if found else []
    if bound.health_rows[members].any():
        outputs += _judge_health(partition, domain_id, members, at)
    ahead: list[Found] = [*score_waiting(bound, domain_id)]
    if not partition.observed:  # there an instant's forecasts are made with its measurements
        ahead += [one for one in concluded(bound, domain_id) if _timely(bound, one, at)]
    return outputs + (take(partition, domain_id, at, ahead) if ahead else [])


def concluded(bound: Bound, domain_id: str) -> list[Found]:
    """What is foretold of the domain's gauges, and the clusters in its counts: what no series shows by itself."""
    found: list[Found] = [*foresee(bound.forecasts, bound.history, domain_id)] if bound.forecasts else []
    return [*found, *clusters(bound.scans, bound.hazards, domain_id)] if bound.scans else found


def _timely(bound: Bound, one: Found, at: int) -> bool:
    """Whether what all series say together rests on measurements that are not older than the hazard allows: history raises nothing live."""
    if isinstance(one, Clustered):
        based_at = one.period_at
    elif isinstance(one, Foreseen) and one.found is not None:
        based_at = one.found.base_at
    else:
        return True
    return at - based_at <= seconds(bound.hazards[one.hazard].hazard.rules.max_late_s)


def _believe_suspects(partition: Partition, bound: Bound, members: Rows, at: int) -> list[Found]:
    """Newest samples that are suspect for a jump which a neighbour shows too: detected on again, as good ones."""
    rows = members[bound.history["flag"][members, -1] == Quality.SUSPECT]
    if not len(rows):
        return []
    h, p = read(bound.history, rows), read(bound.quality, rows)
    since_at, observed_at, value = h["observed_at"][:, -2], h["observed_at"][:, -1], h["value"][:, -1]
    change = np.abs(value - h["value"][:, -2])
    jumped = (change > p["spike_suspect"]) | (change > p["rate_suspect_per_h"] / MS_PER_H * (observed_at - since_at))
    rows, since_at, observed_at, value = rows[jumped], since_at[jumped], observed_at[jumped], value[jumped]
    shown = _shown_by_neighbours(bound, rows, since_at, (h["value"][jumped, -2], value))
    rows = rows[shown]
    bound.history["flag"][rows, -1] = Quality.GOOD
    return _detected(partition, bound, Samples(rows, observed_at[shown], value[shown], *_good(len(rows), in_order=False)), at)


def _believe_held(partition: Partition, bound: Bound, members: Rows, at: int) -> list[Found]:
    """Values held back for their unit or sign which a neighbour shows to be the water's."""
    watch = bound.watch[members]
    held = (watch["why"] == Refused.UNIT_SUSPECTED) | (watch["why"] == Refused.SIGN_SUSPECTED)
    rows = members[held & (watch["refused_at"] > bound.history["observed_at"][members, -1])]
    last_at, last = bound.history["observed_at"][rows, -1], bound.history["value"][rows, -1]
    rows = rows[_shown_by_neighbours(bound, rows, last_at, (last, bound.watch["value"][rows]))]
    return _believe_refused(partition, bound, rows, at)


def _believe_refused(partition: Partition, bound: Bound, rows: Rows, at: int) -> list[Found]:
    """Take the newest refused value of these series as a measurement like any other."""
    if not len(rows):
        return []
    samples = Samples(rows, bound.watch["refused_at"][rows], bound.watch["value"][rows], *_good(len(rows), in_order=True))
    history.push(bound.history, samples)
    return _detected(partition, bound, samples, at)


def _good(n: int, *, in_order: bool) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    return np.full(n, Quality.GOOD, np.uint8), np.full(n, in_order)


def _detected(partition: Partition, bound: Bound, samples: Samples, at: int) -> list[Found]:
    if not len(samples):
        return []
    partition.core.counts.believed += len(samples)
    nothing = np.zeros(len(samples), np.bool_)
    latest = seconds(min(hazard.hazard.rules.max_late_s for hazard in bound.hazards))
    step = Step(
        samples, np.zeros(len(samples), np.int64), np.arange(len(samples)), at - samples.observed_at > latest, nothing, bound.history
    )
    return [one for _, _, one in sorted(score(bound, step), key=lambda one: one[1])]


def _shown_by_neighbours(bound: Bound, rows: Rows, since_at: NDArray[np.int64], values: tuple[Floats, Floats]) -> NDArray[np.bool_]:
    """Whether a neighbour of each row has changed the same way since `since_at` as the row has from one of `values` to the other."""
    near = bound.neighbours[rows]
    if not (near != NOBODY).any():
        return np.zeros(len(rows), np.bool_)
    h = bound.history[near]  # (n, neighbours) records; NOBODY reads the last one and is left out below
    before = (h["observed_at"] <= since_at[:, None, None]).sum(axis=2) - 1
    base = np.take_along_axis(h["value"], np.maximum(before, 0)[:, :, None], axis=2)[:, :, 0]
    able = (near != NOBODY) & (before >= 0) & (h["observed_at"][:, :, -1] > since_at[:, None])
    able &= bound.health["health"][near] == health.Health.SOUND
    logarithmic = np.array([bound.region.series.quantity[one] == LOGARITHMIC for one in bound.rows[rows].tolist()])
    old, new = (np.where(logarithmic, _log(one), one) for one in values)
    theirs = np.where(logarithmic[:, None], _log(h["value"][:, :, -1]) - _log(base), h["value"][:, :, -1] - base)
    return corroborated(new - old, np.where(able, theirs, np.nan))


def _log(value: Floats) -> Floats:
    return np.log(np.maximum(value, _LEAST_DISCHARGE))


def _judge_health(partition: Partition, domain_id: str, members: Rows, at: int) -> list[Output]:
    """Judge every station that has sent something since it was judged last, and say what changed."""
    bound = partition.bound(domain_id)
    rows = members[bound.health_rows[members] & ~bound.maintained[members]]
    believed_at, refused_at = bound.history["observed_at"][rows, -1], bound.watch["refused_at"][rows]
    newest_at = np.maximum(believed_at, refused_at)
    heard = newest_at > bound.watch["checked_at"][rows]
    if not heard.any():
        return []
    rows, failing = rows[heard], (refused_at > believed_at)[heard]
    bound.watch["checked_at"][rows] = newest_at[heard]
    before = bound.health["health"][rows]
    now = health.observe(bound.health_parameters, bound.health, _seen(bound, rows, failing))
    changed = now != before
    if not changed.any():
        return []
    bound.faults = bool(bound.health["health"].any())
    outputs: list[Output] = []
    for state in np.unique(now[changed]).tolist():
        outputs += tell(partition, domain_id, rows[changed & (now == state)].tolist(), state, at)
    recovered = _believe_refused(partition, bound, rows[changed & (now == health.Health.SOUND) & failing], at)
    outputs += take(partition, domain_id, at, recovered) if recovered else []
    return outputs + stop_reporting(partition, domain_id, rows[changed & (now != health.Health.SOUND)], at)


def _seen(bound: Bound, rows: Rows, failing: NDArray[np.bool_]) -> health.Seen:
    """The newest of what each station sent, beside what is expected of it."""
    h = read(bound.history, rows)
    last = np.where(h["count"] >= bound.health_parameters["confirm_n"][rows], h["value"][:, -1], np.nan)
    value = np.where(failing, bound.watch["value"][rows], h["value"][:, -1])
    level = np.max([hazard.levels[:, rows].max(axis=0) for hazard in bound.hazards], axis=0)
    drifts = not np.isnan(bound.health_parameters["drift_max"][rows]).all()
    return health.Seen(rows, value, np.where(failing, last, value), level, _around(bound, rows, value) if drifts else None)


def _around(bound: Bound, rows: Rows, value: Floats) -> Floats:
    """How far the neighbour that agrees best with each row is from its usual value now; NaN unless at least two can be asked.

    A station drifts if it leaves all its neighbours: the one that drifts takes no sound one with it, and of two nobody can say which it is.
    """
    near = bound.neighbours[rows]
    state = bound.health[near]
    able = (near != NOBODY) & (state["heard"] > 0.0) & (state["health"] == health.Health.SOUND)
    departure = bound.history["value"][near, -1] - state["usual"]
    apart = np.where(able, np.abs(departure - (value - bound.health["usual"][rows])[:, None]), np.inf)
    best = np.nan_to_num(apart, nan=np.inf).argmin(axis=1)
    return np.where(able.sum(axis=1) >= VOICES, departure[np.arange(len(rows)), best], np.nan)


def stop_reporting(partition: Partition, domain_id: str, rows: Rows, at: int) -> list[Output]:
    """Stations that came into fault, or into maintenance, do not report any more, as far as their cities are concerned."""
    outputs: list[Output] = []
    for index in partition.hazards_of(domain_id) if len(rows) else ():
        scene = partition.scene(domain_id, index)
        touched = partition.silence(scene, index, rows[scene.bound.member[rows]])
        if touched and scene.state.incidents:
            outputs += evaluate(scene, Moment(at, partition.settled(at)))
        elif touched:
            outputs += statuses(scene, touched, at)
    outputs += review(partition, domain_id, at)
    partition.wind(domain_id)
    return outputs
