"""What detection found in one message changes the domain: sources, silence, conditions; then the hazards it touched are judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from detectors.health import Health
from stream.decide import discrepancies
from stream.decide.clustering import gather
from stream.decide.clusters import Clustered
from stream.decide.conditions import remember
from stream.decide.evidence import known, of_failed, of_finding
from stream.decide.findings import Failed, Finding, Found, Informing, Returned, Traced
from stream.decide.foretelling import foretell
from stream.decide.foretold import Foreseen
from stream.decide.fronts import note
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review
from stream.decide.state import SourceState
from stream.decide.station_health import SILENT, tell
from stream.decide.status import statuses

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.records.output import Output


def take(partition: Partition, domain_id: str, at: int, found: list[Found]) -> list[Output]:
    """Apply one message's findings (in order) at the domain's instant `at`.

    After a stall a danger may rise and end in one message: it is judged before it ends, or nobody would hear of it, and what stands would clear as
    if it had not come back.
    """
    outputs: list[Output] = []
    domain = partition.core.domains[domain_id]
    bound = partition.bound(domain_id)
    judged: dict[int, bool] = {}
    seen: dict[int, set[str]] = {}
    risen: set[tuple[int, int]] = set()
    traced: list[Traced] = []
    for one in found:
        if isinstance(one, Informing):
            remember(domain.conditions, bound.series(one.row), one.observed_at, one.value)
        elif isinstance(one, Traced):
            traced.append(one)  # it may come before the source in the same message
        elif isinstance(one, (Foreseen, Clustered)):
            scene = partition.scene(domain_id, one.hazard)
            changed = foretell(scene, one) if isinstance(one, Foreseen) else gather(scene, one)
            judged |= {one.hazard: judged.get(one.hazard, False)} if changed else {}
        elif isinstance(one, Failed):
            outputs += of_failed(partition, domain_id, one, at)
        elif isinstance(one, Returned):
            seen.setdefault(one.hazard, set()).update(_sighted(partition, partition.scene(domain_id, one.hazard), one))
            outputs += tell(partition, domain_id, [one.row], int(Health.SOUND), at) if bound.watch["told"][one.row] == SILENT else []
        else:
            outputs += _finding(partition, domain_id, one, at, (judged, risen))
    for one in traced:
        if note(partition.scene(domain_id, one.hazard).state, bound.series(one.row), one):
            judged.setdefault(one.hazard, False)
    return outputs + _judge(partition, domain_id, at, judged, seen)


def _finding(
    partition: Partition, domain_id: str, one: Finding, at: int, noted: tuple[dict[int, bool], set[tuple[int, int]]]
) -> list[Output]:
    """Take one finding. `noted`: the hazards to judge when all are taken (and whether a source was withdrawn), and the series (hazard and row) that rose since."""
    judged, risen = noted
    scene, series = partition.scene(domain_id, one.hazard), partition.bound(domain_id).series(one.row)
    outputs: list[Output] = []
    if (one.hazard, one.row) in risen and one.new < one.old and not one.corrects:
        outputs += evaluate(scene, Moment(at, partition.settled(at), judged.get(one.hazard, False)))
        risen -= {rose for rose in risen if rose[0] == one.hazard}
    changed, withdrawn = _source(scene, series, one)
    judged |= {one.hazard: judged.get(one.hazard, False) or withdrawn} if changed else {}
    if changed and one.new > one.old and not one.late:
        risen.add((one.hazard, one.row))
    return outputs + of_finding(scene, series, one, at)


def _judge(partition: Partition, domain_id: str, at: int, judged: dict[int, bool], seen: dict[int, set[str]]) -> list[Output]:
    """Judge the hazards whose sources changed (and whether one was withdrawn), and those of which cities see more."""
    outputs: list[Output] = []
    looked = False  # on replay lanes every instant of the data is a grid instant
    for index in partition.hazards_of(domain_id):
        scene = partition.scene(domain_id, index)
        open_incident = bool(scene.state.incidents)
        if index in judged or (open_incident and (partition.observed or index in seen)):
            outputs += evaluate(scene, Moment(at, partition.settled(at), judged.get(index, False)))
            looked = partition.observed
        elif index in seen or not scene.state.status:
            outputs += statuses(scene, seen.get(index, set()) if scene.state.status else scene.cities(), at)
    outputs += review(partition, domain_id, at)
    outputs += discrepancies.look(partition, domain_id, at) if looked else []
    partition.wind(domain_id)
    return outputs


def _sighted(partition: Partition, scene: Scene, one: Returned) -> tuple[str, ...]:
    """A series reports again: the cities that see more for it."""
    bound = partition.bound(scene.domain_id)
    series = bound.series(one.row)
    if series not in scene.state.silent:
        return ()
    scene.state.silent.discard(series)
    scene.state.silent_since.pop(series, None)
    cities = scene.bound.cities_of.get(series, ())
    for city in cities:
        scene.fresh[city] += 1
    clock = partition.clocks[scene.domain_id]
    due = int(bound.history["observed_at"][one.row, -1] + scene.bound.silent_after[one.row])
    clock.silent_at[one.hazard] = min(clock.silent_at[one.hazard], due)
    return cities


def _source(scene: Scene, series: str, one: Finding) -> tuple[bool, bool]:
    """Keep the source of this series up to date; whether cities must be judged at once, and whether it is withdrawn."""
    source = scene.state.sources.get(series)
    if scene.state.dismissed and _dismissed(scene, series, one.new):
        return False, False
    if one.corrects and source is not None:
        return _corrected(scene, series, source, one)
    if source is None:
        if not one.new:
            return False, False
        scene.state.sources[series] = _fresh_source(scene, series, one)
        return True, False
    changed = one.new != source.level or (source.late and one.shown and not one.late)
    if one.new > source.level:
        source.before = msgspec.structs.replace(source, before=None)
    elif one.observed_at > source.observed_at:
        source.before = None
    _renew(scene, source, one)
    return changed, False


def _dismissed(scene: Scene, series: str, level: int) -> bool:
    """Whether what is found was taken back by hand: until it is higher, or has been below."""
    if not 0 < level <= scene.state.dismissed.get(series, 0):
        scene.state.dismissed.pop(series, None)
        return False
    return True


def _corrected(scene: Scene, series: str, source: SourceState, one: Finding) -> tuple[bool, bool]:
    """The measurement that had raised the source was wrong: the source is what it was before, moved on by the right one."""
    before = source.before
    if before is None:
        del scene.state.sources[series]
        if one.new:
            scene.state.sources[series] = _fresh_source(scene, series, one)
        return True, not one.new
    renewed = msgspec.structs.replace(before)
    _renew(scene, renewed, one)
    renewed.before = before if one.new > before.level else None
    scene.state.sources[series] = renewed
    return True, False


def _fresh_source(scene: Scene, series: str, one: Finding) -> SourceState:
    use = scene.bound.detectors[one.detector]
    source = SourceState(
        series, one.new, one.new, one.observed_at, one.observed_at, one.value, one.score, None, use.name, "", one.quality, one.late
    )
    source.looked_at = one.looked_at
    _renew(scene, source, one)
    return source


def _renew(scene: Scene, source: SourceState, one: Finding) -> None:
    """Bring the source up to a finding, in place."""
    source.level, source.peak = one.new, max(source.peak, one.new)
    source.highest = one.value if math.isnan(source.highest) else max(source.highest, one.value)
    source.late = source.late and (one.late or not one.shown)  # what only late ones showed is not told live because it is not over yet
    source.ended_at = None if one.new else source.ended_at if source.ended_at is not None else one.observed_at
    if one.observed_at >= source.observed_at:
        source.observed_at, source.value, source.score, source.quality = one.observed_at, one.value, one.score, one.quality
        source.trend_per_h, source.p_value, source.log_lr = known(one.trend), known(one.p_value), known(one.log_lr)
        source.exceedance, source.reaches_next_level_in_h = known(one.exceedance), known(one.reaches_h, 3)
    if one.new:
        use = scene.bound.detectors[one.detector]
        source.detector, source.why = use.name, use.module.WHY[one.why]
