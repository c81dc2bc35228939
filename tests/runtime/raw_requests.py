"""Requests to a broker as they go over the wire: no client in between that would see a refusal coming and not even ask."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DeleteGroupsRequest, DeleteRecordsRequest
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from stream.cluster import Cluster

DONE, REFUSED, GROUP_REFUSED = 0, 29, 30
"""Error codes: none, TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED."""
GROUP_ID_NOT_FOUND = 69
NOT_LEADER_OR_FOLLOWER = 6
"""The answer to a broker that keeps no copy, after it was found to be one."""
NODE = 1
BYTES = 4_096


class FollowerFetch(FetchRequest):
    """Reading as a broker does that keeps a copy."""

    def build(self, request_struct_class: Any) -> Any:
        made = super().build(request_struct_class)
        made.replica_id = NODE
        return made


@asynccontextmanager
async def connected(cluster: Cluster) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**cluster.aiokafka())
    await client.bootstrap()
    try:
        yield client
    finally:
        await client.close()


async def on_topics(cluster: Cluster, topics: Collection[str]) -> dict[str, dict[str, bool]]:
    """By operation and topic whether it was done. The topics have one partition with a record in it.

    `follow`: read as a broker that keeps a copy.
    """
    async with connected(cluster) as client:
        fetch = (100, 1, 1 << 24, 0, [(topic, [(0, 0, BYTES)]) for topic in topics])
        made = {
            "write": ProduceRequest(None, -1, 10_000, [(topic, [(0, _batch())]) for topic in topics]),
            "read": FetchRequest(*fetch),
            "describe": OffsetRequest(-1, 0, [(topic, [(0, -1)]) for topic in topics]),
            "follow": FollowerFetch(*fetch),
        }
        found = {what: _codes(await client.send(NODE, request)) for what, request in made.items()}
        # Up to the first record: nothing goes.
        gone = await client.send(NODE, DeleteRecordsRequest([(topic, [(0, 0)]) for topic in topics], 10_000))
        return found | {"delete_records": {one[0]: one[1][0][2] != REFUSED for one in gone.topics}}


async def on_groups(cluster: Cluster, groups: Collection[str], topic: str) -> dict[str, dict[str, bool]]:
    """By operation and group whether it was done: look at its offsets, commit one (of this topic) as its member would, delete it."""
    async with connected(cluster) as client:
        looked = {one: (await client.send(NODE, OffsetFetchRequest(one, None))).error_code for one in groups}
        written = {one: await client.send(NODE, OffsetCommitRequest(one, -1, "", -1, [(topic, [(0, 0, "")])])) for one in groups}
        gone = (await client.send(NODE, DeleteGroupsRequest(list(groups)))).results
    # The topic's refusal comes after the group's permission.
    committed = {one: answer.topics[0][1][0][1] for one, answer in written.items()}
    return {
        "describe": _allowed(looked, {DONE}),
        "read": _allowed(committed, {DONE, REFUSED}),
        "delete": _allowed(dict(gone), {DONE, GROUP_ID_NOT_FOUND}),
    }


def _allowed(codes: dict[str, int], allowed: set[int]) -> dict[str, bool]:
    assert set(codes.values()) <= {*allowed, GROUP_REFUSED}, codes
    return {group: code in allowed for group, code in codes.items()}


def _codes(response: Any) -> dict[str, bool]:
    # Each response names its topics in `topics`, and of a partition first its number, then the code.
    found = {topic: partitions[0][1] for topic, partitions in response.topics}
    assert set(found.values()) <= {DONE, REFUSED, NOT_LEADER_OR_FOLLOWER}, found
    return {topic: code != REFUSED for topic, code in found.items()}


def _batch() -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, BYTES)
    assert builder.append(0, timestamp=None, key=b"key", value=b"tried", headers=[])
    return bytes(builder.build())
