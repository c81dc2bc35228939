"""A version is killed between the switch and what stands, takes over all the same, and gives way to the old one again; on real processes, under load."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from stream.decide.fold import Fold
from stream.errors import TocsinError
from stream.records.journal import decode
from stream.records.switching import FoldVersion, Standing
from stream.runtime import upgrading
from stream.runtime.ending import ExitCode
from tests.chaos.rivers import rivers, set_up_rivers
from tests.chaos.rolling import MODULE, equality
from tests.chaos.two_versions import FILE, SHADOW, HeirFold
from tests.chaos.under_load import Load, check, waves
from tests.runtime.lane import Worker, journal_entries, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
PARTITIONS = 2


class Hands:
    """One worker at a time, of whatever version is installed."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder = settings, folder
        self.installed = folder / "installed"
        self.started = 0

    def start(self, version: str, **more: str) -> Worker:
        self.installed.write_text(version, "utf-8")
        self.started += 1
        env = {FILE: str(self.installed), **more}
        instance = "s1" if SHADOW in more else "w1"
        return Worker(self.settings, self.folder / f"{self.started}.log", instance=instance, module=MODULE, env=env)

    def switched(self, kind: type, version: str, turn: int) -> bool:
        """Whether every partition's journal has this message of this turn."""
        journal = journal_entries(self.settings.bootstrap, self.settings.prefix, PARTITIONS)
        read = [[decode(entry.value) for entry in entries] for entries in journal]
        return all(any(isinstance(one, kind) and (one.version, one.turn) == (version, turn) for one in some) for some in read)

    def activated(self, version: str) -> bool:
        """Whether it is in force now; it is let in when it has kept up everywhere."""
        try:
            return asyncio.run(upgrading.activate(self.settings, version)).version == version
        except TocsinError:
            return False

    def wait(self, true, worker: Worker, timeout_s: float = 90.0) -> None:
        until = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < until, worker.tail()
            time.sleep(0.2)


def test_a_version_killed_before_it_knew_what_stood_takes_over_and_gives_way_to_the_old_one_again(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, partitions=PARTITIONS, session_timeout_s=20.0)
    region = rivers(spreading=False)
    set_up_rivers(settings, region)
    hands, heir = Hands(settings, tmp_path), HeirFold.VERSION
    first = hands.start(Fold.VERSION)
    first.wait_ready(90)
    with Load(settings, 60.0, waves(16.0, 8.0)) as load:
        time.sleep(4)
        assert first.stop() == 0
        killed = hands.start(heir, TOCSIN_FAILPOINT="between_switch_and_standing=kill")
        assert killed.process.wait(90) == -9
        killed.kill()
        assert not hands.switched(Standing, heir, 1)
        second = hands.start(heir)
        hands.wait(lambda: hands.switched(Standing, heir, 1), second)
        shadow = hands.start(Fold.VERSION, **{SHADOW: "1"})
        hands.wait(lambda: hands.activated(Fold.VERSION), shadow)
        assert second.process.wait(60) == ExitCode.SUPERSEDED
        third = hands.start(Fold.VERSION)
        hands.wait(lambda: hands.switched(Standing, Fold.VERSION, 2), third)
        time.sleep(10)
    time.sleep(4)
    assert hands.switched(FoldVersion, heir, 1)
    assert third.stop() == 0
    assert shadow.process.wait(60) == 0
    for one in (second, shadow):
        one.stop()
    found = check(settings, load, [region])
    # What was accepted between a version's last checkpoint and the switch is nobody's to say; of two turns of one version only the last shows which.
    unsaid, invented, said, _ = equality(settings, region)
    print(f"\n{found}; {said} records decided, {unsaid} not said, {invented} invented")
    assert found.clean, found
    assert invented == 0
    assert said > 20
