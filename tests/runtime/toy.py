"""A small real ACCEPT and fold: it counts each series' sequence, and every fifth number is a warning. What is lost or doubled shows at once.

Run as a program it is a worker with the settings of TOCSIN_... variables.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stream.accept.refusal import Refusal, Refused, digest, to_record
from stream.records.journal import Columns, Command, Measurements, columns, decode, encode, measurements, partition_of
from stream.records.output import Kind, Output
from stream.records.switching import Phase
from stream.runtime.worker import Making, run_worker
from stream.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.records.journal import Entry
    from stream.settings import Settings

DOMAINS = 20
CITIES = 4
SLOW_SERIES = 7_777
SLOW_S = 5.0
"""A record with that series takes the fold so long, as an alarm storm over a large region does."""
TARDY_SERIES, TARDY_S = 7_779, 0.03
"""A record with that series takes the fold so long: a thousand of them are half a minute."""
HANG_SERIES = 7_778
"""A record with that series never comes back from the fold."""
HANG = b"hang"
"""A door record that never comes back from ACCEPT, which runs in the event loop."""


class Row(NamedTuple):
    partition: int
    key: bytes
    value: bytes
    timestamp: int | None


@dataclass
class Taken:
    entries: list[Row] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    accepted: int = 0
    late: int = 0
    audit: tuple[()] = ()
    delays: tuple[()] = ()


class ToyAccept:
    def __init__(self, settings: Settings) -> None:
        self._partitions = settings.partitions

    def accept(self, door: str, records: Sequence[Any], now: int) -> Taken:  # noqa: ARG002
        taken = Taken()
        by_domain: dict[int, list[tuple[int, int]]] = {}
        for record in records:
            if record.value == HANG:
                time.sleep(3_600)
            try:
                series, sequence = (int(part) for part in record.value.split(b":"))
            except ValueError:
                taken.refused.append(
                    Refusal(
                        Refused.NOT_JSON,
                        "not a:b",
                        door,
                        record.partition,
                        record.offset,
                        None,
                        record.value,
                        digest(record.value),
                        len(record.value),
                    )
                )
                continue
            by_domain.setdefault(series % DOMAINS, []).append((series, sequence))
            taken.accepted += 1
        for domain, rows in sorted(by_domain.items()):
            series_of, sequence_of = (np.array(column) for column in zip(*rows, strict=True))
            arrays = Columns(series_of, sequence_of, sequence_of.astype(float), np.zeros(len(rows), "u1"))
            name = f"d{domain}"
            taken.entries.append(Row(partition_of(name, self._partitions), name.encode(), encode(measurements(name, "toy", arrays)), None))
        return taken


@dataclass
class ToyState:
    last: dict[int, int] = field(default_factory=dict)
    gaps: list[tuple[int, int, int]] = field(default_factory=list)
    active: dict[str, str] = field(default_factory=dict)
    applied: int = 0


def dawdle(rows: Any) -> None:
    """Take as long as these series ask for."""
    if HANG_SERIES in rows:
        time.sleep(3_600)
    until = time.monotonic() + (SLOW_S if SLOW_SERIES in rows else TARDY_S if TARDY_SERIES in rows else 0)
    while time.monotonic() < until:
        pass  # as a real fold does: it holds the interpreter


class ToyFold:
    VERSION = "toy"
    MIGRATES = frozenset[str]()

    def initial(self, partition: int) -> ToyState:  # noqa: ARG002
        return ToyState()

    def apply(self, state: ToyState, entries: Sequence[Entry]) -> list[Output]:
        outputs: list[Output] = []
        for entry in entries:
            message = decode(entry.value)
            if isinstance(message, Command):
                state.active[message.region] = message.region_hash
            if not isinstance(message, Measurements):
                continue
            arrays = columns(message)
            dawdle(arrays.rows)
            for series, sequence in zip(arrays.rows.tolist(), arrays.observed_at.tolist(), strict=True):
                last = state.last.get(series, 0)
                if sequence <= last:
                    continue
                if sequence != last + 1:
                    state.gaps.append((series, last, sequence))
                state.last[series] = sequence
                state.applied += 1
                if sequence % 5 == 0:
                    outputs += warning(series, sequence, entry.timestamp)
        return outputs

    def snapshot(self, state: ToyState) -> bytes:
        return json.dumps([sorted(state.last.items()), state.gaps, sorted(state.active.items()), state.applied]).encode()

    def restore(self, data: bytes) -> ToyState:
        last, gaps, active, applied = json.loads(data)
        return ToyState(dict(last), [tuple(gap) for gap in gaps], dict(active), applied)

    def active(self, state: ToyState) -> Mapping[str, str]:
        return state.active

    def awaited(self, state: ToyState) -> frozenset[str]:  # noqa: ARG002
        return frozenset()

    def other_lane(self, state: ToyState) -> int:  # noqa: ARG002
        return 0

    def heavy(self, state: ToyState) -> bool:  # noqa: ARG002
        return True

    def at_once(self, state: ToyState) -> int:  # noqa: ARG002
        return 10_000

    def time_suspect(self, state: ToyState) -> bool:  # noqa: ARG002
        return False

    def awaits_tick(self, state: ToyState) -> bool:  # noqa: ARG002
        return False

    def phase(self, state: ToyState) -> Phase:  # noqa: ARG002
        return Phase()

    def go_on(self, state: ToyState, version: str, next_offset: int) -> None:
        raise NotImplementedError


def warning(series: int, sequence: int, at: int) -> list[Output]:
    name = f"{series}:{sequence}"
    value = json.dumps({"warning_id": name, "revision": 1, "level": "red"}).encode()
    return [
        Output(kind, name.encode(), value, at, f"c{series % CITIES}", (), name, 1, 4, at + 3_600_000, "first", "toy")
        for kind in (Kind.CITY, Kind.WARNINGS)
    ]


def toy_region(packed: bytes, region_hash: str) -> Any:
    return SimpleNamespace(region_hash=region_hash, above=dict.fromkeys(packed.decode().split(","), ()), principals=())


def making() -> Making:
    return Making(lambda _, settings: ToyAccept(settings), lambda _, __: ToyFold(), to_record, toy_region)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    sys.exit(run_worker(load(), making()))
