"""On a replay lane an instant is decided as a whole, whatever messages it was cut into, when a later one or the closing tick arrives."""

from __future__ import annotations

import random

import pytest

from stream.records.instants import DAY, HOUR, MINUTE, to_text

RIVER = ("upper", "middle", "lower")


def history(start: int, hours: int = 60) -> list[tuple[int, dict[str, float]]]:
    rng = random.Random(5)
    level = dict.fromkeys(RIVER, 1.0)
    told = []
    for hour in range(hours):
        for name in RIVER:
            level[name] = max(0.2, level[name] + rng.gauss(0, 0.6) - 0.05 * (level[name] - 1.5))
        told.append((start + hour * HOUR, {name: round(value, 2) for name, value in level.items()}))
    return told


def play(tale, instants, cut):
    for at, values in instants:
        names = sorted(values)
        for group in cut(names):
            tale.measure(at, {name: values[name] for name in group})
    tale.tick(instants[-1][0] + DAY, closing=True)
    return tale.outputs


CUTS = {
    "together": lambda names: [names],
    "one by one": lambda names: [[name] for name in names],
    "backwards": lambda names: [[name] for name in reversed(names)],
    "two and one": lambda names: [names[:2], names[2:]],
}


@pytest.mark.parametrize("cut", CUTS)
def test_the_cut_of_an_instant_into_messages_changes_nothing(story, tmp_path, start, cut):
    instants = history(start)
    whole = play(story(clock="observed"), instants, CUTS["together"])

    assert any(output.reason == "first" for output in whole)
    assert play(story(clock="observed"), instants, CUTS[cut]) == whole


def test_an_instant_is_decided_only_when_a_later_one_arrives(story, start, calm):
    tale = story(clock="observed")
    tale.measure(start, calm)
    tale.measure(start + HOUR, {**calm, "lower": 4.5})
    assert tale.told("cam") == []

    tale.measure(start + 2 * HOUR, calm)
    assert tale.told("cam") == [("alert", "orange", "first")]
    assert tale.messages("cam")[0]["sent_at"] == to_text(start + HOUR)


def test_the_closing_tick_decides_the_last_instant(story, start, calm):
    tale = story(clock="observed")
    tale.measure(start, calm)
    tale.measure(start + HOUR, {**calm, "lower": 4.5})
    tale.tick(start + HOUR + MINUTE, closing=True)

    assert tale.told("cam") == [("alert", "orange", "first")]


def test_ordinary_ticks_do_not_move_a_replay(story, start, calm):
    tale = story(clock="observed")
    tale.measure(start, {**calm, "lower": 4.5})

    assert tale.tick(start + 30 * DAY) == []


def test_every_city_has_a_status_from_the_first_instant_on_even_where_nothing_reports(story, start):
    tale = story(clock="observed")
    assert tale.status("ava") is None
    tale.measure(start, {"lower": 1.0})
    tale.tick(start + MINUTE, closing=True)

    assert [tale.status(city) for city in ("ava", "bor", "cam")] == ["unknown", "unknown", "unknown"]
