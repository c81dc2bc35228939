"""A run in which nothing is wrong: the canary has to keep silent, and no alert may fire at any second of it.

python -m tests.chaos.canary_quiet --minutes 60
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.chaos.canary_cluster import cluster, until
from tests.chaos.canary_faults import DEAD, HEALTHY, MISSING, PARTITIONS, STARTING_S
from tests.chaos.canary_seen import Question, answered_by_promtool, promtool_available

PERIOD_S = 10.0
"""A third of what is deployed: an alarm is false when a machine that is busy for some seconds raises it, not when all has stood still for 25 s."""
SLOW = "TocsinCanarySlow"
ALARM = " ERROR stream.health.canary: "


class Quiet(NamedTuple):
    """What a quiet run showed. `fired`: what promtool says, "" when no alert ever fires; `complaints`: the alarms that the canary itself gave."""

    minutes: float
    period_s: float
    rounds: int
    answered: int
    missed: int
    slowest_s: str
    fired: str
    complaints: list[str]


def quiet(folder: Path, minutes: float, period_s: float = PERIOD_S) -> Quiet:
    """Run so long after all has come up."""
    with cluster(folder, period_s, PARTITIONS) as (one, seen):
        until(lambda: seen.value(HEALTHY) == 1, STARTING_S + 4 * period_s, lambda: one.said("canary"))
        first, said = seen.now(), len(one.said("canary"))
        before = seen.newest()
        time.sleep(minutes * 60)
        after, last = seen.newest(), len(seen.scrapes) - 1
        complaints = [line for line in one.said("canary")[said:].splitlines() if ALARM in line]
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    never = [Question(alert, first, last, fires=False) for alert in (MISSING, DEAD, SLOW)]
    return Quiet(
        minutes=minutes,
        period_s=period_s,
        rounds=int(grown["tocsin_canary_rounds_total"]),
        answered=int(sum(value for name, value in grown.items() if name.startswith("tocsin_canary_answered_total"))),
        missed=int(sum(value for name, value in grown.items() if name.startswith("tocsin_canary_missed_total"))),
        slowest_s=_slowest(grown),
        fired=answered_by_promtool(seen.scrapes, never, folder) if promtool_available() else "",
        complaints=complaints,
    )


def _slowest(grown: dict[str, float]) -> str:
    """The bucket that holds all round trips."""
    count = grown["tocsin_canary_round_trip_seconds_count"]
    limits = [name.split('"')[1] for name, value in grown.items() if "round_trip_seconds_bucket" in name and value >= count]
    return min(limits, key=lambda one: float(one.replace("+Inf", "inf")))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--period", type=float, default=PERIOD_S, help="seconds between rounds")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing that was started stays behind
    with tempfile.TemporaryDirectory() as name:
        run = quiet(Path(name), given.minutes, given.period)
        print(json.dumps(run._asdict()) if given.json else run, flush=True)


if __name__ == "__main__":
    main()
