"""Gateways that are killed at every stage lose nothing that was answered for; one that acknowledges when a message arrives does.

The long run is `python -m tests.chaos.gateways_killed --kills 100`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.chaos.gateways_killed import RANDOM, run
from tests.chaos.killable import AWAY, STAGES
from tests.gateways.mosquitto import needed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_what_a_gateway_answered_for_is_in_the_journal_whenever_it_was_killed(tmp_path: Path) -> None:
    needed()
    found = run(tmp_path, 7)
    print(f"\n{found}")
    for kind in ("http", "mqtt"):
        assert found.loss[kind].lost == 0, found
        assert found.loss[kind].acknowledged > 200, found
        assert found.kills[kind].keys() >= {*STAGES, *AWAY, RANDOM}
    assert found.invented == 0, found
    assert found.codes == {"http": 0, "mqtt": 0}
    assert found.answers["http"]["stored"] > 0, "Kafka was away"
    assert found.loss["aiomqtt"].lost > 0, "the harness can find a loss"
