"""The states of all partitions of a journal, dealt out anew over another number of partitions: every domain goes as a whole, as it is.

This is how partition counts change (`tocsin rebuild`): a domain's state is what its journal led to, and no other domain in its partition has a share in
it, so it can go on in another partition, behind other neighbours, with the next record.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from stream.decide.bound import bind
from stream.decide.partition import Partition
from stream.decide.state import Core
from stream.decide.timekeeping import Time
from stream.records.instants import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stream.decide.bound import Bound

KNOWN = frozenset({
    "partition", "partitions", "doors_written_at", "behind_since", "behind", "acknowledgements_written_at", "unread_since", "unread", "exercise",
    "active", "past", "held", "domains", "counts", "time", "decided_by", "takeover", "moves",
    "turn", "base",
})  # fmt: skip
"""The fields of `Core` that are dealt with here: whoever adds one has to say what becomes of it."""
_encoder = msgspec.msgpack.Encoder(order="deterministic")


def obstacles(states: Sequence[Partition]) -> Iterator[str]:
    """Why these states cannot be dealt out now: something is half done in one of them."""
    first = states[0].core
    for state in states:
        core = state.core
        name = f"journal partition {core.partition}"
        if core.active != first.active:
            yield f"{name}: regions {core.active} are active, in partition {first.partition} {first.active}: an activation is under way"
        if core.held:
            yield f"{name}: {len(core.held)} records wait for a region that is not active yet"
        if core.takeover is not None or (core.decided_by, core.turn) != (first.decided_by, first.turn):
            yield f"{name}: a fold version is taking over"
        moving = max([*core.moves.giving.values(), core.moves.until if core.moves.gained else 0])
        if moving > core.time.reached_at or core.moves.stuck:
            yield f"{name}: measurements of stations that moved are handed over until {to_text(moving)}"
        if core.time.suspect or core.time.waiting:
            yield f"{name}: the clocks of the broker and of the workers contradict each other"
        if core.exercise != first.exercise:
            yield f"{name}: exercise {core.exercise or 'none'} is under way, in partition {first.partition} {first.exercise or 'none'}"


def repartition(states: Sequence[Partition], partitions: int) -> list[Partition]:
    """The states of so many partitions, with the domains of these (all partitions of one journal, without `obstacles`). Counters begin anew."""
    return [_partition(states, number, partitions) for number in range(partitions)]


def digests(states: Sequence[Partition]) -> dict[str, str]:
    """SHA-256 of everything that each domain's future depends on, by domain: the same in whichever partition it is."""
    return {domain_id: _digest(state, domain_id) for state in states for domain_id in sorted(state.core.domains)}


def _partition(states: Sequence[Partition], number: int, partitions: int) -> Partition:
    first = states[0]
    partition = Partition(_core([one.core for one in states], number, partitions), first.lane, first.observed)
    for name, old in first.bounds.items():
        bound = bind(old.region, number, partitions)
        for state in states:
            _carry(state.bounds[name], bound)
        bound.faults = bool(bound.health["health"].any())
        partition.bounds[name] = bound
        for domain_id in bound.domains:
            partition.core.domains[domain_id] = next(one.core.domains[domain_id] for one in states if domain_id in one.core.domains)
    for domain_id in sorted(partition.core.domains):
        partition.admit(domain_id)
    return partition


def _core(cores: Sequence[Core], number: int, partitions: int) -> Core:
    """What belongs to no domain: of instants that promise something the one that all partitions have reached."""
    first = cores[0]
    times = [one.time for one in cores]
    return Core(
        number,
        partitions,
        doors_written_at=min(one.doors_written_at for one in cores),
        behind_since=min((one.behind_since for one in cores if one.behind_since is not None), default=None),
        behind=any(one.behind for one in cores),
        acknowledgements_written_at=min(one.acknowledgements_written_at for one in cores),
        unread_since=min((one.unread_since for one in cores if one.unread_since is not None), default=None),
        unread=any(one.unread for one in cores),
        exercise=first.exercise,
        active=dict(first.active),
        past=list(dict.fromkeys(region_hash for one in cores for region_hash in one.past)),
        time=Time(max(one.reached_at for one in times), max(one.stamped_at for one in times), max(one.written_at for one in times)),
        decided_by=first.decided_by,
        turn=first.turn,
    )


def _carry(old: Bound, new: Bound) -> None:
    """Copy what is known of the series that both have (of the same region: its rows have the same numbers)."""
    here = old.local[new.rows]
    target = np.flatnonzero(here >= 0)
    source = here[target]
    row_of = dict(zip(source.tolist(), target.tolist(), strict=True))
    new.history[target] = old.history[source]
    new.watch[target] = old.watch[source]
    new.health[target] = old.health[source]
    for before, hazard in zip(old.hazards, new.hazards, strict=True):
        hazard.silent[target] = before.silent[source]
        hazard.levels[:, target] = before.levels[:, source]
        hazard.undo |= {row_of[row]: one for row, one in before.undo.items() if row in row_of}
        hazard.waiting |= {row_of[row]: one for row, one in before.waiting.items() if row in row_of}
        for was, use in zip(before.detectors, hazard.detectors, strict=True):
            used = use.compact[target] >= 0
            use.state[use.compact[target[used]]] = was.state[was.compact[source[used]]]


def _digest(partition: Partition, domain_id: str) -> str:
    bound = partition.bound(domain_id)
    rows = bound.members[domain_id]
    total = sha256(_encoder.encode(partition.core.domains[domain_id]))
    for array in (bound.history, bound.watch, bound.health):
        total.update(array[rows].tobytes())
    for hazard in bound.hazards:
        total.update(hazard.silent[rows].tobytes())
        total.update(hazard.levels[:, rows].tobytes())
        for use in hazard.detectors:
            total.update(use.state[use.compact[rows[use.compact[rows] >= 0]]].tobytes())
        for kept in (hazard.undo, hazard.waiting):
            total.update(_encoder.encode([(number, kept[row]) for number, row in enumerate(rows.tolist()) if row in kept]))
    return total.hexdigest()
