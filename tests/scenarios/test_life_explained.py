"""Every warning of every golden scenario can be explained, in both languages, without a hole and without a word nobody translated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from stream.records.journal import decode
from stream.review.explain import explain
from stream.review.explain_facts import Heard, Kept, facts
from stream.review.explain_replayed import note
from stream.review.explain_voice import Voice
from stream.review.explain_words import LANGUAGES
from tests.scenarios.life_player import Played, play
from tests.scenarios.test_life_scenarios import SCENARIOS

if TYPE_CHECKING:
    from tests.scenarios.life_scenario import Scenario

HOLES = re.compile(r"[{}]|\bNone\b|\?|now:|_")
CHINESE = re.compile("[\u4e00-\u9fff]")
NAMED_BY_THE_REGION = re.compile(r"\b(inc|wrn|stm)-[0-9a-f]+|[a-z0-9-]+/[a-z0-9_]+|“[^”]*”|(silence|inhibition):\S+|tocsin accept .*")


def kept_of(played: Played) -> Kept:
    """Everything the scenario led to, as it would stand on topics."""
    kept = Kept(journal=[Heard(one.timestamp, decode(one.value)) for one in played.entries])
    for output in played.outputs:
        note(kept, output)
    return kept


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_warning_of_a_scenario_can_be_explained_in_both_languages(scenario: Scenario) -> None:
    played = play(scenario, scenario.clocks[0])
    kept = kept_of(played)
    for warning in kept.warnings:
        found = facts(warning, kept, played.regions.get)
        for language in LANGUAGES:
            one = explain(Voice(language, found.region), found)
            said = [*one.head, *one.short, *(line for step in one.steps for line in step.lines)]
            bad = [
                line
                for line in said
                if HOLES.search(NAMED_BY_THE_REGION.sub("", line)) and warning.text.en not in line and warning.text.zh not in line
            ]
            assert bad == [], (warning.reason, warning.path)
            assert one.short
        notes = [Voice("zh", found.region).note(word) for word in warning.reasons]
        assert all(note == "" or CHINESE.search(note) for note in notes), warning.reasons
