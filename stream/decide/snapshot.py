"""A partition's state as bytes and back, exactly: the same state has the same bytes, whatever way it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from stream.decide.bound import bind
from stream.decide.partition import Partition
from stream.decide.state import Core
from stream.decide.undo import Undo
from stream.decide.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.decide.bound import Bound
    from stream.records.warning import Lane
    from stream.region.model import Region


class Arrays(msgspec.Struct, array_like=True):
    """The arrays of one bound region, then per hazard who is silent, the levels, every detector's state, and by row what can be undone and what waits."""

    history: bytes
    watch: bytes
    health: bytes
    silent: list[bytes]
    levels: list[bytes]
    states: list[list[bytes]]
    undo: list[list[tuple[int, Undo]]]
    waiting: list[list[tuple[int, list[Waiting]]]]


class Snapshot(msgspec.Struct):
    """Everything `restore` needs besides the regions themselves."""

    core: Core
    arrays: dict[str, Arrays]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Snapshot)


def snapshot(partition: Partition) -> bytes:
    """The state's bytes."""
    arrays = {
        name: Arrays(
            bound.history.tobytes(),
            bound.watch.tobytes(),
            bound.health.tobytes(),
            [hazard.silent.tobytes() for hazard in bound.hazards],
            [hazard.levels.tobytes() for hazard in bound.hazards],
            [[use.state.tobytes() for use in hazard.detectors] for hazard in bound.hazards],
            [sorted(hazard.undo.items()) for hazard in bound.hazards],
            [sorted(hazard.waiting.items()) for hazard in bound.hazards],
        )
        for name, bound in partition.bounds.items()
    }
    return _encoder.encode(Snapshot(partition.core, arrays))


def restore(data: bytes, regions: Callable[[str], Region], lane: Lane, *, observed: bool) -> Partition:
    """The partition these bytes were made of; UnknownRegion if a region it needs is not at hand."""
    saved = _decoder.decode(data)
    core = saved.core
    partition = Partition(core, lane, observed)
    for name, region_hash in core.active.items():
        bound = bind(regions(region_hash), core.partition, core.partitions)
        _fill(bound, saved.arrays[name])
        partition.bounds[name] = bound
    for domain_id in sorted(core.domains):
        partition.admit(domain_id)
    return partition


def _fill(bound: Bound, arrays: Arrays) -> None:
    bound.history = np.frombuffer(arrays.history, bound.history.dtype).copy()
    bound.watch = np.frombuffer(arrays.watch, bound.watch.dtype).copy()
    bound.health = np.frombuffer(arrays.health, bound.health.dtype).copy()
    bound.faults = bool(bound.health["health"].any())
    for hazard, undo, waiting in zip(bound.hazards, arrays.undo, arrays.waiting, strict=True):
        hazard.undo, hazard.waiting = dict(undo), dict(waiting)
    for hazard, silent, levels, states in zip(bound.hazards, arrays.silent, arrays.levels, arrays.states, strict=True):
        hazard.silent = np.frombuffer(silent, np.bool_).copy()
        hazard.levels = np.frombuffer(levels, np.uint8).reshape(hazard.levels.shape).copy()
        for use, state in zip(hazard.detectors, states, strict=True):
            use.state = np.frombuffer(state, use.state.dtype).copy()
