"""Plays a plan: the region active on the exercise lane, a worker and an intake of its own, the notice, the steps at their time, the end."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from stream.cli.children import Child
from stream.cli.demo_play import settings_file
from stream.cli.exercise_read import under_way
from stream.cli.region import activated
from stream.errors import TocsinError
from stream.records.instants import SECOND, to_text
from stream.records.journal import Command, encode
from stream.records.warning import ExerciseNotice, Texts
from stream.region.administrations import name_of, recipients
from stream.review.exercise_plan import SCHEDULED, measurement, statement
from stream.runtime import feeding
from stream.runtime.topics import DOORS, Topics
from stream.warnings.envelope import to_bytes
from stream.warnings.texts import WORDS, render

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from stream.region.model import Region
    from stream.review.exercise_plan import Plan
    from stream.settings import Settings

_LOOK_S = 0.2
WITHDRAWN_S = 30.0


class Playing:
    """An exercise while it is played by this process."""

    def __init__(self, settings: Settings, plan: Plan, region: Region, sender: AIOKafkaProducer) -> None:
        self._settings = settings
        self._topics = Topics.of(settings)
        self._plan = plan
        self._region = region
        self._sender = sender
        self._children: list[Child] = []

    def watch(self, children: list[Child]) -> None:
        """From now on the exercise is broken off when one of these ends."""
        self._children = children

    async def wait_until(self, at: int) -> None:
        """Return at this instant (ms); TocsinError when a process of ours ends before."""
        while (left_s := (at - _now()) / SECOND) > 0:
            for child in self._children:
                child.check()
            await asyncio.sleep(min(_LOOK_S, left_s))

    async def order(self, command: str) -> int:
        """Write a command to every partition; when the broker took the last (ms)."""
        value = encode(Command(command, self._plan.exercise_id, at=_now(), lane=self._settings.lane.value))
        parts = range(self._settings.journal_width)
        return max([int((await self._sender.send_and_wait(self._topics.journal, value, partition=one)).timestamp) for one in parts])

    async def notify(self, phase: str, begins_at: int) -> None:
        """Tell every city, on its own exercise topic, that the exercise will begin, or that it is over."""
        plan, sent_at = self._plan, _now()
        begins, ends = to_text(begins_at), to_text(begins_at + round(plan.lasts_s * SECOND))
        for city_id in recipients(self._region):
            fields = {
                language: {"city": name_of(self._region, city_id, language), "title": plan.title[language], "begins": begins, "ends": ends}
                for language in WORDS
            }
            notice = ExerciseNotice(
                exercise_id=plan.exercise_id,
                city_id=city_id,
                lane=self._settings.lane,
                phase=phase,
                kind=plan.kind,
                title=Texts(**plan.title),
                sent_at=to_text(sent_at),
                begins_at=begins,
                ends_at=ends,
                text=render(f"exercise_{phase}", {}, fields, self._settings.lane),
            )
            await self._sender.send_and_wait(self._topics.city(city_id), to_bytes(notice), key=b"exercise", partition=0)

    async def steps(self, began_at: int) -> None:
        """Send what is measured and stated, each at its time."""
        plan, doors = self._plan, dict(zip(DOORS, self._topics.doors, strict=True))
        due = [(one.after_s, "measured", number) for number, one in enumerate(plan.measured)]
        due += [(one.after_s, "said", number) for number, one in enumerate(plan.said)]
        for after_s, what, number in sorted(due):
            await self.wait_until(began_at + round(after_s * SECOND))
            if what == "measured":
                made = measurement(plan, number, self._region, _now())
                await self._sender.send_and_wait(doors[made.family], made.value, key=made.series.encode())
            else:
                topic = self._topics.acknowledgements(plan.said[number].city_id)
                await self._sender.send_and_wait(topic, statement(plan, number, self._region), partition=0)


async def play(settings: Settings, plan: Plan, folder: Path, *, own: bool) -> None:
    """Play the plan to its end. `own`: with a worker and an intake that are started for it and stopped after it."""
    region, _ = await activated(settings, folder)
    if (other := await under_way(settings)) is not None:
        msg = f"exercise {other} has begun on prefix {settings.prefix!r} and is not over; wait for its end, or use another prefix (exercise.NAME.)"
        raise TocsinError(msg)
    async with feeding.producer(settings) as sender:
        playing = Playing(settings, plan, region, sender)
        with ExitStack() as stack:
            if own:
                await feeding.await_coordinator(settings)
                playing.watch(_children(settings, stack))
            await feeding.await_begun(settings)
            await _whole(settings, plan, playing)


async def _whole(settings: Settings, plan: Plan, playing: Playing) -> None:
    begins_at = _now() + round(plan.notice_s * SECOND)
    if plan.kind == SCHEDULED:
        await playing.notify("announced", begins_at)
        typer.echo(f"announced: begins {to_text(begins_at)}")
        await playing.wait_until(begins_at)
    began_at = await playing.order("exercise")
    typer.echo(f"EXERCISE {plan.exercise_id} has begun; it ends {to_text(began_at + round(plan.lasts_s * SECOND))}")
    try:
        await playing.steps(began_at)
        await playing.wait_until(began_at + round(plan.lasts_s * SECOND))
    finally:  # broken off, too, everybody must learn that there is no danger
        await playing.order("exercise_over")
        await _withdrawn(settings)
        await playing.notify("over", began_at)
    await feeding.await_read(settings, [Topics.of(settings).journal])


async def _withdrawn(settings: Settings) -> None:
    """Wait until every warning is withdrawn, so that "over" is the last word; but say it in any case."""
    try:
        async with asyncio.timeout(WITHDRAWN_S):
            await feeding.await_read(settings, [Topics.of(settings).journal])
    except (TimeoutError, TocsinError) as error:
        typer.echo(f"the worker has not withdrawn every warning within {WITHDRAWN_S:.0f} s: {error}", err=True)


def _children(settings: Settings, stack: ExitStack) -> list[Child]:
    """A worker and an intake, with everything they leave in a folder that goes with them."""
    work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-exercise-")))
    file = str(settings_file(settings, work))

    def show(name: str, line: str) -> None:
        if " ERROR " in line:
            typer.echo(f"{name} | {line}", err=True)

    return [
        stack.enter_context(Child(name, [sys.executable, "-m", "stream.cli.main", name, "--settings", file], show, temporary=work))
        for name in ("worker", "intake")
    ]


def _now() -> int:
    return time.time_ns() // 1_000_000
