from __future__ import annotations

import pytest

from stream.errors import Stalled
from stream.runtime.clocks import BrokerClock, Pulse
from stream.runtime.watchdog import Progress


def test_a_process_that_stood_still_too_long_may_not_send() -> None:
    now = [0.0]
    pulse = Pulse(3.0, lambda: now[0])
    now[0] = 2.9
    pulse.beat()
    now[0] = 5.8
    pulse.check()
    now[0] = 6.0
    with pytest.raises(Stalled, match="stood still"):
        pulse.check()


def test_only_prompt_acknowledgements_tell_the_brokers_time() -> None:
    clock = BrokerClock(wall=lambda: 100_000, monotonic=lambda: 7.0)
    clock.observe(appended_at=90_000, sent_at=80_000, acknowledged_at=99_000)
    assert clock.now() is None
    clock.observe(appended_at=30_000, sent_at=99_000, acknowledged_at=99_500)
    assert clock.now() == 30_000
    assert not clock.agrees()
    clock.observe(appended_at=99_400, sent_at=99_000, acknowledged_at=99_500)
    assert clock.agrees()


@pytest.mark.parametrize("step", [86_400_000, -86_400_000])
def test_a_step_of_our_own_clock_is_seen_before_anything_is_acknowledged(step: int) -> None:
    wall, passed = [100_000_000], [7.0]
    clock = BrokerClock(wall=lambda: wall[0], monotonic=lambda: passed[0])
    clock.observe(appended_at=100_000_000, sent_at=99_999_990, acknowledged_at=100_000_000)
    wall[0] += step + 500
    passed[0] += 0.5
    assert clock.now() == 100_000_500
    assert not clock.agrees()


def test_a_partition_without_waiting_records_is_never_stalled() -> None:
    progress = Progress(5.0)
    for now in range(100):
        progress.look({"idle": (7, 7)}, float(now))
        progress.look({"moving": (now, 1000)}, float(now))
    progress.look({"stuck": (1, 2)}, 0.0)
    with pytest.raises(Stalled, match="1 records wait"):
        progress.look({"stuck": (1, 2)}, 5.0)
