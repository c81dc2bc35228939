"""The golden scenarios: each says what it shows by its name, and both what is missing and what nobody wanted is a failure."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.scenarios.life_player import play
from tests.scenarios.life_scenario import LIFE, TOPICS, Scenario, read
from tests.scenarios.life_wants import problems, story

SCENARIOS = {path.stem: read(path) for path in sorted(LIFE.glob("*.toml"))}
LEAST = 40


def each() -> list:
    """Every scenario on each of its clocks; those of a known fault say why they fail."""
    return [
        pytest.param(
            scenario, clock, id=f"{name}-{clock}",
            marks=[pytest.mark.xfail(strict=True, reason=scenario.fails_because)] if scenario.fails_because else [],
        )
        for name, scenario in SCENARIOS.items()
        for clock in scenario.clocks
    ]  # fmt: skip


@pytest.mark.parametrize(("scenario", "clock"), each())
def test_everybody_hears_what_the_scenario_wants_and_nothing_else(scenario: Scenario, clock: str) -> None:
    played = play(scenario, clock)
    found = problems(played)
    assert not found, "\n".join([f"{scenario.name} on the {clock} clock", *found, "what was told:", story(played)])


def test_there_are_scenarios_of_everything_and_enough_of_them() -> None:
    about = Counter(topic for scenario in SCENARIOS.values() for topic in scenario.topics)
    assert len(SCENARIOS) >= LEAST
    assert set(about) == set(TOPICS)
