"""Processes whose turn it is not: they own nothing, publish nothing, and say what they wait for."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from stream.errors import TocsinError
from stream.runtime import upgrading
from stream.runtime.fold_versions import InForce
from tests.chaos.two_versions import FILE, NEXT, SHADOW
from tests.runtime.lane import Worker, set_up, toy_settings

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

pytestmark = pytest.mark.kafka


def test_a_worker_of_a_version_that_is_not_in_force_waits_and_a_shadow_of_the_one_that_is_ends(
    broker: Broker, fresh_prefix: str, tmp_path: Path
) -> None:
    settings = toy_settings(broker.bootstrap, fresh_prefix, session_timeout_s=40.0)
    set_up(settings)
    first = Worker(settings, tmp_path / "w1.log")
    first.wait_ready()
    assert asyncio.run(upgrading.in_force(settings)) == InForce("toy")
    with pytest.raises(TocsinError, match=r"not ready in 4 of 4 journal partitions \(journal 0: no checkpoint of it\)"):
        asyncio.run(upgrading.activate(settings, NEXT))
    installed = tmp_path / "installed"
    installed.write_text(NEXT)
    waiting = Worker(settings, tmp_path / "w2.log", instance="w2", module="tests.chaos.two_versions", env={FILE: str(installed)})
    until = time.monotonic() + 60
    while f"this is fold version {NEXT}, in force is toy: nothing is decided or published here" not in waiting.tail():
        assert waiting.process.poll() is None, waiting.tail()
        assert time.monotonic() < until, waiting.tail()
        time.sleep(0.1)
    assert waiting.stop() == 0
    assert not waiting.is_ready()
    assert first.stop() == 0
    asyncio.run(upgrading.activate(settings, NEXT, ["toy"]))
    shadow = Worker(
        settings, tmp_path / "s1.log", instance="s1", module="tests.chaos.two_versions", env={FILE: str(installed), SHADOW: "1"}
    )
    assert shadow.process.wait(60) == 0, shadow.tail()
    assert shadow.stop() == 0
    assert f"fold version {NEXT} is in force already" in shadow.tail()
    again = Worker(settings, tmp_path / "w1.log")
    until = time.monotonic() + 60
    while f"in force is {NEXT}" not in again.tail():
        assert time.monotonic() < until, again.tail()
        time.sleep(0.1)
    assert again.stop() == 0
