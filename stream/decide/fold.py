"""The fold: one pure function over a partition's journal. The same journal gives the same outputs, however it is cut into calls.

It never reads a clock: time is the records' timestamps. On live lanes a message is decided when it is applied; on replay lanes an instant
is decided when a later one, or the closing tick, arrives, so that it does not matter how an instant was cut into messages.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from stream.decide import forwarding, moving, sequences, takeover
from stream.decide.activate import activate
from stream.decide.advance import advance_all
from stream.decide.answering import take_answer
from stream.decide.canary import answer
from stream.decide.exercising import BEGIN, OVER, take_exercise
from stream.decide.link_arrival import take_link
from stream.decide.link_test import link_tests
from stream.decide.partition import Partition
from stream.decide.reporting import take_report
from stream.decide.run import Pending, Unit
from stream.decide.snapshot import restore, snapshot
from stream.decide.standing import adopt
from stream.decide.state import Core
from stream.decide.statements import take_statement
from stream.decide.ticking import take_clocks, take_tick
from stream.decide.timekeeping import Held, dated
from stream.records.canary import REGION_HASH as CANARY
from stream.records.handed import Handed
from stream.records.journal import (
    Acknowledgement,
    Columns,
    Command,
    Linked,
    Measurements,
    Message,
    Report,
    SignedMeasurements,
    Statement,
    Tick,
    columns,
    decode,
    encode,
    measurements,
)
from stream.records.lanes import belongs
from stream.records.switching import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.records.journal import Entry
    from stream.records.output import Output
    from stream.records.warning import Lane
    from stream.region.model import Region

HEAVY_PAIRS, HEAVY_IN_ALL = 1_000, 20_000
"""Pairs of a series and a city in one domain (a record), in all (a tick): 0.2 to 1 ms each when everything is in alarm at once."""
PAIRS_AT_ONCE = 10_000
"""A few seconds at the very worst: so much may be decided before somebody must look at the clock."""


class Fold:
    """The fold of one lane. `regions` gives a region by its hash and raises UnknownRegion where it is not at hand (yet)."""

    VERSION = "5"
    MIGRATES = frozenset({"4"})
    """Other versions whose snapshots `restore` takes: the same arrays, and what was added to the rest has a default."""

    def __init__(self, regions: Callable[[str], Region], *, lane: Lane, clock: Literal["broker", "observed"], partitions: int) -> None:
        self._regions = regions
        self._lane = lane
        self._observed = clock == "observed"
        self._partitions = partitions

    def initial(self, partition: int) -> Partition:
        """The state before the first record of this partition."""
        return Partition(Core(partition, self._partitions), self._lane, self._observed)

    def snapshot(self, state: Partition) -> bytes:
        """The state's bytes; equal states have equal bytes."""
        return snapshot(state)

    def restore(self, data: bytes) -> Partition:
        """The state of these bytes."""
        return restore(data, self._regions, self._lane, observed=self._observed)

    def active(self, state: Partition) -> Mapping[str, str]:
        """Region name -> the hash that is active in this partition."""
        return state.core.active

    def awaited(self, state: Partition) -> frozenset[str]:
        """The regions that records kept for later name."""
        named = (decode(one.value) for one in state.core.held)
        return frozenset(one.region_hash for one in named if isinstance(one, Measurements | Report | Statement | Linked))

    def heavy(self, state: Partition) -> bool:
        """Whether a single record may take this state longer than a caller can stand still for: also one that activates what others wait for."""
        kept = state.core.held or state.core.time.waiting or state.core.takeover
        return bool(kept) or max(state.weights.values(), default=0) > HEAVY_PAIRS or sum(state.weights.values()) > HEAVY_IN_ALL

    def at_once(self, state: Partition) -> int:
        """How many records a caller that must not stand still may apply at a time: any of them may be the first of a storm."""
        return max(1, PAIRS_AT_ONCE // max(1, *state.weights.values(), 1))

    def other_lane(self, state: Partition) -> int:
        """How many records of other lanes were refused so far."""
        return state.core.counts.other_lane

    def time_suspect(self, state: Partition) -> bool:
        """Whether the clocks of the broker and of the owner contradict each other."""
        return state.core.time_suspect

    def awaits_tick(self, state: Partition) -> bool:
        """Whether records wait for a tick that says what time it is."""
        return bool(state.core.time.waiting)

    def phase(self, state: Partition) -> Phase:
        """Whose turn it is in this partition, as far as this state has come; what follows a switch to this version waits until it is complete."""
        core = state.core
        return Phase(core.decided_by, core.turn, core.takeover is not None, core.base)

    def go_on(self, state: Partition, version: str, next_offset: int) -> None:
        """Note that another version has decided this state up to there."""
        state.core.base = version, next_offset

    def apply(self, state: Partition, entries: Sequence[Entry]) -> list[Output]:
        """Apply journal records in offset order; another lane's are only counted. UnknownRegion is raised before anything is changed."""
        if not takeover.concerned(state, entries):
            return self._plainly(state, entries)
        values = [*takeover.released(state, entries), *(one.value for one in entries)]
        self._require(state, [decode(value) for value in values])
        return takeover.decide(state, entries, self.VERSION, partial(self._plainly, state), partial(adopt, state))

    def _plainly(self, state: Partition, entries: Sequence[Entry]) -> list[Output]:
        read = [(entry.timestamp, entry.value, decode(entry.value)) for entry in entries]
        ours = {said for said in {message.lane for _, _, message in read} if belongs(said, self._lane)}
        messages = [one for one in read if one[2].lane in ours]
        self._require(state, [message for _, _, message in messages])
        state.core.counts.other_lane += len(read) - len(messages)
        pending = Pending(state)
        outputs: list[Output] = []
        time = state.core.time
        for timestamp, value, message in messages:
            if self._observed:
                outputs += self._one(state, pending, timestamp, (value, message))
            elif isinstance(message, Tick):
                outputs += self._tick(state, pending, timestamp, message)
            elif time.waits(timestamp):
                time.waiting.append(Held(timestamp, value))
            else:
                outputs += self._dated(state, pending, time.take(timestamp), (value, message))
        return outputs + pending.settle()

    def _dated(self, state: Partition, pending: Pending, at: int, record: tuple[bytes, Message]) -> list[Output]:
        """Take a record of a live lane at the instant that it is believed to be of."""
        value, message = record
        return self._one(state, pending, at, (value, dated(message, at, suspect=state.core.time_suspect)))

    def _one(self, state: Partition, pending: Pending, timestamp: int, record: tuple[bytes, Message]) -> list[Output]:
        value, message = record
        if isinstance(message, Measurements):
            return self._measurements(state, pending, timestamp, (value, message))
        if isinstance(message, Report | Statement):
            return self._stated(state, pending, timestamp, (value, message))
        if isinstance(message, Linked):
            return self._linked(state, pending, timestamp, (value, message))
        if isinstance(message, Acknowledgement):
            return pending.settle() + take_answer(state, timestamp, message)
        if isinstance(message, Handed):
            moving.take(state, message, timestamp)
        if isinstance(message, Tick):
            return pending.settle() + self._end(state, timestamp, message)
        return pending.settle() + (self._command(state, timestamp, message) if isinstance(message, Command) else [])

    def _require(self, state: Partition, messages: list[Message]) -> None:
        """Every region these messages, and those that wait for a tick among them, can need is at hand, or nothing is done at all."""
        if state.core.time.waiting and any(isinstance(message, Tick) for message in messages):
            messages = [*messages, *(decode(one.value) for one in state.core.time.waiting)]
        if state.core.moves.stuck:
            messages = [*messages, *(decode(one.value) for one in state.core.moves.stuck)]
        for region_hash in {message.region_hash for message in messages if isinstance(message, Command) and message.region_hash}:
            self._regions(region_hash)
        for region_hash in {message.region_hash for message in messages if isinstance(message, Measurements)}:
            if region_hash in state.core.past:
                self._regions(region_hash)

    def _measurements(self, state: Partition, pending: Pending, timestamp: int, record: tuple[bytes, Measurements]) -> list[Output]:
        value, message = record
        core = state.core
        if message.region_hash == CANARY:
            return pending.settle() + answer(message, core.partition, timestamp)
        if not core.knows(message.region_hash):
            core.held.append(Held(timestamp, value))  # kept until its region is active
            return []
        if isinstance(message, SignedMeasurements) and message.domain in core.domains:
            refused = sequences.take(state, timestamp, message)
            if refused is not None:
                return pending.settle() + refused if refused else []
        if forwarding.is_home(state, message):
            return self._taken(state, pending, timestamp, record)
        parted = forwarding.part(state, self._regions(message.region_hash), timestamp, message)
        outputs = pending.settle() if parted.outputs else []
        outputs += parted.outputs
        return outputs + [made for one in parted.here for made in self._taken(state, pending, timestamp, (encode(one), one))]

    def _taken(self, state: Partition, pending: Pending, timestamp: int, record: tuple[bytes, Measurements]) -> list[Output]:
        """Take measurements of a domain of this partition."""
        value, message = record
        if not self._observed:
            return pending.add(Unit(timestamp, message))
        domain = state.core.domains[message.domain]
        outputs = self._decide_instant(state, pending, message.domain) if domain.instant and timestamp > domain.instant[0].timestamp else []
        domain.instant.append(Held(domain.instant[0].timestamp if domain.instant else timestamp, value))
        return outputs

    def _stated(self, state: Partition, pending: Pending, timestamp: int, record: tuple[bytes, Report | Statement]) -> list[Output]:
        value, said = record
        core = state.core
        if not core.knows(said.region_hash):
            core.held.append(Held(timestamp, value))
            return []
        domain = core.domains.get(said.domain)
        if domain is None:
            core.counts.retired += 1
            return []
        outputs: list[Output] = []
        if domain.instant and timestamp > domain.instant[0].timestamp:
            outputs += self._decide_instant(state, pending, said.domain)
        outputs += pending.settle()
        return outputs + (take_report(state, timestamp, said) if isinstance(said, Report) else take_statement(state, timestamp, said))

    def _linked(self, state: Partition, pending: Pending, timestamp: int, record: tuple[bytes, Linked]) -> list[Output]:
        value, link = record
        core = state.core
        if not core.knows(link.region_hash):
            core.held.append(Held(timestamp, value))
            return []
        if link.to_domain not in core.domains:
            core.counts.retired += 1
            return []
        return pending.settle() + take_link(state, timestamp, link)

    def _decide_instant(self, state: Partition, pending: Pending, domain_id: str) -> list[Output]:
        """Put the messages of the held instant together, in the order of their series, and add them as one unit."""
        domain = state.core.domains[domain_id]
        held, domain.instant = domain.instant, []
        parts = [columns(message) for one in held if isinstance(message := decode(one.value), Measurements)]
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        together = Columns(
            rows[order],
            np.concatenate([part.observed_at for part in parts])[order],
            np.concatenate([part.value for part in parts])[order],
            np.concatenate([part.flags for part in parts])[order],
        )
        return pending.add(Unit(held[0].timestamp, measurements(domain_id, state.bound(domain_id).region.region_hash, together)))

    def _tick(self, state: Partition, pending: Pending, timestamp: int, tick: Tick) -> list[Output]:
        outputs = pending.settle()
        for one in take_clocks(state, timestamp, tick):
            outputs += self._dated(state, pending, one.timestamp, (one.value, decode(one.value)))
        for one in forwarding.waited(state, timestamp):
            outputs += self._one(state, pending, one.timestamp, (one.value, decode(one.value)))
        return outputs + pending.settle() + take_tick(state, timestamp, tick) + moving.tell(state, timestamp)

    def _end(self, state: Partition, timestamp: int, tick: Tick) -> list[Output]:
        """The end of a replay decides the last instant."""
        return self._instants(state) + advance_all(state, timestamp) if tick.closing else []

    def _instants(self, state: Partition) -> list[Output]:
        """Decide what a replay has not decided yet."""
        pending, domains = Pending(state), state.core.domains
        outputs = [
            output for domain_id in sorted(domains) if domains[domain_id].instant
            for output in self._decide_instant(state, pending, domain_id)
        ]  # fmt: skip
        return outputs + pending.settle()

    def _command(self, state: Partition, timestamp: int, command: Command) -> list[Output]:
        core = state.core
        if command.command == "link_test":
            return link_tests(state, command, max(timestamp, command.at))
        if command.command in (BEGIN, OVER):
            return take_exercise(state, command, timestamp)
        outputs: list[Output] = []
        if command.command == "activate" and core.active.get(command.region) != command.region_hash:
            outputs = self._instants(state) + activate(state, self._regions(command.region_hash), timestamp)
        elif command.command == "superseded" and command.region_hash not in core.active.values():
            moving.skip(state, command, self._regions, timestamp)
        else:
            return []
        held, core.held = core.held, []
        pending = Pending(state)
        for one in held:
            outputs += (self._one if self._observed else self._dated)(state, pending, one.timestamp, (one.value, decode(one.value)))
        return outputs + pending.settle()
