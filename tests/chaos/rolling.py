"""Rolling changes under load: three workers restarted in turn; another fold version that takes over while one worker is stopped and goes on later.

`python -m tests.chaos.rolling --rate 5000 [--what restart|upgrade|migrate]` prints what became of the load.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.decide.fold import Fold
from stream.records.journal import decode
from stream.records.output import Kind
from stream.records.switching import FoldVersion, Standing
from stream.region.load import load as load_region
from stream.review.turns import decided
from stream.runtime import upgrading
from stream.runtime.broker import Broker
from stream.runtime.topics import Topics
from tests.chaos.processes import Supervisor
from tests.chaos.rivers import CITIES, GAUGES, RIVERS, rivers, set_up_rivers
from tests.chaos.two_versions import FILE, FOLDS, NEXT, SHADOW, HeirFold
from tests.chaos.under_load import ALLOWED_S, Found, Load, check, waves
from tests.runtime.lane import journal_entries, read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.region.bundle import Bundle
    from stream.settings import Settings

MODULE = "tests.chaos.two_versions"
QUIET_MOST = 250
WORKERS = ("w1", "w2", "w3")
STOPPED = "w2"


class Size(NamedTuple):
    """How much: measurements a second, seconds before and after the change, and of a river's wave; gauges of each river that no city hears of."""

    rate: float = 500.0
    settle_s: float = 6.0
    period_s: float = 24.0
    flood_s: float = 10.0
    quiet: int = 0


class Fleet:
    """Three supervised workers with the code that is installed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self._folder = settings, folder
        self._installed = folder / "installed"
        self.install(Fold.VERSION)
        self.workers = Supervisor(settings, folder, MODULE, env=self.env(), later=self.env())
        for name in WORKERS:
            self.workers.start(name)
        for name in WORKERS:
            self.workers.wait_ready(name)

    def env(self) -> dict[str, str]:
        return {FILE: str(self._installed)}

    def install(self, version: str) -> None:
        """What is started from now on."""
        self._installed.write_text(version, "utf-8")

    def shadow(self) -> Supervisor:
        """A supervised shadow of what is installed, once it has kept up."""
        env = {**self.env(), SHADOW: "1"}
        made = Supervisor(self.settings, self._folder, MODULE, env=env, later=env)
        made.start("s1")
        made.wait_ready("s1")
        until = time.monotonic() + 90
        while (found := self.reached()) and not all(one.ready for one in found):
            assert time.monotonic() < until, f"{list(map(upgrading.describe, found))}\n{made.tails()}"
            time.sleep(0.5)
        return made

    def reached(self) -> list[upgrading.Reached]:
        return asyncio.run(upgrading.reached(self.settings, NEXT))

    def await_version(self, version: str, timeout_s: float = 90.0) -> None:
        """Until every partition's newest checkpoint is of this version and its takeover is over."""
        until = time.monotonic() + timeout_s
        while True:
            journal = journal_entries(self.settings.bootstrap, self.settings.prefix, self.settings.partitions)
            if all(any(isinstance(m, Standing) and m.version == version for m in map(decode, (e.value for e in one))) for one in journal):
                return
            assert time.monotonic() < until, self.workers.tails()
            time.sleep(1)


def restart(fleet: Fleet) -> None:
    """Each worker in turn: stopped gently, started, ready."""
    for name in WORKERS:
        fleet.workers.leave(name, gently=True)
        fleet.workers.start(name)
        fleet.workers.wait_ready(name)


def upgrade(fleet: Fleet) -> None:
    """Shadow, activation while one worker stands still for longer than its session, and its return."""
    old = {name: fleet.workers.process(name) for name in WORKERS}
    fleet.install(NEXT)
    shadow = fleet.shadow()
    old[STOPPED].send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    asyncio.run(upgrading.activate(fleet.settings, NEXT))
    time.sleep(max(0.0, fleet.settings.session_timeout_s + 2 - (time.monotonic() - stopped_at)))
    old[STOPPED].send_signal(signal.SIGCONT)
    fleet.await_version(NEXT)
    until = time.monotonic() + 30
    while any(process.poll() is None for process in old.values()) or not shadow.ended[0]:
        assert time.monotonic() < until, fleet.workers.tails()
        time.sleep(0.2)
    shadow.stop()
    for name in WORKERS:
        fleet.workers.wait_ready(name)


def migrate(fleet: Fleet) -> None:
    """A plain rolling restart with the code of a version that can go on from the state of the one in force."""
    fleet.install(HeirFold.VERSION)
    restart(fleet)
    fleet.await_version(HeirFold.VERSION)


CHANGES: dict[str, Callable[[Fleet], None]] = {"restart": restart, "upgrade": upgrade, "migrate": migrate}


class Outcome(NamedTuple):
    """`lost`, `invented`: what the versions decided, each in its turn, against the topics. `gap`: what a version would have said after its last checkpoint.

    `ended`: exit codes of workers that ended by themselves.
    """

    found: Found
    lost: int
    invented: int
    said: int
    gap: int
    ended: dict[int, int]

    def __str__(self) -> str:
        return (
            f"{self.found}; {self.said} records decided, {self.lost} lost, {self.invented} invented, {self.gap} not said after a version's last checkpoint; "
            f"workers that ended by themselves: {self.ended}"
        )


def run(settings: Settings, folder: Path, what: str, size: Size) -> Outcome:
    """The change under load, and what became of it."""
    # Each city hears of its own gauge only, so that every flood has to be told anew.
    region = rivers(spreading=False, quiet=size.quiet)
    set_up_rivers(settings, region)
    fleet = Fleet(settings, folder)
    try:
        with Load(settings, size.rate, waves(size.period_s, size.flood_s), size.quiet) as load:
            time.sleep(size.settle_s)
            CHANGES[what](fleet)
            time.sleep(size.settle_s + size.flood_s)
        time.sleep(4)
    finally:
        codes = fleet.workers.stop()
    assert set(codes.values()) == {0}, fleet.workers.tails()
    found = check(settings, load, [region])
    return Outcome(found, *equality(settings, region), dict(fleet.workers.ended))


def equality(settings: Settings, bundle: Bundle) -> tuple[int, int, int, int]:
    """Of what every version decided in its turns: how much is not on cities' topics, and how much there nobody decided; how much it was; what is not there of what a version decides after its last checkpoint."""
    region = load_region(bundle)
    wanted: set[tuple[str, bytes | None]] = set()
    maybe: set[tuple[str, bytes | None]] = set()
    topics = Topics(settings.prefix)
    reached = {version: asyncio.run(upgrading.reached(settings, version)) for version in FOLDS}
    for partition, entries in enumerate(journal_entries(settings.bootstrap, settings.prefix, settings.partitions)):
        switches = [(number, m) for number, one in enumerate(entries) if isinstance(m := decode(one.value), FoldVersion)]
        versions = {Fold.VERSION} if not switches else {switches[0][1].before, *(m.version for _, m in switches)}
        for version in versions:
            folds = {
                name: made(lambda _: region, lane=settings.lane, clock=settings.clock, partitions=settings.partitions)
                for name, made in FOLDS.items()
            }
            fold = folds[version]
            older = {name: one for name, one in folds.items() if name in fold.MIGRATES}
            cut = reached[version][partition].next_offset or 0  # what follows on its newest checkpoint it may have said, or not
            for into, some in ((wanted, entries[:cut]), (maybe, entries)):
                outputs = decided(fold, fold.initial(partition), some, older, partition)
                into.update((topics.city(one.city_id), one.value) for one in outputs if one.kind is Kind.CITY)
    there = {(topics.city(city), one.value()) for city in CITIES for one in read_all(settings.bootstrap, topics.city(city))[0]}
    late = {one.value() for one in read_all(settings.bootstrap, topics.warnings_late)[0]}
    lost = {one for one in wanted - there if one[1] not in late}
    return len(lost), len(there - wanted - maybe), len(wanted | maybe), len(maybe - wanted - there)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5000.0)
    parser.add_argument("--what", choices=sorted(CHANGES), default="upgrade")
    parser.add_argument("--settle", type=float, default=15.0, help="Seconds before and after the change.")
    parser.add_argument("--quiet", type=int, help="Gauges of each river that no city hears of; default: as many as measure every second.")
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--session", type=float, default=6.0, help="Session timeout in seconds.")
    given = parser.parse_args()
    quiet = max(0, min(QUIET_MOST, int(given.rate) // RIVERS - GAUGES)) if given.quiet is None else given.quiet
    with tempfile.TemporaryDirectory() as name, Broker.start(Path(name) / "broker") as broker:
        settings = toy_settings(broker.bootstrap, "test.rolling.", partitions=given.partitions, session_timeout_s=given.session)
        outcome = run(settings, Path(name), given.what, Size(given.rate, given.settle, 36.0, 14.0, quiet))
        print(f"rolling {given.what}: {outcome}")
    in_time = outcome.found.slowest_s < given.session + ALLOWED_S
    return 0 if in_time and outcome.found.clean and not outcome.lost and not outcome.invented else 1


if __name__ == "__main__":
    sys.exit(main())
