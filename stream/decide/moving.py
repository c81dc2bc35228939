"""Which stations have changed partitions lately, so that what is still on its way between them is waited for.

A measurement that came to a station's old domain is sent on to the new one, which takes a moment, or longer where the old domain's owner has just
died. Until then nothing may be silent, over or expired in the new domain's partition for want of it. So after every tick the old partition says to
the new one up to when everything has been handed over (`Handed`), and the new one counts the doors as read only that far. This goes on for
as long as anybody may still accept by the old region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.decide.timekeeping import Held
from stream.records.handed import Handed
from stream.records.instants import MINUTE
from stream.records.journal import encode, partition_of
from stream.records.output import Kind, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.decide.partition import Partition
    from stream.decide.state import Core
    from stream.records.journal import Command
    from stream.region.model import Region

LASTS_MS = 10 * MINUTE
"""So long after an activation there may be doors that are accepted by the region before it: whoever hangs for a minute is ended by his watchdog."""


class Moves(msgspec.Struct):
    """What moves between this partition and others. `gained`: by series that came here, from which partition; `until`: how long that is waited for. Partitions stand as text.

    `giving`: by partition, until when it is told what was handed over. `handed`: by partition, up to when it has handed over everything.
    `replaced`: by hash of a region that was active, when its followers were noted, here by activation or because it was skipped.
    `stuck`: records that were sent on too often, until they are tried again.
    """

    gained: dict[str, str] = msgspec.field(default_factory=dict)
    until: int = -1
    giving: dict[str, int] = msgspec.field(default_factory=dict)
    handed: dict[str, int] = msgspec.field(default_factory=dict)
    replaced: dict[str, int] = msgspec.field(default_factory=dict)
    stuck: list[Held] = msgspec.field(default_factory=list)


def home_of(region: Region, row: int, partitions: int) -> tuple[str, int]:
    """The domain of a series, and its partition."""
    domain = region.domains[int(region.series.domain[row])]
    return domain.domain_id, partition_of(domain.domain_id, partitions, domain.pin)


def note(core: Core, old: Region, new: Region, at: int) -> None:
    """Remember which series come to this partition, and which partitions get any from it, when a region follows another."""
    moves = core.moves
    moves.replaced = {one: noted for one, noted in moves.replaced.items() if noted + LASTS_MS > at} | {old.region_hash: at}
    own = str(core.partition)
    was, will = ([str(partition_of(one.domain_id, core.partitions, one.pin)) for one in region.domains] for region in (old, new))
    for row, series in enumerate(new.series.ids):
        before = old.series.row_of.get(series)
        here = will[int(new.series.domain[row])]
        there = here if before is None else was[int(old.series.domain[before])]
        if here == moves.gained.get(series):
            del moves.gained[series]  # it is where it came from
        if here == there:
            continue
        if here == own:
            moves.gained[series], moves.until = there, at + LASTS_MS
        elif there == own:
            moves.giving[here] = at + LASTS_MS


def skip(state: Partition, command: Command, regions: Callable[[str], Region], at: int) -> None:
    """Take note of a region that is not active, `superseded` since `command.at`; UnknownRegion where it is not at hand.

    Where it was active elsewhere and never here, doors may have accepted by it all the same, and what they wrote into its domains' partitions
    comes from there.
    """
    core, bound = state.core, state.bounds.get(command.region)
    if bound is not None and core.moves.replaced.get(command.region_hash, -1) < command.at:
        note(core, regions(command.region_hash), bound.region, at)
    if not core.knows(command.region_hash):
        core.past.append(command.region_hash)


def written_at(core: Core, doors_written_at: int, at: int) -> int:
    """How far everything that doors took is decided here or can be: as far as the doors say, and no further than every other partition has handed over.

    What waits for its region is neither, so nothing goes on until it is active.
    """
    if core.held:
        return core.doors_written_at
    moves = core.moves
    if moves.gained and at >= moves.until:
        moves.gained.clear()
    return min([doors_written_at, *(moves.handed.get(one, -1) for one in moves.gained.values())])


def tell(state: Partition, at: int) -> list[Output]:
    """What every partition that gets series from this one is told after a tick."""
    core, giving = state.core, state.core.moves.giving
    if not giving or core.time.waiting or core.moves.stuck:  # what waits here may still have to go there
        return []
    outputs = []
    for partition, until in sorted(giving.items()):
        region_hash = ",".join(sorted(core.active.values()))
        said = Handed(core.partition, region_hash, core.doors_written_at, at >= until, lane=state.lane.value)
        outputs.append(Output(Kind.JOURNAL, b"", encode(said), at, reason="handed", lane=state.lane.value, partition=int(partition)))
    core.moves.giving = {partition: until for partition, until in giving.items() if at < until}
    return outputs


def take(state: Partition, said: Handed, at: int) -> None:
    """Note how far another partition has handed over, no further than now; the last word counts if it is about the same regions."""
    moves = state.core.moves
    source = str(said.from_partition)
    moves.handed[source] = max(min(said.written_at, at), moves.handed.get(source, -1))
    if said.last and said.region_hash == ",".join(sorted(state.core.active.values())):
        moves.gained = {series: partition for series, partition in moves.gained.items() if partition != source}
