"""A load that goes on through every change, a ledger of what the broker took, and what must hold of it afterwards.

Each gauge of `tests.chaos.rivers` measures in turn, so many measurements a second in all, each a message of its own. Every river is calm for a
while and then in flood; further gauges that no city hears of are calm for ever: with them a thousand measurements are not forty of each of two
dozen gauges, one after the other, which costs more than ten times as much to decide. Each rise to red that a door took is a warning that must be
told, and tells how long that took; no clearing may be stamped when the newest measurement that could have been read was red.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np

from stream.records.instants import from_text
from stream.records.journal import Measurements, columns, decode
from stream.region.load import load as load_region
from stream.runtime.topics import REJECTED_PARTITIONS, Topics
from tests.chaos.rivers import CITIES, GAUGES, RIVERS, quiet_gauges
from tests.runtime.lane import door_producer, journal_entries, read_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from stream.records.journal import Entry
    from stream.region.bundle import Bundle
    from stream.settings import Settings

CALM_M, RED_M = 1.0, 5.5
SLOT_S = 0.005
ALLOWED_S = 10.0
"""A warning may come so much later than the session timeout, whatever is changed meanwhile."""
UNREAD_MS = 5_000
"""A clearing that was due is said at the next grid instant (2 s), by marks that lag by 2 s and a tick or two: what doors took since may be unread."""
HOLD_MS = 3_000
"""A clearing rests on measurements that were calm for the hazard's 4 s, less the second between a gauge's measurements and what rounding takes."""
LOWERING = frozenset({"better", "cleared", "left", "cancelled", "expired"})
_NUMBERS = 10_000
"""An item is the time of observation (ms) and the number of the gauge, as one integer."""


def waves(
    period_s: float = 36.0, flood_s: float = 14.0, steady: frozenset[int] = frozenset(), steady_from_s: float = 4.0
) -> Callable[[int, float], bool]:
    """Whether a gauge is in flood so many seconds after the beginning: river by river, one after the other; `steady` gauges for ever."""

    def in_flood(gauge: int, at_s: float) -> bool:
        if gauge in steady:
            return at_s >= steady_from_s
        return (at_s + gauge // GAUGES * period_s / RIVERS) % period_s >= period_s - flood_s

    return in_flood


def item_of(gauge: int, observed_at: int) -> int:
    """What a measurement is in the ledger."""
    return observed_at * _NUMBERS + gauge


class Load:
    """Sends until it is left. `acknowledged`: items the doors took; `changes[gauge]`: (append time ms, whether in flood) wherever that changed."""

    def __init__(self, settings: Settings, rate: float, in_flood: Callable[[int, float], bool] | None = None, quiet: int = 0) -> None:
        self.gauges = [*CITIES, *quiet_gauges(quiet)]
        assert len(self.gauges) <= _NUMBERS
        self._producer = door_producer(settings)
        self._door, self._partitions = Topics(settings.prefix).doors[0], settings.partitions
        self.rate, self._in_flood = rate, in_flood or waves()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged = array("q")
        self.changes: dict[int, list[tuple[int, bool]]] = defaultdict(list)
        self.failed = 0
        self.began_at = self.ended_at = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        self._thread.join()
        assert self._producer.flush(120) == 0

    @property
    def reached(self) -> float:
        """Measurements a second that the doors took."""
        return len(self.acknowledged) / max(self.ended_at - self.began_at, 1e-9)

    def _run(self) -> None:
        sent, last_at, flooded = 0, [0] * len(self.gauges), [False] * len(self.gauges)
        names = [name.encode() for name in self.gauges]
        self.began_at = time.monotonic()
        while not self._ending.wait(SLOT_S):
            at_s = time.monotonic() - self.began_at
            for number in range(sent, int(at_s * self.rate)):
                gauge = number % len(names)
                at = last_at[gauge] = max(time.time_ns() // 1_000_000, last_at[gauge] + 1)
                high = gauge < len(CITIES) and self._in_flood(gauge, at_s)
                changed, flooded[gauge] = high is not flooded[gauge], high
                value = (RED_M if high else CALM_M) + number % 10 / 100
                body = b'{"series":"%s/stage","observed_at":%d.%03d,"value":%.2f}' % (names[gauge], at // 1000, at % 1000, value)
                self._send(gauge, body, (item_of(gauge, at), changed, high))
                sent = number + 1
            self._producer.poll(0)
        self.ended_at = time.monotonic()

    def _send(self, gauge: int, body: bytes, item: tuple[int, bool, bool]) -> None:
        def on_delivery(error: Any, message: Any) -> None:
            if error is not None:
                self.failed += 1
                return
            self.acknowledged.append(item[0])
            if item[1]:
                self.changes[gauge].append((message.timestamp()[1], item[2]))

        while True:
            try:
                self._producer.produce(self._door, body, partition=gauge % self._partitions, on_delivery=on_delivery)
            except BufferError:
                self._producer.poll(0.05)
            else:
                return


@dataclass
class Found:
    """What became of a load. `lost`: items that are neither in the journal nor in `rejected`; `unsaid`: floods (city, at) that were never told.

    `double`: (warning_id, revision) with two contents. `contradicted`: records that lower or end a warning, or call a city unknown, against the
    measurements. `delays_s`: from a door's taking the first red measurement to the city's record.
    """

    measurements: int = 0
    rate: float = 0.0
    lost: list[int] = field(default_factory=list)
    rejected: int = 0
    forwarded: int = 0
    repeated: int = 0
    unsaid: list[tuple[str, int]] = field(default_factory=list)
    double: list[tuple[str, int]] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.rejected or self.unsaid or self.double or self.contradicted)

    @property
    def slowest_s(self) -> float:
        return max(self.delays_s, default=0.0)

    def __str__(self) -> str:
        told = sorted(self.delays_s)
        middle = told[len(told) // 2] if told else 0.0
        return (
            f"{self.measurements} measurements at {self.rate:.0f}/s: {len(self.lost)} lost, {self.rejected} rejected, {self.repeated} repeated in the "
            f"journal; {len(told)} floods told (median {middle:.2f} s, slowest {self.slowest_s:.2f} s), {len(self.unsaid)} not told; "
            f"{len(self.double)} revisions with two contents; {len(self.contradicted)} records against the measurements {self.contradicted[:3]}"
        )


def check(settings: Settings, load: Load, bundles: Iterable[Bundle]) -> Found:
    """What became of the load, by the journal and the cities' topics. `bundles`: every region that was active."""
    found = Found(measurements=len(load.acknowledged), rate=load.reached)
    journal = journal_entries(settings.bootstrap, settings.prefix, settings.partitions)
    _doors(found, settings, load, (journal, bundles))
    for gauge, city in enumerate(CITIES):
        records = read_all(settings.bootstrap, Topics(settings.prefix).city(city))[0]
        told = [(one.timestamp()[1], one.value(), msgspec.json.decode(one.value())) for one in records]
        _told(found, city, load.changes[gauge], [one for one in told if one[2].get("type") == "warning"])
        _unknown(found, load.changes[gauge], [one[2] for one in told if one[2].get("type") == "status"])
    return found


def await_journal(settings: Settings, load: Load, bundles: Iterable[Bundle], timeout_s: float = 60.0) -> None:
    """Wait until everything that the doors took is in the journal, as long as there is hope."""
    until, known = time.monotonic() + timeout_s, list(bundles)
    while time.monotonic() < until:
        found = Found()
        _doors(found, settings, load, (journal_entries(settings.bootstrap, settings.prefix, settings.partitions), known))
        if not found.lost:
            return
        time.sleep(2)


def _doors(found: Found, settings: Settings, load: Load, recorded: tuple[list[list[Entry]], Iterable[Bundle]]) -> None:
    journal, bundles = recorded
    number_of = {name: number for number, name in enumerate(load.gauges)}
    gauge_of: dict[str, NDArray[np.int64]] = {}
    for bundle in bundles:
        ids = load_region(bundle).series.ids
        gauge_of[bundle.region_hash] = np.array([number_of.get(name.partition("/")[0], -1) for name in ids], np.int64)
    items = [np.zeros(0, np.int64)]
    for entry in (one for entries in journal for one in entries):
        message = decode(entry.value)
        if isinstance(message, Measurements) and message.region_hash in gauge_of:
            arrays = columns(message)
            items.append(arrays.observed_at * _NUMBERS + gauge_of[message.region_hash][arrays.rows])
    there = np.concatenate(items)
    found.lost = np.setdiff1d(np.frombuffer(load.acknowledged, np.int64), there).tolist()
    found.repeated = len(there) - len(np.unique(there))
    found.rejected = sum(len(one) for one in read_all(settings.bootstrap, Topics(settings.prefix).rejected, REJECTED_PARTITIONS))


def _told(found: Found, city: str, changes: Sequence[tuple[int, bool]], records: Sequence[tuple[int, bytes, dict[str, Any]]]) -> None:
    contents: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    standing: dict[str, str] = {}
    red_at: list[tuple[int, bool]] = []
    for at, value, body in records:
        contents[body["warning_id"], body["revision"]].add(value)
        if body["reason"] in LOWERING:
            stamped_at = from_text(body["sent_at"])
            read = [high for changed_at, high in changes if changed_at < stamped_at - UNREAD_MS][-1:]
            since = [high for changed_at, high in changes if stamped_at - UNREAD_MS <= changed_at < stamped_at - HOLD_MS]
            if read and all([*read, *since]):  # red at every instant that it may rest on
                found.contradicted.append(f"{city} {body['warning_id']}-{body['revision']} {body['reason']} at {body['sent_at']}")
        ended = body["msg_type"] in ("all_clear", "cancel") or body["reason"] == "expired"
        standing[body["warning_id"]] = "none" if ended else body["level"]
        red_at.append((at, "red" in standing.values()))
    found.double += [key for key, values in contents.items() if len(values) > 1]
    for risen_at, _ in [one for one in changes if one[1]]:
        before = [red for at, red in red_at if at <= risen_at]
        told_at = risen_at if before and before[-1] else next((at for at, red in red_at if at > risen_at and red), None)
        if told_at is None:
            found.unsaid.append((city, risen_at))
        else:
            found.delays_s.append((told_at - risen_at) / 1000)


def _unknown(found: Found, changes: Sequence[tuple[int, bool]], statuses: Sequence[dict[str, Any]]) -> None:
    """A city whose gauge reports may be unknown in a domain only until that domain has heard it for the first time. What is repeated says nothing new."""
    known: dict[str, int] = {}
    for body in statuses:
        as_of_at = from_text(body["as_of_at"])
        if body["state"] != "unknown":
            known.setdefault(body["domain"], as_of_at)
        elif as_of_at > known.get(body["domain"], as_of_at) and changes and as_of_at > changes[0][0]:
            found.contradicted.append(f"{body['city_id']} unknown in {body['domain']} at {body['as_of_at']}")
