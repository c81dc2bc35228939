"""From one version of the fold to the next: whether the next one has kept up in every partition, and the record that puts it in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from stream.errors import PublishFailed, TocsinError
from stream.runtime.checkpoint import Wanted, valid
from stream.runtime.checkpoint_store import topic_id
from stream.runtime.compacted import latest
from stream.runtime.entitlement import versions
from stream.runtime.feeding import producer
from stream.runtime.fold_versions import KEY, InForce, from_bytes, to_bytes
from stream.runtime.follow import consumer
from stream.runtime.reach import NOT_ALLOWED
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import AIOKafkaConsumer

    from stream.settings import Settings

BEHIND_MOST_S = 10.0
"""A shadow further behind than this would leave cities waiting for so long."""


class Reached(NamedTuple):
    """How far a version has come in a partition. `next_offset`: of its newest checkpoint, None without one; `behind_s`: by the records' times."""

    partition: int
    next_offset: int | None
    end_offset: int
    behind_s: float | None

    @property
    def ready(self) -> bool:
        """Whether it may take over here."""
        return self.behind_s is not None and self.behind_s <= BEHIND_MOST_S


async def in_force(settings: Settings) -> InForce | None:
    """The version that is in force; None where no worker has ever said so."""
    kept = (await latest(settings.cluster, Topics.of(settings).regions, [0]))[0].get(KEY.encode())
    found = None if kept is None else from_bytes(kept.value)
    if found is None and len(present := await versions(settings)) == 1:
        return InForce(next(iter(present)))
    return found


async def reached(settings: Settings, version: str) -> list[Reached]:
    """How far the checkpoints of a version have come in every partition of the journal."""
    topics, width = Topics.of(settings), range(settings.journal_width)
    identity = await topic_id(settings.cluster, topics.journal)
    kept = await latest(settings.cluster, topics.checkpoints, width)
    assigned = [TopicPartition(topics.journal, number) for number in width]
    found = []
    async with consumer(settings.cluster) as reader:
        reader.assign(assigned)
        begins, ends = await reader.beginning_offsets(assigned), await reader.end_offsets(assigned)
        for one in assigned:
            values = {key: record.value for key, record in kept[one.partition].items()}
            best = next(iter(valid(values, Wanted(version, identity, ends[one]))), None)
            behind_s = None
            if best is not None and best.manifest.next_offset >= begins[one]:
                behind_s = await _behind_s(reader, one, best.manifest.next_offset, ends[one])
            found.append(Reached(one.partition, None if best is None else best.manifest.next_offset, ends[one], behind_s))
    return found


async def _behind_s(reader: AIOKafkaConsumer, journal: TopicPartition, offset: int, end: int) -> float:
    """Seconds between the first record that is not decided yet and the last one."""
    if offset >= end:
        return 0.0
    reader.seek(journal, offset)
    first = await reader.getone(journal)
    reader.seek(journal, end - 1)
    last = await reader.getone(journal)
    return max(0, int(last.timestamp) - int(first.timestamp)) / 1000


async def activate(settings: Settings, version: str, migrates: Sequence[str] = ()) -> InForce:
    """Put a version in force, and say what is; TocsinError where a partition is not ready for it.

    `migrates`: versions from whose state it can go on, for which no shadow is needed.
    """
    now = await in_force(settings)
    if now is not None and now.version == version:
        return now
    if now is not None and now.version not in migrates:
        late = [one for one in await reached(settings, version) if not one.ready]
        if late:
            msg = (
                f"fold version {version} is not ready in {len(late)} of {settings.journal_width} journal partitions ({describe(late[0])}): run "
                f"`tocsin worker --shadow` of that version until `tocsin upgrade check {version}` finds every partition at most "
                f"{BEHIND_MOST_S:.0f} s behind"
            )
            raise TocsinError(msg)
    made = InForce(version, now.version, now.turn + 1) if now is not None else InForce(version)
    topic = Topics.of(settings).regions
    async with producer(settings, topic) as sender:
        try:
            await sender.send_and_wait(topic, to_bytes(made), key=KEY.encode(), partition=0)
        except NOT_ALLOWED:
            raise
        except KafkaError as error:
            msg = f"that fold version {version} is in force could not be written to {topic}: {error!r}; run the command again"
            raise PublishFailed(msg) from error
    return made


def describe(one: Reached) -> str:
    """A partition's standing in words.

    >>> describe(Reached(3, 70, 90, 1.25)), describe(Reached(3, None, 90, None))
    ('journal 3: offset 70 of 90, 1.2 s behind', 'journal 3: no checkpoint of it')
    """
    if one.next_offset is None:
        return f"journal {one.partition}: no checkpoint of it"
    behind = "its records are gone" if one.behind_s is None else f"{one.behind_s:.1f} s behind"
    return f"journal {one.partition}: offset {one.next_offset} of {one.end_offset}, {behind}"
