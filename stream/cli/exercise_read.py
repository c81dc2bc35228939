"""What stands on the topics of the exercise lane: which exercise is under way, and all that was said in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.errors import TocsinError
from stream.records.acknowledgement import Acknowledgement
from stream.records.incident import Incident
from stream.records.journal import Command, decode
from stream.records.lanes import belongs
from stream.records.warning import CityWarning
from stream.region.administrations import recipients
from stream.review.exercise_score import Answered, Heard, Told
from stream.runtime.follow import follow
from stream.runtime.topics import Topics
from stream.warnings.reading import decode as decode_city

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.region.model import Region
    from stream.review.exercise_plan import Plan
    from stream.runtime.follow import Followed
    from stream.settings import Settings

BEGIN, OVER = "exercise", "exercise_over"
_answer = msgspec.json.Decoder(Acknowledgement)
_incident = msgspec.json.Decoder(Incident)


async def _records(settings: Settings, names: Sequence[str]) -> list[Followed]:
    return [one async for read in follow(settings.cluster, names, once=True) for one in read.records if one.value is not None]


async def _commands(settings: Settings) -> list[tuple[int, Command]]:
    """When exercises began and ended (ms), in that order, each as often as there are partitions."""
    made = [(one.timestamp, decode(one.value or b"")) for one in await _records(settings, [Topics.of(settings).journal])]
    found = [
        (at, one) for at, one in made if isinstance(one, Command) and one.command in (BEGIN, OVER) and belongs(one.lane, settings.lane)
    ]
    return sorted(found, key=lambda one: one[0])


async def under_way(settings: Settings) -> str | None:
    """The exercise that began last and is not over; None if there is none."""
    commands = await _commands(settings)
    return commands[-1][1].region if commands and commands[-1][1].command == BEGIN else None


async def heard(settings: Settings, plan: Plan, region: Region) -> Heard:
    """All that was said in the last run of this exercise; TocsinError when it never began."""
    commands = [(at, one) for at, one in await _commands(settings) if one.region == plan.exercise_id]
    overs = [at for at, one in commands if one.command == OVER]
    begins = [at for at, one in commands if one.command == BEGIN]
    if not begins:
        msg = f"no exercise {plan.exercise_id!r} was run on prefix {settings.prefix!r}: run it with `tocsin exercise run`"
        raise TocsinError(msg)
    # Of several runs the last: it began with the first command after the end of the one before.
    before = max((at for at in overs if at < begins[-1]), default=0)
    began_at = min(at for at in begins if at >= before)
    over_at = max((at for at in overs if at >= began_at), default=None)
    topics, everybody = Topics.of(settings), recipients(region)
    told, answers = [], []
    for one in await _records(settings, [topics.city(city_id) for city_id in everybody]):
        message = decode_city(one.value or b"")
        if isinstance(message, CityWarning) and message.lane is settings.lane and one.timestamp >= began_at:
            told.append(Told(one.timestamp, message))
    cities = {topics.acknowledgements(city_id): city_id for city_id in everybody}
    for one in await _records(settings, list(cities)):
        answer = _read_answer(one.value or b"")
        if answer is not None and one.timestamp >= began_at:
            answers.append(Answered(one.timestamp, cities[one.topic], answer))
    incidents = [_incident.decode(one.value or b"") for one in await _records(settings, [topics.incidents])]
    return Heard(began_at, over_at, told, answers, incidents)


def _read_answer(value: bytes) -> Acknowledgement | None:
    """The answer in these bytes; None for a statement, or what intake has refused."""
    try:
        return _answer.decode(value)
    except (ValueError, RecursionError):
        return None
