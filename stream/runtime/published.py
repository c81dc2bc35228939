"""What stands published of a partition's warnings, read back from their topics when another version of the fold takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiokafka import TopicPartition

from stream.records.lanes import belongs
from stream.records.switching import Standing
from stream.runtime.compacted import latest
from stream.runtime.follow import consumer
from stream.runtime.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.cluster import Cluster
    from stream.settings import Settings

ENDED_MOST = 5_000
"""Of so many warnings that have ended, the last ones, the numbers are taken over: only what is still remembered can begin again."""
POLL_MS = 200
_ENDS = frozenset({"all_clear", "cancel"})


class Said(msgspec.Struct):
    """The little of a warning's record that is needed here."""

    warning_id: str
    incident_id: str
    domain: str
    hazard: str
    revision: int
    msg_type: str
    reason: str
    sent_at: str
    lane: str = ""
    value: bytes = b""

    @property
    def over(self) -> bool:
        """Whether this is the last that is said of its danger."""
        return self.msg_type in _ENDS or self.reason == "expired"


_decoder = msgspec.json.Decoder(Said)


def newest(values: Iterable[bytes | None], topics: Topics) -> dict[str, Said]:
    """Of records of warnings (other ones are passed over) the newest revision of each, by warning_id."""
    found: dict[str, Said] = {}
    for value in values:
        try:
            said = None if value is None else _decoder.decode(value)
        except msgspec.DecodeError:
            continue
        if said is None or not belongs(said.lane, topics.lane):
            continue
        if said.warning_id not in found or found[said.warning_id].revision < said.revision:
            found[said.warning_id] = msgspec.structs.replace(said, value=value)
    return found


def parts(found: Iterable[Said], version: str, taken_at: int, bytes_max: int, lane: str) -> list[Standing]:
    """The journal messages that say what stands published; at least one."""
    everything = sorted(found, key=lambda one: one.warning_id)
    ended = sorted((one for one in everything if one.over), key=lambda one: one.sent_at)[-ENDED_MOST:]
    numbers = [(one.domain, one.hazard, one.incident_id, one.warning_id, one.revision) for one in ended]
    cuts: list[list[bytes]] = [[]]
    size = 0
    for one in everything:
        if one.over:
            continue
        if size + len(one.value) > bytes_max and cuts[-1]:
            cuts.append([])
            size = 0
        cuts[-1].append(one.value)
        size += len(one.value) + 8
    per_part = max(1, bytes_max // 400)
    runs = [numbers[start : start + per_part] for start in range(0, len(numbers), per_part)]
    bodies = [(tuple(values), ()) for values in cuts] + [((), tuple(run)) for run in runs]
    return [Standing(version, taken_at, number, len(bodies), *body, lane=lane) for number, body in enumerate(bodies)]


async def standing(settings: Settings, cities: Iterable[str], since: int) -> list[Said]:
    """The newest revision of every warning, by the topic of all and by those of the cities since this instant (ms).

    A city's own record is sent first: when its writer dies in between, only the city's topic has it.
    """
    cluster, topics = settings.cluster, Topics.of(settings)
    kept = await latest(cluster, topics.warnings, range(settings.partitions))
    values = [one.value for found in kept.values() for one in found.values()]
    return list(newest([*values, *await _since(cluster, [topics.city(city) for city in cities], since)], topics).values())


async def _since(cluster: Cluster, names: Iterable[str], since: int) -> list[bytes | None]:
    """Everything on these topics (of one partition each) from an instant on, up to their ends now."""
    assigned = [TopicPartition(name, 0) for name in sorted(names)]
    values: list[bytes | None] = []
    if not assigned:
        return values
    async with consumer(cluster) as reader:
        reader.assign(assigned)
        begins = await reader.offsets_for_times(dict.fromkeys(assigned, max(since, 0)))
        ends = await reader.end_offsets(assigned)
        waiting = {tp for tp, found in begins.items() if found is not None and found.offset < ends[tp]}
        for tp in assigned:
            reader.seek(tp, begins[tp].offset if tp in waiting else ends[tp])
        while waiting:
            for records in (await reader.getmany(*waiting, timeout_ms=POLL_MS)).values():
                values += [record.value for record in records]
            waiting = {tp for tp in waiting if await reader.position(tp) < ends[tp]}
    return values
