"""Both clocks agree on an instant before the partition's own time: they were wrong together, and were set right. Its time goes back with them.

What was noted meanwhile lies in the future and would stand still until then: since when something is below its level, when a status was said last, when
the next look is due, what waits for its region. It is taken for now. What cities hold in their hands stays as it was said, its end included; it ends by
evidence as ever, and what they are told from then on is of the time that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from msgspec.structs import replace

from stream.decide.moving import LASTS_MS

if TYPE_CHECKING:
    from stream.decide.moving import Moves
    from stream.decide.partition import Partition
    from stream.decide.state import Core, DomainState, HazardState, Told


def rewind(partition: Partition, before: int, now: int) -> None:
    """Set everything back that was noted between `now` and `before`, the partition's time until this tick."""
    core = partition.core
    _marks(core, now)
    for domain_id, domain in core.domains.items():
        _domain(domain, now)
        partition.begin(domain_id, domain.began_at)
        for state in domain.hazards.values():
            _hazard(state, now)
            for incident in state.incidents.values():
                incident.apart_since = _no_later(incident.apart_since, now)
                for told in (*incident.told.values(), *incident.bodies.values()):
                    _told(told, before, now)
        partition.wind(domain_id)


def _marks(core: Core, now: int) -> None:
    core.doors_written_at = min(core.doors_written_at, now)
    core.acknowledgements_written_at = min(core.acknowledgements_written_at, now)
    core.behind_since, core.unread_since = _no_later(core.behind_since, now), _no_later(core.unread_since, now)
    for waiting in (*core.held, *core.moves.stuck):
        waiting.timestamp = min(waiting.timestamp, now)
    _moves(core.moves, now)


def _moves(moves: Moves, now: int) -> None:
    moves.until = min(moves.until, now + LASTS_MS)
    moves.giving = {partition: min(until, now + LASTS_MS) for partition, until in moves.giving.items()}
    moves.handed = {partition: min(at, now) for partition, at in moves.handed.items()}
    moves.replaced = {region_hash: min(at, now) for region_hash, at in moves.replaced.items()}


def _domain(domain: DomainState, now: int) -> None:
    domain.now = min(domain.now, now)
    domain.began_at = min(domain.began_at, now)
    domain.check_at = _no_later(domain.check_at, now)
    domain.posture.since_at = min(domain.posture.since_at, now)
    domain.posture.below_since = _no_later(domain.posture.below_since, now)


def _hazard(state: HazardState, now: int) -> None:
    state.evaluated_at = min(state.evaluated_at, now)
    state.grid_at, state.review_at = _no_later(state.grid_at, now), _no_later(state.review_at, now)
    for status in state.status.values():
        status.published_at, status.since_at = min(status.published_at, now), min(status.since_at, now)


def _told(told: Told, before: int, now: int) -> None:
    """How long a city still has for its answer is what it had, and what it answers from now on is its newest word."""
    told.sent_at, told.recent = min(told.sent_at, now), tuple(min(at, now) for at in told.recent)
    for answers in told.acknowledged.values():
        answers |= {by: replace(one, received_at=min(one.received_at, now - 1)) for by, one in answers.items()}
    told.below_since, told.blind_since = _no_later(told.below_since, now), _no_later(told.blind_since, now)
    told.repeated_at = min(told.repeated_at, now)
    if told.rung_at is not None and told.asked_at > now:
        told.rung_at = max(now, told.rung_at - (before - now))


@overload
def _no_later(at: int, now: int) -> int: ...
@overload
def _no_later(at: int | None, now: int) -> int | None: ...
def _no_later(at: int | None, now: int) -> int | None:
    return None if at is None else min(at, now)
