"""Measurements of a series that its region gives to another domain go there: at once where that is in this partition, else through its journal.

A message names series of the region it was accepted with. Where another one is active now, each series is looked up by its id. Sent on it names
the series of the region that sent it on, so it is kept where that one is not active yet, and looked up again where a newer one is. Two partitions
that see two regions in opposite order could send it to and fro: after `HOPS_MOST` it waits, and starts anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from stream.decide.moving import home_of
from stream.decide.timekeeping import Held
from stream.records.instants import SECOND
from stream.records.journal import Columns, ForwardedMeasurements, Measurements, columns, encode, measurements
from stream.records.output import Kind, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.decide.partition import Partition
    from stream.region.model import Region

HOPS_MOST = 2
WAITS_MS = 10 * SECOND
"""By then every partition has the newest region, unless its owner died."""


@dataclass(slots=True)
class Parted:
    """What becomes of a message: the parts of it for domains of this partition, in rows of their active region, and what is sent on."""

    here: list[Measurements] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)


def is_home(state: Partition, message: Measurements) -> bool:
    """Whether all of a message is of its domain as it is now."""
    domain = state.core.domains.get(message.domain)
    return domain is not None and state.core.active.get(domain.region) == message.region_hash


def part(state: Partition, source: Region, timestamp: int, message: Measurements) -> Parted:
    """Divide a message of another region, or for a domain that is not here, among the domains its series belong to now.

    `source`: the region it was accepted with. A series that no active region has is retired: its measurements are counted, and no more.
    """
    parted, counts = Parted(), state.core.counts
    arrays = columns(message)
    by_home: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for at, row in enumerate(arrays.rows.tolist()):
        series = source.series.ids[row]
        region = next((one for one in _regions(state, source.name) if series in one.series.row_of), None)
        if region is None:
            counts.retired += 1
            continue
        now = region.series.row_of[series]
        by_home.setdefault((region.name, home_of(region, now, 1)[0]), []).append((at, now))
    hops = 1 + (message.hops if isinstance(message, ForwardedMeasurements) else 0)
    for (name, domain_id), found in by_home.items():
        chosen = np.array([at for at, _ in found], np.intp)
        region = state.bounds[name].region
        _, partition = home_of(region, found[0][1], state.core.partitions)
        rows = np.array([row for _, row in found], np.int32)
        made = measurements(
            domain_id, region.region_hash, Columns(rows, arrays.observed_at[chosen], arrays.value[chosen], arrays.flags[chosen])
        )
        if partition == state.core.partition:
            parted.here.append(replace(made, lane=message.lane))
        elif hops > HOPS_MOST:
            state.core.moves.stuck.append(Held(timestamp, encode(replace(made, lane=message.lane))))
        else:
            counts.forwarded += len(chosen)
            parted.outputs.append(_sent(state, made, (partition, hops), timestamp))
    return parted


def waited(state: Partition, at: int) -> list[Held]:
    """Records that were sent on too often and have waited for long enough; they are taken as new ones."""
    moves = state.core.moves
    ready = [one for one in moves.stuck if one.timestamp + WAITS_MS <= at]
    moves.stuck = [one for one in moves.stuck if one.timestamp + WAITS_MS > at] if ready else moves.stuck
    return ready


def _regions(state: Partition, name: str) -> Iterator[Region]:
    """The active regions, the one of this name first."""
    if name in state.bounds:
        yield state.bounds[name].region
    for other in sorted(state.bounds):
        if other != name:
            yield state.bounds[other].region


def _sent(state: Partition, made: Measurements, way: tuple[int, int], timestamp: int) -> Output:
    partition, hops = way
    lane = state.lane.value
    sent = ForwardedMeasurements(made.domain, made.region_hash, made.rows, made.observed_at, made.value, made.flags, hops, lane=lane)
    return Output(Kind.JOURNAL, made.domain.encode(), encode(sent), timestamp, reason="forwarded", lane=lane, partition=partition)
