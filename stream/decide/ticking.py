"""A tick moves a partition's time, brings the marks of doors and answers, and says whether either can still be relied on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide import moving
from stream.decide.advance import advance_all
from stream.decide.rewinding import rewind
from stream.decide.status import statuses
from stream.decide.timekeeping import AGREE_MS, UNSURE_AFTER_MS, note
from stream.records.instants import MINUTE, SECOND

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.state import Core
    from stream.decide.timekeeping import Held
    from stream.records.journal import Tick
    from stream.records.output import Output

KEEPING_UP_MS = 10 * SECOND
"""Marks this far behind are normal traffic."""
BEHIND_AFTER_MS = 2 * MINUTE
"""After so much time of marks lagging, nobody can say that a city is safe."""


def take_clocks(partition: Partition, timestamp: int, tick: Tick) -> list[Held]:
    """Set the partition's time by a tick; the records that waited for it, with the instants at which they are to be decided now."""
    core = partition.core
    before = core.time.reached_at
    released = note(core.time, timestamp, tick)
    now = core.time.reached_at
    if now < before:
        rewind(partition, before, now)
    elif (untold := now - before - max(0, round(tick.elapsed_s * SECOND))) > AGREE_MS and before >= 0:
        # Marks that lag are given two minutes of ticks; while nobody wrote any, nobody could move them either.
        core.behind_since = None if core.behind_since is None else core.behind_since + untold
        core.unread_since = None if core.unread_since is None else core.unread_since + untold
    return released


def take_tick(partition: Partition, timestamp: int, tick: Tick) -> list[Output]:
    """Everything that is due by now, once its clocks are taken; when sight of the cities is lost or comes back, how each of them stands."""
    core, time = partition.core, partition.core.time
    blind = core.behind or time.unsure
    if time.suspect_since is not None:
        time.unsure = time.unsure or time.reached_at - time.suspect_since > UNSURE_AFTER_MS
    else:
        _marks(core, timestamp, tick)
    lost = (core.behind or time.unsure) and not blind
    found = blind and not (core.behind or time.unsure)
    outputs = _standing(partition) if lost else []
    outputs += advance_all(partition, time.reached_at)
    return outputs + (_standing(partition) if found else [])  # who fell silent meanwhile is known by now


def _marks(core: Core, timestamp: int, tick: Tick) -> None:
    """Take the marks, and judge whether they keep up. One ahead of the tick itself is of a clock that was wrong when it was made."""
    if tick.doors_written_at <= timestamp:
        core.doors_written_at = max(core.doors_written_at, moving.written_at(core, tick.doors_written_at, timestamp))
    if tick.acknowledgements_written_at <= timestamp:
        core.acknowledgements_written_at = max(core.acknowledgements_written_at, tick.acknowledgements_written_at)
    core.behind_since = _lagging(core.behind_since, timestamp, core.doors_written_at)
    core.behind = core.behind_since is not None and timestamp - core.behind_since > BEHIND_AFTER_MS
    core.unread_since = _lagging(core.unread_since, timestamp, core.acknowledgements_written_at)
    core.unread = core.unread_since is not None and timestamp - core.unread_since > BEHIND_AFTER_MS
    core.time.unsure = core.time.unsure and core.behind_since is not None


def _lagging(since: int | None, timestamp: int, mark: int) -> int | None:
    """Since when a mark lags, None if it keeps up."""
    if timestamp - mark <= KEEPING_UP_MS:
        return None
    return timestamp if since is None else since


def _standing(partition: Partition) -> list[Output]:
    """The statuses of all cities that have changed."""
    outputs: list[Output] = []
    for domain_id in sorted(partition.core.domains):
        at = max(partition.core.time.reached_at, partition.core.domains[domain_id].now)
        for index in partition.hazards_of(domain_id):
            scene = partition.scene(domain_id, index)
            outputs += statuses(scene, scene.cities(), at)
        partition.wind(domain_id)
    return outputs
