"""One fault after the other under a running canary: how soon each is noticed, what is blamed, and which alert promtool fires on what was seen.

python -m tests.chaos.canary_faults --period 30
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stream.health.canary_rounds import LATE_PERIODS
from tests.chaos.canary_cluster import Cluster, cluster, until
from tests.chaos.canary_seen import Question, answered_by_promtool, promtool_available

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.canary_seen import Seen

HEALTHY = "tocsin_canary_healthy"
MISSING, DEAD = "TocsinCanaryMissing", "TocsinCanaryDead"
PARTITIONS = 3
STARTING_S = 120.0
"""A worker that starts again while its broker does, on a busy machine."""
SILENCE: list[dict[str, float]] = [{}] * 60
"""Nobody answers any more: the canary, killed last, stays away."""
FROZEN_S = 1.0
QUIET_S = 3.0
"""Between faults, so that no alert of the one is taken for the other's."""
PERIODS = 3
"""Within so many each fault has to be noticed."""


def _nothing(_: Cluster) -> None:
    pass


class Fault(NamedTuple):
    """What stands still, and what else begins and ends; `blamed`: the partitions that do not answer any more, None = all; `alert`: what fires."""

    name: str
    begin: Callable[[Cluster], object] = _nothing
    end: Callable[[Cluster], object] = _nothing
    frozen: frozenset[str] = frozenset()
    blamed: frozenset[tuple[str, str]] | None = None
    alert: str = MISSING


class Noticed(NamedTuple):
    """What came of a fault: its second of the recording, how long it took to be noticed, who was blamed, and in which words."""

    fault: Fault
    began: int
    noticed_s: float
    blamed: frozenset[tuple[str, str]]
    said: str


FAULTS = (
    Fault(
        "one journal partition and one door partition not read, the intake frozen",
        lambda one: one.unread("journal/2", "measurements.air/1"),
        lambda one: one.unread(),
        frozenset({"intake"}),
        frozenset({("journal", "2"), ("measurements.air", "1"), ("ingest.canary", "0")}),
    ),
    Fault("worker frozen", frozen=frozenset({"worker"})),
    Fault("worker stopped", lambda one: one.processes["worker"].terminate()),
    Fault("broker killed", lambda one: one.broker.kill(), lambda one: one.broker.restart()),
    Fault("canary killed", lambda one: one.processes["canary"].kill(), blamed=frozenset(), alert=DEAD),
)


def play(one: Cluster, seen: Seen, period_s: float) -> list[Noticed]:
    """Every fault once, each after all was well again; the canary's own death is the last."""
    found = []
    well(one, seen)
    for fault in FAULTS:
        time.sleep(QUIET_S)
        everything = frozenset(seen.targets())
        began = seen.now()
        said = len(one.said("canary"))
        fault.begin(one)
        _signal(one, fault, signal.SIGSTOP)
        until(lambda fault=fault: one.frozen() == fault.frozen, FROZEN_S, lambda: f"frozen: {one.frozen()}")
        gone = fault.alert == DEAD
        noticed_s = until(
            lambda gone=gone: not seen.scrapes[-1] if gone else seen.value(HEALTHY) == 0, 10 * period_s, lambda: one.said("canary")[-2000:]
        )
        wanted = everything if fault.blamed is None else fault.blamed
        until(lambda wanted=wanted: seen.late(period_s) >= wanted, 2 * period_s, lambda: f"{seen.late(period_s)}")
        blamed = frozenset(seen.late(period_s))
        assert one.frozen() == fault.frozen, "something else let it go on"
        found.append(Noticed(fault, began, noticed_s, blamed, one.said("canary")[said:]))
        if not gone:
            fault.end(one)
            _signal(one, fault, signal.SIGCONT)
            well(one, seen)
    return found


def _signal(one: Cluster, fault: Fault, number: signal.Signals) -> None:
    for name in fault.frozen:
        one.processes[name].send_signal(number)


def well(one: Cluster, seen: Seen) -> None:
    """Wait until every partition answers and no alert stands any more, with whatever ended started again."""

    def look() -> bool:
        one.restart_what_ended()
        return seen.value(HEALTHY) == 1 and not seen.late(one.settings.canary_s)

    until(
        look, STARTING_S + 4 * one.settings.canary_s, lambda: "\n".join(f"--- {name}\n{one.said(name)[-1500:]}" for name in one.processes)
    )


def asked(found: list[Noticed], period_s: float) -> list[Question]:
    """What promtool has to say: neither alert fires before a fault, then its own does within three periods (the canary's death within a minute)."""
    questions = []
    for one in found:
        within_s = 60 if one.fault.alert == DEAD else int(LATE_PERIODS * period_s) + 3  # scraped, evaluated and counted in whole seconds
        questions += [Question(alert, one.began - 2, one.began - 1, fires=False) for alert in (MISSING, DEAD)]
        questions.append(Question(one.fault.alert, one.began, one.began + within_s, fires=True))
    return questions


def main() -> None:
    """Play them and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--period", type=float, default=30.0, help="seconds between rounds")
    period_s = parser.parse_args().period
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with cluster(folder, period_s, PARTITIONS) as (one, seen):
            found = play(one, seen, period_s)
        for noticed in found:
            print(
                f"{noticed.fault.name}: noticed after {noticed.noticed_s:.1f} s; {len(noticed.blamed)} partitions blamed; alert {noticed.fault.alert}"
            )
            print("   ", "\n    ".join(line for line in noticed.said.splitlines() if "answered since" in line or "come back since" in line))
        if promtool_available():
            print(
                answered_by_promtool(seen.scrapes + SILENCE, asked(found, period_s), folder)
                or "promtool: each alert fires in time, and none before its fault"
            )


if __name__ == "__main__":
    main()
