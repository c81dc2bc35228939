"""The simulated fleet into the doors of a real broker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from stream.cli.main import app
from tests.gateways.conftest import runner

if TYPE_CHECKING:
    from tests.gateways.conftest import LaneOfAnswers


@pytest.mark.kafka
@pytest.mark.slow
def test_what_the_fleet_sends_is_on_the_door_message_for_message(answers: LaneOfAnswers) -> None:
    door = answers.topics.doors[0]
    answers.shared = (*answers.shared, door)
    before = len(answers.on(door))
    done = runner.invoke(app, ["simulate", str(answers.folder / "rill"), "--hours", "3", "--send", "--speed", "5000", "--start", "2026-03-01T00:00:00Z", *answers.options])  # fmt: skip
    assert done.exit_code == 0, done.output
    sent = re.search(r"^(\d+) messages from", done.output, re.MULTILINE)
    assert sent is not None
    assert len(answers.on(door)) - before == int(sent[1]) > 40
