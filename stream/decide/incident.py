"""One judgement of one hazard in one domain: which incidents there are, who is to be told what now, and how every city stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stream.decide import accounting, bodies, bounds, consistency, identity, linking, muting, reopening, roles, telling
from stream.decide.conditions import conditions
from stream.decide.disclosure import roughly, told_to_all
from stream.decide.escalation import ask, give_over
from stream.decide.foretold import outlook_of, watched
from stream.decide.impacts import Around, Asked, Reached, weigh
from stream.decide.impacts import ask as ask_footprint
from stream.decide.life import SPOKEN, Moment, Verdict, due, judge, seconds
from stream.decide.placing import place
from stream.decide.regrouping import arrange
from stream.decide.state import Told
from stream.decide.status import statuses
from stream.decide.taking_links import linked_to
from stream.records.warning import AlsoWarned, MsgType, Reason
from stream.warnings.envelope import of_warning, to_bytes

if TYPE_CHECKING:
    from stream.decide.grouping import Group
    from stream.decide.muting import Mutes
    from stream.decide.scene import Scene
    from stream.decide.state import IncidentState
    from stream.decide.wanted import Wanted
    from stream.records.output import Output

ENDING = frozenset({Reason.CLEARED, Reason.LEFT, Reason.EXPIRED, Reason.CANCELLED})
SAME_PLACE = "same_place"
_GRAVER = ENDING | {Reason.FIRST, Reason.WORSE, Reason.BETTER, Reason.EXTENDED, Reason.BLIND}
_MOVED = {"merged": Reason.MERGED, "split": Reason.SPLIT}


def evaluate(scene: Scene, moment: Moment) -> list[Output]:
    """Judge every city; the outputs in a defined order: by incident its warnings by city and its record, then city statuses."""
    state = scene.state
    state.evaluated_at = max(state.evaluated_at, moment.settled)
    grid = scene.observed or moment.corrected != "" or moment.at % seconds(scene.hazard.rules.grid_step_s) == 0
    moment = replace(moment, grid=grid, time_suspect=scene.time_suspect)
    arranged = arrange(scene, _asked(scene, moment.at), moment)
    outputs, answers = arranged.outputs, [_reached(scene, group, moment.at) for group in arranged.groups]
    state.watched = watched(outlook_of(state.foretold, moment.at), scene.hazard.rules.watch)
    for reached in answers:
        state.watched |= reached.watched
    state.passes_at = min((reached.passes_at for reached in answers if reached.passes_at is not None), default=None)
    mutes = muting.mutes(scene, moment.at)
    for group, reached in zip(arranged.groups, answers, strict=True):
        incident = next(iter(group.incidents), None)
        if incident is None and reached.wanted:
            incident = reopening.opened(state, reopening.free_id(scene, [one.state for one in group.sources()]), moment.at)
        if incident is not None:
            withdrawn = moment.withdrawn and any(series not in state.sources or series == moment.corrected for series in incident.series)
            incident.series = tuple(one.state.series for one in group.sources())
            changed = arranged.changed.get(incident.incident_id, Reason.NOTHING_NEW)
            incident.linked_to = linked_to(state, incident)
            outputs += _judge_incident(scene, incident, reached, replace(moment, withdrawn=withdrawn), (changed, mutes))
            outputs += linking.pass_on(scene, incident, group.sources(), reached.fused, moment.at)
    outputs += linking.share(scene, moment.at, withdrawn=moment.withdrawn)
    _schedule_grid(scene, moment.at)
    muting.review(scene, moment.at)
    _forget(scene, {series for reached in answers for series in reached.spent})
    return outputs + statuses(scene, scene.cities(), moment.at)


def _asked(scene: Scene, at: int) -> list[Asked]:
    """What every source claims. What it is asked by does not depend on the incident it is in, so that its answer does not either."""
    state, lane = scene.state, scene.lane.value
    if not state.sources:
        return []
    now = conditions(at, scene.region, scene.hazard, scene.domain)
    found = []
    for number, series in enumerate(sorted(state.sources)):
        source = state.sources[series]
        name = identity.incident_id(scene.hazard.hazard, scene.domain_id, series, source.onset_at, lane)
        here = place(scene.region, source, name)
        here = replace(here, value=roughly(scene.hazard.family, here.value))
        found.append(ask_footprint(scene.region, scene.hazard, Asked(number, source, here), now))
    return found


def _reached(scene: Scene, group: Group, at: int) -> Reached:
    sources = group.sources()
    if not sources:
        return Reached({}, {}, None, ())
    told = (one for incident in group.incidents for one in incident.told.values())
    found_in = frozenset(one.city_id for one in told if SAME_PLACE in one.paths)
    return weigh(scene.region, scene.hazard, sources, Around(scene.state.silent, scene.state.foretold, found_in), at)


def _judge_incident(
    scene: Scene, incident: IncidentState, reached: Reached, moment: Moment, also: tuple[Reason, Mutes | None]
) -> list[Output]:
    """Judge the cities of one incident; their warnings, what bodies are told, and the incident's record. `also`: why it changed as a whole, and what mutes."""
    changed, mutes = also
    incident.leads = roles.leads(scene, incident)
    spoken = {
        city_id: reason
        for city_id in sorted({*incident.told, *reached.wanted})
        if (reason := _judge_city(scene, incident, city_id, reached, (moment, mutes))) is not None
    }
    if spoken:
        muting.stir(scene, moment.at)
    if spoken or changed is not Reason.NOTHING_NEW:
        incident.coordinator = roles.joint_body(scene.region, incident.warned())
    others = telling.warned_now(incident) if spoken else ()
    outputs: list[Output] = []
    for city_id in spoken:
        outputs += _say(scene, incident, incident.told[city_id], reached.wanted.get(city_id), others)
    outputs += _repeat(scene, incident, moment.at, spoken)
    if not scene.time_suspect:
        give_over(scene, incident, moment.at)
    outputs += bodies.tell(scene, incident, moment.at)
    if reached.fused is not None:
        incident.probability, incident.confirmed = reached.fused.probability, reached.fused.confirmed
    elif moment.withdrawn:
        incident.probability = 0.0
    consistency.look(scene, incident, reached.wanted, moment.at)
    heard = told_to_all(scene.hazard.family, spoken.values())
    reason = accounting.gravest([*heard, changed, *([Reason.CANCELLED] if moment.withdrawn else [])])
    return outputs + accounting.account(scene, incident, moment.at, reason, reached.fused)


def _judge_city(scene: Scene, incident: IncidentState, city_id: str, reached: Reached, now: tuple[Moment, Mutes | None]) -> Reason | None:
    """Judge one city and remember the verdict; its reason if there is something to say."""
    moment, mutes = now
    told, wanted = incident.told.get(city_id), reached.wanted.get(city_id)
    if told is None:
        told = reopening.reclaim(scene.state, incident, city_id, identity.warning_id(incident.incident_id, city_id, scene.lane.value))
    if scene.city(city_id) is None:
        verdict = Verdict(Reason.CANCELLED if told is not None and not told.ended else Reason.NOTHING_NEW)
    else:
        verdict = judge(told, wanted, moment, scene.hazard.rules, fresh=_fresh(scene, city_id, wanted))
        verdict = _named(scene, incident, city_id, reached, verdict)
        verdict = bounds.bounded(verdict, told, wanted, moment, scene.hazard.rules)
    if verdict.reason not in SPOKEN:
        if told is not None:
            told.below_since, told.blind_since = verdict.below_since, verdict.blind_since
        if (turned := muting.turned(scene, incident, told, mutes)) is None:
            return None
        verdict = replace(verdict, reason=turned)
    made = ask(scene, incident, told, _revised(scene, incident, city_id, wanted, moment.at, verdict))
    incident.told[city_id] = muting.heed(scene, incident, told, made, mutes)
    return verdict.reason


def _named(scene: Scene, incident: IncidentState, city_id: str, reached: Reached, verdict: Verdict) -> Verdict:
    """The verdict by its proper name: an end here while it goes on elsewhere; anything lesser for a city that came from another incident."""
    if verdict.reason is Reason.CLEARED and reached.wanted and SAME_PLACE not in incident.told[city_id].paths:
        lasts = any(source.ended_at is None for source in scene.sources_of(incident))
        return replace(verdict, reason=Reason.LEFT) if lasts else verdict
    told = incident.told.get(city_id)
    sure = told is not None and bounds.confirmed_now(told, reached.wanted.get(city_id))
    if city_id in incident.moved and not sure and verdict.reason not in _GRAVER:
        return replace(verdict, reason=_MOVED[incident.moved[city_id].partition(":")[0]])
    return verdict


def _fresh(scene: Scene, city_id: str, wanted: Wanted | None) -> bool:
    """Whether what the warning rests on still reports; when nothing wants it any more, whether the city is seen at all."""
    if scene.behind:
        return False
    if wanted is None:  # where no station ever sees it, only people said that it was there, and only they can say that it is over
        return scene.sees(city_id) or not (scene.cities().get(city_id) or city_id in scene.state.unwatched)
    return any(series not in scene.state.silent for series in wanted.series)


def _revised(scene: Scene, incident: IncidentState, city_id: str, wanted: Wanted | None, at: int, verdict: Verdict) -> Told:
    """The next revision: what the evidence wants, but never a lower level unless the verdict is that it got better."""
    told = incident.told.get(city_id)
    reason = verdict.reason
    ending = reason in ENDING
    warning_id = told.warning_id if told is not None else identity.warning_id(incident.incident_id, city_id, scene.lane.value)
    anew = told is None or told.ended or reason is Reason.BETTER
    kept = told.level if told is not None else 0
    level = kept if wanted is None else wanted.level if anew else max(kept, wanted.level)
    at = max(at, told.sent_at) if told is not None else at
    path = wanted.path if wanted is not None else told.path if told is not None else ""
    said = told.paths if told is not None and not told.ended else ()
    probability = wanted.probability if wanted is not None else told.probability if told is not None else 0.0
    p50_at = wanted.arrival.p50_at if wanted is not None and wanted.arrival is not None else None
    return Told(
        city_id=city_id,
        warning_id=warning_id,
        revision=told.revision + 1 if told is not None else reopening.next_revision(scene.state, warning_id),
        level=level,
        msg_type=telling.MSG_TYPES.get(reason, MsgType.UPDATE),
        reason=reason,
        path=path,
        paths=tuple(dict.fromkeys((*said, *(wanted.paths if wanted is not None else ())))),
        probability=probability,
        arrives_at_p50=p50_at,
        sent_at=at,
        expires_at=_expires_at(scene, told, wanted, at, reason),
        ended=ending,
        below_since=verdict.below_since,
        blind_since=verdict.blind_since,
        confirmed=_confirmed(told, wanted, level),
        recent=bounds.counted(told, at, scene.hazard.rules),
    )


def _expires_at(scene: Scene, told: Told | None, wanted: Wanted | None, at: int, reason: Reason) -> int:
    """Until when the revision holds. That it is muted, or in another incident now, is no evidence: it moves no end."""
    if told is not None and reason in (Reason.MUTED, Reason.UNMUTED, Reason.MERGED, Reason.SPLIT):
        return told.expires_at
    validity_s = scene.hazard.rules.validity_s
    return at + seconds(validity_s) if reason in ENDING else telling.expires_at(wanted, at, validity_s)


def _confirmed(told: Told | None, wanted: Wanted | None, level: int) -> bool:
    """Whether enough stations stand behind the level told: a level that is only held is as sure as it was."""
    held = wanted is None or wanted.level < level
    return told is None or told.confirmed if held else wanted is not None and wanted.confirmed


def _say(scene: Scene, incident: IncidentState, told: Told, wanted: Wanted | None, others: tuple[AlsoWarned, ...]) -> tuple[Output, ...]:
    ended = told.reason in (Reason.CLEARED, Reason.LEFT, Reason.CANCELLED)
    warning = telling.compose(scene, told, None if ended else wanted, incident, others)
    told.value = to_bytes(warning)
    incident.moved.pop(told.city_id, None)
    said = of_warning(warning, told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)
    return muting.sent(told, said)


def _repeat(scene: Scene, incident: IncidentState, at: int, spoken: dict[str, Reason]) -> list[Output]:
    """Re-assertion: active warnings that were not revised for a while go out again, byte for byte."""
    every = seconds(scene.hazard.rules.reassert_s)
    outputs: list[Output] = []
    for city_id, told in sorted(incident.told.items()) if every else ():
        if city_id in spoken or told.ended or told.muted_by or at < max(told.sent_at, told.repeated_at) + every:
            continue
        told.repeated_at = at
        warning = telling.restore(told.value)
        again, _ = of_warning(warning, told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)
        outputs.append(replace(again, reason=Reason.REASSERT.value))  # by which the edge knows that it is meant
    return outputs


def _schedule_grid(scene: Scene, at: int) -> None:
    step = seconds(scene.hazard.rules.grid_step_s)
    if not scene.state.incidents:
        scene.state.grid_at = None
    elif scene.state.grid_at is None or scene.state.grid_at <= at:
        scene.state.grid_at = (at // step + 1) * step


def _forget(scene: Scene, spent: set[str]) -> None:
    """Drop ended sources that nothing depends on, or that no open incident consists of; with the last source, what the events taught."""
    state = scene.state
    open_ones = {series for incident in state.incidents.values() for series in incident.series}
    for series in [series for series, source in state.sources.items() if source.ended_at is not None]:
        if series in spent or series not in open_ones:
            del state.sources[series]
    if not state.sources:
        state.fronts.clear()


def settled_due(scene: Scene) -> int | None:
    """The next instant after the last judgement at which something may be due: a hold, an extension, an expiry, a wave that has passed."""
    state = scene.state
    instants = [state.passes_at] if state.passes_at is not None else []
    for incident in state.incidents.values():
        for told in incident.told.values():
            instants += due(told, scene.hazard.rules)
    return min((at for at in instants if at > state.evaluated_at), default=None)
