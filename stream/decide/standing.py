"""What one version of the fold has published, as another one takes it over: cities were told that, not what the new version has decided in silence.

So the new version's view of what each city was told is replaced by the record that stands on its topic, with its number, level and end; then
everything is judged as ever. What the new version finds worse is said at once; what it finds better has to hold for the usual time; where both say
the same nothing is said. A warning that the new version knows nothing of lapses at its end. One that it decided in silence, and whose danger has
passed for less than the usual time, is said as it was decided: no city reads clear because nobody spoke while it was in danger. Of what is over
since the records say so (`untold.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from detectors.base import Level
from stream.decide import linking, muting, reopening, telling, untold
from stream.decide.incident import evaluate
from stream.decide.life import Moment
from stream.decide.posture import review
from stream.decide.state import Closed
from stream.decide.status import statuses
from stream.decide.ticking import KEEPING_UP_MS
from stream.records.instants import from_text
from stream.records.warning import CityState, Reason
from stream.warnings.envelope import of_warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.decide.partition import Partition
    from stream.decide.scene import Scene
    from stream.decide.state import HazardState, Told
    from stream.records.output import Output
    from stream.records.switching import Standing

_WELL = frozenset({CityState.CLEAR.value, CityState.WATCH.value})
_LEVELS = {level.label: int(level) for level in Level}


class Published(NamedTuple):
    """The newest revision of a warning on its topic; `value`: the record of one that has not ended, b"" of others."""

    incident_id: str
    revision: int
    value: bytes = b""


Known = dict[str, Published]


def adopt(partition: Partition, parts: Sequence[Standing], began_at: int) -> list[Output]:
    """Take over what stands published; what is to be said because of it. `began_at`: when the takeover began (ms)."""
    core = partition.core
    published = _by_hazard(parts)
    now = core.time.reached_at if core.time.reached_at >= 0 else began_at
    outputs: list[Output] = []
    for domain_id in sorted(core.domains):
        domain = core.domains[domain_id]
        if partition.observed and domain.now < 0:
            continue  # a replay's clock starts with its first measurement
        at = max(now, domain.now)
        for index in partition.hazards_of(domain_id):
            scene = partition.scene(domain_id, index)
            known = published.get((domain_id, scene.hazard.hazard), {})
            outputs += untold.record(scene, known, at)
            outputs += _take(scene.state, known, at)
            outputs += linking.anew(scene, at)
            outputs += _anew(scene, Moment(at, partition.settled(at)))
        outputs += review(partition, domain_id, at)
        partition.wind(domain_id)
    return outputs


def _by_hazard(parts: Iterable[Standing]) -> dict[tuple[str, str], Known]:
    found: dict[tuple[str, str], Known] = {}
    for part in parts:
        for value in part.records:
            one = telling.restore(value)
            found.setdefault((one.domain, one.hazard), {})[one.warning_id] = Published(one.incident_id, one.revision, value)
        for domain, hazard, incident_id, warning_id, revision in part.ended:
            found.setdefault((domain, hazard), {})[warning_id] = Published(incident_id, revision)
    return found


def _take(state: HazardState, known: Known, at: int) -> list[Output]:
    """Replace what everybody was told by what they were; of warnings that are unknown here remember the numbers. What has to be said at last."""
    spoken: set[str] = set()
    outputs: list[Output] = []
    for incident in state.incidents.values():
        for everybody in (incident.told, incident.bodies):
            for name, told in list(everybody.items()):
                one = known.get(told.warning_id)
                if one is None and everybody is incident.told and (_held(told) or untold.ended(told)):
                    outputs += _said(told)
                    continue
                if one is None:  # decided in silence only: nobody knows of it, and what stands behind it says it anew
                    del everybody[name]
                    continue
                spoken.add(told.warning_id)
                everybody[name] = _as_published(told, one, at)
    for warning_id, one in known.items():
        if warning_id not in spoken:
            _number(state, warning_id, one, at)
    return outputs


def _held(told: Told) -> bool:
    """Whether a warning is in force although its danger is not measured any more."""
    return not told.ended and (told.below_since is not None or told.blind_since is not None)


def _said(told: Told) -> tuple[Output, ...]:
    """The record of a warning as it was decided."""
    said = of_warning(telling.restore(told.value), told.value, sent_at=told.sent_at, level=told.level, expires_at=told.expires_at)
    return muting.sent(told, said)


def _as_published(told: Told, one: Published, at: int) -> Told:
    """The same city's standing with what it was really told last. What its officers answered is known whatever was said.

    What has lapsed at its end while nobody spoke is not said to have: it was not for want of danger, and is given anew if that is still there.
    """
    if one.value == told.value or (told.ended and not one.value and told.revision == one.revision):
        return told
    if not one.value:
        return msgspec.structs.replace(told, revision=one.revision, ended=True, below_since=None, blind_since=None, heard=0)
    warning = telling.restore(one.value)
    if from_text(warning.expires_at) <= at:
        return msgspec.structs.replace(
            told, revision=one.revision, ended=True, reason=Reason.EXPIRED, below_since=None, blind_since=None, heard=0
        )
    heard = {} if warning.muted_by else {"heard": _LEVELS[warning.level], "heard_revision": warning.revision}
    return msgspec.structs.replace(
        told,
        revision=warning.revision,
        level=_LEVELS[warning.level],
        msg_type=warning.msg_type,
        reason=warning.reason,
        path=warning.path,
        paths=warning.paths,
        probability=warning.probability,
        arrives_at_p50=_instant(warning.arrives_at_p50),
        sent_at=from_text(warning.sent_at),
        expires_at=from_text(warning.expires_at),
        value=one.value,
        ended=False,
        below_since=None,
        muted_by=warning.muted_by,
        acknowledge_by_at=_instant(warning.acknowledge_by_at),
        **heard,
    )


def _number(state: HazardState, warning_id: str, one: Published, at: int) -> None:
    """Numbering goes on above what was published, should this warning be given again."""
    incident, closed = state.incidents.get(one.incident_id), state.closed.get(one.incident_id)
    if incident is None and closed is None:
        closed = state.closed[one.incident_id] = Closed(at, at, 0, {})
        reopening.forget(state)
    numbers = incident.said if incident is not None else closed.said if closed is not None else {}
    numbers[warning_id] = max(one.revision, numbers.get(warning_id, 0))


def _anew(scene: Scene, moment: Moment) -> list[Output]:
    """Judge the hazard, and say once more how it and every city stands: what was decided in silence about them may never have been said.

    While the doors lag nobody is told anew that all is well: what would say otherwise may wait there.
    """
    unread = moment.settled < moment.at - KEEPING_UP_MS
    for status in scene.state.status.values():
        status.published_at = moment.at if unread and status.state in _WELL else 0
    for incident in scene.state.incidents.values():
        incident.summary = b""
    return evaluate(scene, moment) if scene.state.incidents else statuses(scene, scene.cities(), moment.at)


def _instant(text: str | None) -> int | None:
    return None if text is None else from_text(text)
