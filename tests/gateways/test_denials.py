"""Who is not heard at the HTTP gateway stands on `audit`: who, from where, why and how often; never a token, and never a flood."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.accept.refusal import Refused
from stream.gateways.denials import KINDS_MOST, UNSENT_MOST, Denials, Denied, Tally, denials_spool
from stream.gateways.http_identity import Identity, Shown, Unheard
from stream.gateways.metrics import GatewayMetrics
from stream.gateways.spool import SpoolFull
from stream.gateways.verdict import Verdict
from stream.records.lanes import Lane
from stream.region.principals import Key, Principal
from stream.runtime.topics import Topics
from stream.settings import Settings
from tests.gateways.http_lane import gateway, lane_settings, set_up, stage
from tests.runtime.lane import read_all

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

NOW = 1_714_564_800_000
WHO = """
[{name}]
kind = "http_token"
stations = ["{station}"]
families = ["{family}"]
lanes = ["{lane}"]
{state}
[{name}.keys.k1]
token_sha256 = "{digest}"
{key_state}
"""


def who(name: str, station: str = "upper", lane: str = "test", **more: str) -> str:
    digest = sha256(f"token of {name}".encode()).hexdigest()
    return WHO.format(name=name, station=station, lane=lane, digest=digest, **({"family": "water", "state": "", "key_state": ""} | more))


GATEWAYS = "".join(
    (
        who("ava"),
        who("wrong-lane", lane="live"),
        who("air-only", family="air"),
        who("gone", state="revoked = true"),
        who("lost", key_state="revoked = true"),
        who("ended", key_state='not_after = "2020-01-01T00:00:00Z"'),
        who("early", key_state='not_before = "2100-01-01T00:00:00Z"'),
    )
)


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer token of {name}"}


def told(settings: Settings) -> list[dict[str, Any]]:
    parts = read_all(settings.bootstrap, Topics(settings.prefix).audit, settings.partitions)
    return [json.loads(one.value()) for part in parts for one in part]


@pytest.mark.kafka
async def test_each_way_of_not_being_heard_leaves_an_entry_that_holds_no_token(
    broker: Broker, fresh_prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill", {"gateways.toml": GATEWAYS})
    asked = [({}, 401), (bearer("nobody"), 401), (bearer("gone"), 401), (bearer("lost"), 401), (bearer("ended"), 401), (bearer("early"), 401),
             (bearer("wrong-lane"), 403), (bearer("ava"), 422), (bearer("air-only"), 422)]  # fmt: skip
    async with gateway(settings) as client:
        for headers, status in asked:
            station = "upper" if headers == bearer("air-only") else "lower"
            assert (await client.post([stage(1, station=station)], **headers))[0] == status
        assert (await client.get("/v1/last-seen"))[0] == 401
        metric = client.process.gateway.metrics.denied
        counted = {one.labels["reason"]: one.value for one in metric.collect()[0].samples if one.name.endswith("_total")}
    found = told(settings)
    digest = sha256(b"token of nobody").hexdigest()
    assert {(one["reason"], one["principal"], one["key_id"], one["proven"]) for one in found} == {
        ("unknown_principal", "", "", False),
        ("unknown_key", "", "", False),
        ("revoked", "gone", "k1", True),
        ("revoked", "lost", "k1", True),
        ("key_not_valid", "ended", "k1", True),
        ("key_not_valid", "early", "k1", True),
        ("other_lane", "wrong-lane", "k1", True),
        ("not_bound", "ava", "", True),
        ("not_bound", "air-only", "", True),
    }
    assert {(one["by"], one["lane"], one["remote"]) for one in found} == {("gateway", "test", "127.0.0.1")}
    assert [one["shown"] for one in found if one["reason"] == "unknown_key"] == [digest[:8]]
    sums: Counter[str] = Counter()
    for one in found:
        sums[one["reason"]] += one["measurements"]
    assert sums == counted == {"unknown_principal": 2, "unknown_key": 1, "revoked": 2, "key_not_valid": 2, "other_lane": 1, "not_bound": 2}
    assert len({one["audit_id"] for one in found}) == len(found)
    for text in (json.dumps(found), caplog.text):
        assert "token of" not in text
        assert digest not in text


@pytest.mark.kafka
async def test_a_flood_of_guesses_is_one_entry_in_a_period_and_hides_nobody_else(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill", {"gateways.toml": GATEWAYS})
    async with gateway(settings) as client:
        for number in range(300):
            assert (await client.post(b"[]", **bearer(f"guess {number}")))[0] == 401
        assert (await client.post([stage(1, station="lower")], **bearer("ava")))[0] == 422
    found = {one["reason"]: one for one in told(settings)}
    assert (
        found["unknown_key"]["measurements"] == sum(one["measurements"] for one in told(settings) if one["reason"] == "unknown_key") == 300
    )
    assert found["not_bound"]["principal"] == "ava"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(1, 5)), max_size=400))
def test_whoever_is_refused_however_often_the_entries_are_few_and_their_sum_is_all(refused: list[tuple[bool, int, int]]) -> None:
    tally = Tally()
    for proven, number, count in refused:
        name = f"p{number}" if proven else ""
        tally.note(Denied(Refused.NOT_BOUND, "", name, proven=proven, remote=f"10.0.0.{number}"), NOW, count)
    found = tally.take()
    assert len(found) <= 2 * (KINDS_MOST + 1)
    for proven in (True, False):
        assert sum(one.times for one in found if one.denied.proven == proven) == sum(
            count for known, _, count in refused if known == proven
        )
        told_apart = {number for known, number, _ in refused if known == proven}
        of_their_own = [one for one in found if one.denied.proven == proven and one.denied.reason is not Refused.MANY]
        assert len(of_their_own) == min(len(told_apart), KINDS_MOST)
    assert tally.take() == []


class Away:
    """Kafka and the disk, taking nothing until told to."""

    def __init__(self) -> None:
        self.taken: list[Any] | None = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(self, records: list[Any]) -> Verdict:
        if self.taken is None:
            raise SpoolFull("away")
        self.taken += records
        return Verdict.ACCEPTED


async def test_entries_wait_while_nothing_takes_them_but_not_without_bound(tmp_path: Path) -> None:
    one = Denials(Settings(bootstrap="127.0.0.1:9"), GatewayMetrics(), denials_spool(tmp_path), period_s=0.001)
    away = Away()
    one._sender = away  # type: ignore[assignment]
    running = asyncio.create_task(one.run())
    for number in range(UNSENT_MOST + 100):
        one.note(Denied(Refused.UNKNOWN_KEY, "", remote=str(number)), NOW)
        await asyncio.sleep(0.002)
    away.taken = []
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(away.taken) == UNSENT_MOST


def test_nothing_of_what_was_shown_is_in_an_answer_or_in_what_is_noted() -> None:
    ava = Principal("ava", "http_token", ("upper",), ("water",), ("live",), "rill", (Key("k", sha256(b"secret").digest(), revoked=True),))
    with pytest.raises(Unheard) as refused:
        Identity([ava], Lane.LIVE).caller(Shown("Bearer secret", b"certificate"), NOW)
    assert "ava" not in str(refused.value)
    assert "secret" not in repr(refused.value.denied)
    assert (refused.value.denied.principal, refused.value.denied.shown) == ("ava", sha256(b"secret").hexdigest()[:8])
