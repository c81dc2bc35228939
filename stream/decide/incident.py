"""One judgement of one hazard in one domain: who is to be told what now, the incident it belongs to, and how every city stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stream.decide import answers, bodies, consistency, identity, muting, reopening, roles, telling
from stream.decide.conditions import conditions
from stream.decide.escalation import ask
from stream.decide.impacts import Event, Reached, reach
from stream.decide.life import SPOKEN, Moment, Verdict, due, judge, seconds
from stream.decide.state import IncidentState, Told
from stream.decide.status import statuses
from stream.records.incident import Incident, WeighedEvidence
from stream.records.instants import to_text
from stream.records.warning import AlsoWarned, MsgType, Reason
from stream.warnings.envelope import of_incident, of_warning, to_bytes

if TYPE_CHECKING:
    from stream.decide.muting import Mutes
    from stream.decide.scene import Scene
    from stream.decide.wanted import Wanted
    from stream.records.output import Output

ENDING = frozenset({Reason.CLEARED, Reason.EXPIRED, Reason.CANCELLED})


def evaluate(scene: Scene, moment: Moment) -> list[Output]:
    """Judge every city; the outputs in a defined order: warnings by city, the incident, city statuses."""
    state = scene.state
    state.evaluated_at = max(state.evaluated_at, moment.settled)
    reached = _reached(scene, moment.at)
    state.watched, state.passes_at = reached.watched, reached.passes_at
    incident = _only(scene)
    if incident is None and reached.wanted:
        incident = reopening.opened(state, _name(scene), moment.at)
    outputs: list[Output] = []
    if incident is not None:
        incident.leads = roles.leads(scene)
        mutes = muting.mutes(scene, moment.at)
        spoken = {
            city_id: reason
            for city_id in sorted({*incident.told, *reached.wanted})
            if (reason := _judge_city(scene, incident, city_id, reached.wanted.get(city_id), (moment, mutes))) is not None
        }
        if spoken:
            muting.stir(scene, moment.at)
            incident.coordinator = roles.joint_body(scene.region, [city for city, told in incident.told.items() if not told.ended])
        others = telling.warned_now(incident) if spoken else ()
        for city_id in spoken:
            outputs += _say(scene, incident, incident.told[city_id], reached.wanted.get(city_id), others)
        outputs += _repeat(scene, incident, moment.at, spoken)
        outputs += bodies.tell(scene, incident, moment.at)
        if reached.fused is not None:
            incident.probability, incident.confirmed = reached.fused.probability, reached.fused.confirmed
        elif moment.withdrawn:
            incident.probability = 0.0
        reason = max(spoken.values(), key=_weight, default=Reason.NOTHING_NEW)
        consistency.look(scene, incident, reached.wanted, moment.at)
        outputs += _account(scene, incident, moment.at, reason, _weighed(reached))
        _schedule_grid(scene, moment.at)
    muting.review(scene, moment.at)
    _forget(scene, reached)
    return outputs + statuses(scene, scene.cities(), moment.at)


def _only(scene: Scene) -> IncidentState | None:
    return next(iter(scene.state.incidents.values()), None)


def _reached(scene: Scene, at: int) -> Reached:
    if not scene.state.sources:
        return Reached({}, {}, None, ())
    sources = [scene.state.sources[series] for series in sorted(scene.state.sources)]
    event = Event(_name(scene), sources, scene.state.silent, scene.state.foretold)
    return reach(scene.region, scene.hazard, event, conditions(at, scene.region, scene.hazard, scene.domain))


def _name(scene: Scene) -> str:
    """The open incident's id, or the one it would have: it is named after the earliest evidence still standing."""
    if (incident := _only(scene)) is not None:
        return incident.incident_id
    standing = [source for source in scene.state.sources.values() if source.ended_at is None] or list(scene.state.sources.values())
    first = min(standing, key=lambda source: (source.onset_at, source.series))
    return identity.incident_id(scene.hazard.hazard, scene.domain_id, first.series, first.onset_at, scene.lane.value)


def _judge_city(
    scene: Scene, incident: IncidentState, city_id: str, wanted: Wanted | None, now: tuple[Moment, Mutes | None]
) -> Reason | None:
    """Judge one city and remember the verdict; its reason if there is something to say."""
    moment, mutes = now
    told = incident.told.get(city_id)
    if scene.city(city_id) is None:
        verdict = Verdict(Reason.CANCELLED if told is not None and not told.ended else Reason.NOTHING_NEW)
    else:
        fresh = _fresh(scene, city_id, wanted)
        verdict = judge(told, wanted, moment, scene.hazard.rules, fresh=fresh)
    if verdict.reason not in SPOKEN:
        if told is not None:
            told.below_since, told.blind_since = verdict.below_since, verdict.blind_since
        if (turned := muting.turned(scene, incident, told, mutes)) is None:
            return None
        verdict = replace(verdict, reason=turned)
    made = ask(scene, incident, told, _revised(scene, incident, city_id, wanted, moment.at, verdict))
    incident.told[city_id] = muting.heed(scene, incident, told, made, mutes)
    return verdict.reason


def _fresh(scene: Scene, city_id: str, wanted: Wanted | None) -> bool:
    """Whether what the warning rests on still reports; when nothing wants it any more, whether the city is seen at all."""
    if scene.behind:
        return False
    if wanted is None:
        return scene.sees(city_id)
    return any(series not in scene.state.silent for series in wanted.series)


def _revised(scene: Scene, incident: IncidentState, city_id: str, wanted: Wanted | None, at: int, verdict: Verdict) -> Told:
    """The next revision: what the evidence wants, but never a lower level unless the verdict is that it got better."""
    told = incident.told.get(city_id)
    reason = verdict.reason
    ending = reason in ENDING
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
        warning_id=told.warning_id if told is not None else identity.warning_id(incident.incident_id, city_id, scene.lane.value),
        revision=told.revision + 1 if told is not None else incident.said.get(city_id, 0) + 1,
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
    )


def _expires_at(scene: Scene, told: Told | None, wanted: Wanted | None, at: int, reason: Reason) -> int:
    """Until when the revision holds. That something is muted, or no longer, is no evidence: it moves no end."""
    if told is not None and reason in (Reason.MUTED, Reason.UNMUTED):
        return told.expires_at
    validity_s = scene.hazard.rules.validity_s
    return at + seconds(validity_s) if reason in ENDING else telling.expires_at(wanted, at, validity_s)


def _confirmed(told: Told | None, wanted: Wanted | None, level: int) -> bool:
    """Whether enough stations stand behind the level told: a level that is only held is as sure as it was."""
    held = wanted is None or wanted.level < level
    return told is None or told.confirmed if held else wanted is not None and wanted.confirmed


def _say(scene: Scene, incident: IncidentState, told: Told, wanted: Wanted | None, others: tuple[AlsoWarned, ...]) -> tuple[Output, ...]:
    ended = told.reason in (Reason.CLEARED, Reason.CANCELLED)
    warning = telling.compose(scene, told, None if ended else wanted, incident, others)
    told.value = to_bytes(warning)
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


def _weight(reason: Reason) -> int:
    order = (Reason.FIRST, Reason.WORSE, Reason.EARLIER, Reason.LATER, Reason.SURER, Reason.BETTER, Reason.CANCELLED, Reason.CLEARED)
    return len(order) - order.index(reason) if reason in order else 0


def _weighed(reached: Reached) -> tuple[WeighedEvidence, ...]:
    """What each source adds, as it stands in the incident's record."""
    support = reached.fused.support if reached.fused is not None else ()
    return tuple(WeighedEvidence(one.series, one.log_odds, one.weight, one.independent, one.reason.value) for one in support)


def _account(scene: Scene, incident: IncidentState, at: int, reason: Reason, weighed: tuple[WeighedEvidence, ...]) -> list[Output]:
    """The incident's own record, if it changed; an incident whose every warning has ended and whose sources are quiet is closed."""
    active = sorted((-told.level, city) for city, told in incident.told.items() if not told.ended)
    closed = not active and all(source.ended_at is not None for source in scene.state.sources.values())
    incident.level = max((-level for level, _ in active), default=0)
    record = Incident(
        incident_id=incident.incident_id,
        revision=incident.revision + 1,
        hazard=scene.hazard.hazard,
        domain=scene.domain_id,
        lane=scene.lane,
        state="closed" if closed else "open",
        level=telling.level_label(incident.level),
        opened_at=to_text(incident.opened_at),
        as_of_at=to_text(at),
        closed_at=to_text(at) if closed else None,
        reason=reason,
        sources=tuple(telling.summary(scene, scene.state.sources[series]) for series in sorted(scene.state.sources)),
        probability=incident.probability,
        confirmed=incident.confirmed,
        evidence=weighed,
        cities=tuple(AlsoWarned(city, telling.level_label(-level)) for level, city in active),
        muted=muting.recorded(scene, incident),
        inconsistent=consistency.recorded(incident),
        region=scene.region.name,
        region_hash=scene.region.region_hash,
        **answers.recorded(incident),
    )
    shape = repr(
        (
            record.state,
            record.cities,
            sorted(scene.state.sources),
            *([] if record.confirmed else ["unconfirmed"]),
            *answers.shape(record),
            *([record.muted] if record.muted else []),
            *([record.inconsistent] if record.inconsistent else []),
        )
    ).encode()
    if shape == incident.summary:
        return []
    incident.summary, incident.revision = shape, incident.revision + 1
    if closed:
        reopening.close(scene.state, incident, at)
    return [of_incident(record, sent_at=at)]


def _schedule_grid(scene: Scene, at: int) -> None:
    step = seconds(scene.hazard.rules.grid_step_s)
    if not scene.state.incidents:
        scene.state.grid_at = None
    elif scene.state.grid_at is None or scene.state.grid_at <= at:
        scene.state.grid_at = (at // step + 1) * step


def _forget(scene: Scene, reached: Reached) -> None:
    """Drop ended sources that nothing depends on; with the incident closed, all ended ones; with the last of them, what the event taught."""
    for series in [series for series, source in scene.state.sources.items() if source.ended_at is not None]:
        if series in reached.spent or not scene.state.incidents:
            del scene.state.sources[series]
    if not scene.state.sources:
        scene.state.fronts.clear()


def settled_due(scene: Scene) -> int | None:
    """The next instant after the last judgement at which something may be due: a hold, an extension, an expiry, a wave that has passed."""
    state = scene.state
    instants = [state.passes_at] if state.passes_at is not None else []
    for incident in state.incidents.values():
        for told in incident.told.values():
            instants += due(told, scene.hazard.rules)
    return min((at for at in instants if at > state.evaluated_at), default=None)
