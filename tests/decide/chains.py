"""Several domains that pass something on to each other, each with a journal of its own, as on a live lane: a link takes a while to arrive."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from stream.decide.fold import Fold
from stream.records.instants import HOUR, MINUTE, SECOND
from stream.records.journal import Columns, Command, Entry, Linked, Statement, Tick, decode, encode, measurements, partition_of
from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.bundle import Bundle, bundle, region_hash
from stream.region.load import load
from stream.review.journal_file import Header, Recorded
from stream.review.linked_replay import decide_together
from tests.region.shared import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from stream.records.output import Output
    from stream.region.model import Region

START = 1_790_000_000_000 // HOUR * HOUR
QUIET = {
    "lan-dam/seepage": 5.0, "shuikou/stage": 2.0, "hecheng/stage": 2.0, "haimen/stage": 2.0, "shuikou/ammonia": 0.2, "hecheng/ammonia": 0.2,
    "hecheng/raw_ammonia": 0.1, "shuikou/pm25": 20.0, "hecheng/pm25": 20.0, "shuikou/diarrhoea": 1.0, "hecheng/diarrhoea": 2.0,
    "haimen/diarrhoea": 1.0,
}  # fmt: skip


def region_with(changes: Mapping[str, Callable[[str], str]] | None = None, more: Mapping[str, str] | None = None) -> Region:
    """The shipped region of chains, with some of its files edited, and some added."""
    files = dict(bundle(REGIONS / "cascades").files)
    for name, change in (changes or {}).items():
        files[name] = change(files[name].decode()).encode()
    files |= {name: text.encode() for name, text in (more or {}).items()}
    return load(Bundle("cascades", region_hash(files), files))


@dataclass
class Chain:
    """Feeds the journals of all domains; what one passes on to another arrives there after each of `delays_ms(link)`: more than one repeat it."""

    region: Region
    partitions: int = 5
    delays_ms: Callable[[Linked], Sequence[int]] = lambda _: (50,)
    now: int = START
    outputs: list[Output] = field(default_factory=list)
    records: list[Recorded] = field(default_factory=list)
    under_way: list[tuple[int, int, bytes]] = field(default_factory=list)
    ticked: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.header = Header(Lane.TEST, "broker", self.partitions)
        self.fold = self.new_fold()
        self.states = {number: self.fold.initial(number) for number in range(self.partitions)}
        for number in self.states:
            self._append(number, START, encode(Command("activate", self.region.name, self.region.region_hash)))

    def new_fold(self) -> Fold:
        return Fold(lambda _: self.region, lane=Lane.TEST, clock="broker", partitions=self.partitions)

    def partition(self, domain_id: str) -> int:
        return partition_of(domain_id, self.partitions)

    def _append(self, partition: int, at: int, value: bytes) -> None:
        at = max(at, self.now)
        self.now = at
        if isinstance(decode(value), Tick):
            self.ticked[partition] = at
        elif at > self.ticked.get(partition, at) + MINUTE:  # there are ticks all the time: one comes before what follows a pause
            self._tick(partition, at, at - 2 * SECOND)
        offset = len(self.records)
        self.records.append(Recorded(partition, offset, at, value))
        made = self.fold.apply(self.states[partition], [Entry(offset, at, value)])
        self.outputs += made
        for one in made:
            if one.kind is Kind.JOURNAL:
                self.under_way += [(at + delay, one.partition, one.value) for delay in self.delays_ms(decode(one.value))]

    def _arrivals(self, until: int) -> None:
        while due := sorted(one for one in self.under_way if one[0] <= until):
            self.under_way.remove(due[0])
            self._append(due[0][1], due[0][0], due[0][2])

    def measure(self, at: int, values: Mapping[str, float], observed_at: int | None = None) -> None:
        """Values by series, appended to the journals of their domains."""
        self._arrivals(at)
        table, by_domain = self.region.series, {}
        for series, value in values.items():
            row = table.row_of[series]
            by_domain.setdefault(self.region.domains[int(table.domain[row])].domain_id, []).append((row, value))
        for domain_id, pairs in sorted(by_domain.items()):
            arrays = Columns(
                np.array([row for row, _ in pairs], "<i4"),
                np.full(len(pairs), at if observed_at is None else observed_at, "<i8"),
                np.array([value for _, value in pairs]),
                np.zeros(len(pairs), "u1"),
            )
            self._append(self.partition(domain_id), at, encode(measurements(domain_id, self.region.region_hash, arrays)))

    def cancel(self, at: int, domain_id: str, city: str, warning_id: str) -> None:
        """A city's officer takes a warning back."""
        said = Statement(
            domain_id, self.region.region_hash, city, f"stm-{at}", "cancel", "duty officer", at, at, about=warning_id, text="no"
        )
        self._arrivals(at)
        self._append(self.partition(domain_id), at, encode(said))

    def tick(self, at: int) -> None:
        self._arrivals(at)
        for number in self.states:
            self._tick(number, at, at)

    def _tick(self, partition: int, at: int, read_to: int) -> None:
        elapsed_s = (at - self.ticked.get(partition, at)) / SECOND
        self._append(partition, at, encode(Tick(at, elapsed_s, read_to, acknowledgements_written_at=read_to)))

    def run(self, start: int, end: int, story: Callable[[int], Mapping[str, float]], step: int = HOUR) -> None:
        """From instant to instant: what is measured, and a tick soon after (and before: time passes in small steps)."""
        for at in range(start, end, step):
            self.measure(at, {**QUIET, **story(at)})
            for pause in (5, 10, 1800):
                self.tick(at + pause * SECOND)

    def restart(self) -> None:
        """Every partition is taken up again from its checkpoint, by another process."""
        self.fold = self.new_fold()
        self.states = {number: self.fold.restore(self.fold.snapshot(state)) for number, state in self.states.items()}

    def links(self) -> list[Linked]:
        """What was passed on, in order."""
        return [decode(one.value) for one in self.outputs if one.kind is Kind.JOURNAL]

    def said(self, city: str, hazard: str) -> list[dict[str, Any]]:
        return messages(self.outputs, city, hazard)

    def incidents(self, hazard: str) -> list[dict[str, Any]]:
        bodies = [json.loads(one.value) for one in self.outputs if one.kind is Kind.INCIDENTS]
        return [one for one in bodies if one["hazard"] == hazard]

    def together(self) -> list[Output]:
        """What the reference says of the same journals: all domains in the order of time, every link decided anew."""
        return list(decide_together(self.new_fold(), self.header, self.records))


def messages(outputs: Iterable[Output], city: str, hazard: str) -> list[dict[str, Any]]:
    """The warnings of a hazard that a city received."""
    bodies = [json.loads(one.value) for one in outputs if one.kind is Kind.CITY and one.city_id == city]
    return [one for one in bodies if one["type"] == "warning" and one["hazard"] == hazard]


def final(outputs: Iterable[Output]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """How every city stands in the end: by city, hazard and domain its state and level."""
    bodies = [json.loads(one.value) for one in outputs if one.kind is Kind.CITY_STATUS and one.value is not None]
    return {(one["city_id"], one["hazard"], one["domain"]): (one["state"], one["level"]) for one in bodies}


def warned(outputs: Iterable[Output]) -> dict[str, tuple[str, str, str]]:
    """The last that was said under every warning's id: city, level, kind of message."""
    bodies = [json.loads(one.value) for one in outputs if one.kind is Kind.CITY]
    return {one["warning_id"]: (one["city_id"], one["level"], one["msg_type"]) for one in bodies if one["type"] == "warning"}
