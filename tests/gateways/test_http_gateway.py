"""The HTTP gateway with a real Kafka: what it answers is what stands on the doors."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from stream.gateways.http_limits import HttpLimits
from stream.gateways.known_regions import FILE, write
from stream.region.bundle import bundle, pack
from stream.runtime.topics import Topics
from tests.decide.conftest import FILES, make_bundle
from tests.gateways.http_lane import NOW, gateway, lane_settings, on_door, set_up, stage
from tests.runtime.lane import read_all

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker
    from stream.settings import Settings

pytestmark = pytest.mark.kafka
NOBODY = "127.0.0.1:9"
TOKEN, OTHER, REVOKED = "upper-7f0c", "lower-91aa", "gone-3b3b"
GATEWAYS = f"""
[upstream]
kind = "http_token"
stations = ["upper", "mid*"]
families = ["water"]
lanes = ["live", "test"]
[upstream.keys.first]
token_sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
[downstream]
kind = "http_token"
stations = ["lower"]
families = ["water"]
lanes = ["live", "test"]
[downstream.keys.first]
token_sha256 = "{sha256(OTHER.encode()).hexdigest()}"
[downstream.keys.old]
token_sha256 = "{sha256(REVOKED.encode()).hexdigest()}"
revoked = true
"""


@pytest.fixture
async def lane(broker: Broker, fresh_prefix: str, tmp_path: Path) -> Settings:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    return settings


async def test_every_request_has_an_id_the_senders_or_one_of_ours(lane: Settings) -> None:
    async with gateway(lane) as client:
        assert (await client.post([stage(2.5)], X_Request_Id="logger-7.4711"))[2]["X-Request-ID"] == "logger-7.4711"
        made = (await client.post(b"{", X_Request_Id="x" * 65))[2]["X-Request-ID"]
        assert len(made) == 16
        assert (await client.post(b"{"))[2]["X-Request-ID"] != made


async def test_each_item_has_its_verdict_and_what_is_accepted_stands_on_its_door(lane: Settings) -> None:
    sent = [
        stage(2.5),
        {"station": "upper", "quantity": "stage", "value": 1},
        stage(1, station="nowhere"),
        stage(310, 3) | {"unit": "cm"},
        7,
    ]
    async with gateway(lane) as client:
        status, answer, _ = await client.post(sent)
        assert status == 202
        assert {name: answer[name] for name in ("accepted", "stored", "duplicate")} == {"accepted": 2, "stored": 0, "duplicate": 0}
        assert [(one["index"], one["path"]) for one in answer["rejected"]] == [(1, "$[1]"), (2, "$[2]"), (4, "$[4]")]
        assert [one["reason"] for one in answer["rejected"]] == ["missing_field", "unknown_series", "wrong_type"]
        assert "observed_at" in answer["rejected"][0]["error"]
        assert "nowhere" in answer["rejected"][1]["error"]
        assert on_door(lane) == [sent[0], sent[3]]
        again, second, _ = await client.post([sent[0], stage(2.6, 0.5)])
        assert (again, second["accepted"], second["duplicate"], second["duplicates"]) == (202, 1, 1, [0])
    assert len(on_door(lane)) == 3


async def test_what_one_sender_says_of_a_station_stays_in_the_order_in_which_he_said_it(lane: Settings) -> None:
    async with gateway(lane) as client:
        for at in range(30, 0, -1):
            await client.post([stage(at, at), stage(at, at, "lower")] if at % 3 else stage(at, at))
    parts = [part for part in read_all(lane.bootstrap, Topics(lane.prefix).doors[0], lane.partitions) if part]
    assert len(parts) == 1, "with partitions of its own a later value would be read before an earlier one"
    assert [item["value"] for item in on_door(lane) if item["station"] == "upper"] == list(range(30, 0, -1))


async def test_an_object_lines_and_gzip_are_the_same_measurements(lane: Settings) -> None:
    lines = b"\n".join(json.dumps(stage(1, at)).encode() for at in (5, 4, 3))
    async with gateway(lane) as client:
        assert (await client.post(stage(1, 6)))[1]["accepted"] == 1
        assert (await client.post(lines, Content_Type="application/x-ndjson"))[1]["accepted"] == 3
        zipped = gzip.compress(json.dumps([stage(2, 2), stage(2, 1)]).encode())
        assert (await client.post(zipped, Content_Encoding="gzip"))[1]["accepted"] == 2
    assert len(on_door(lane)) == 6


async def test_nothing_taken_is_422_with_every_items_error(lane: Settings) -> None:
    async with gateway(lane) as client:
        for body in (b"", b"{", b"[]", b"\xff", b"[[[[", b"null", b'{"station":"upper"}'):
            status, answer, _ = await client.post(body)
            assert status == 422, body
            assert answer["rejected"][0]["error"], body
    assert on_door(lane) == []


async def test_a_repeated_key_gets_the_first_answer_and_another_request_under_it_is_refused(lane: Settings) -> None:
    async with gateway(lane) as client:
        first = await client.post([stage(1)], Idempotency_Key="k1")
        again = await client.post([stage(1)], Idempotency_Key="k1")
        assert first[:2] == again[:2]
        assert "Idempotency-Replayed" not in first[2]
        assert again[2]["Idempotency-Replayed"] == "true"
        assert (await client.post([stage(2)], Idempotency_Key="k1"))[0] == 422
        assert (await client.post([stage(1)], "/v1/backfill", Idempotency_Key="k1"))[0] == 422
        assert (await client.post([stage(2)], Idempotency_Key="x" * 256))[0] == 400
        both = await asyncio.gather(*(client.post([stage(3, at) for at in range(400)], Idempotency_Key="k2") for _ in range(4)))
        assert {status for status, _, _ in both} <= {202, 409}
    assert len(on_door(lane)) == 401


async def test_every_bound_is_said(lane: Settings) -> None:
    limits = HttpLimits(body_bytes=2_000, unpacked_bytes=5_000, items=20, in_flight_bytes=4_000)

    async def drip() -> Any:
        for _ in range(30):
            yield b" " * 100

    async with gateway(lane, limits=limits) as client:
        assert (await client.post(b" " * 2_001))[:2] == (413, {"title": "Request Entity Too Large", "status": 413, "detail": "the body is larger than 2000 bytes; nothing of it was taken, send it in several requests", "limit": 2_000})  # fmt: skip
        async with client.session.post(client.url + "/v1/measurements", data=drip(), headers={"Content-Type": "application/json"}) as got:
            assert (got.status, (await got.json())["limit"]) == (413, 2_000)
        bomb = await client.post(gzip.compress(b" " * 10_000_000)[:1_900], Content_Encoding="gzip")
        assert (bomb[0], bomb[1]["limit"]) == (413, 5_000)
        assert (await client.post(gzip.compress(b"[]")[:-4], Content_Encoding="gzip"))[0] == 400
        assert (await client.post(b"[]", Content_Encoding="br"))[0] == 415
        assert (await client.post(b"a=b", Content_Type="application/x-www-form-urlencoded"))[0] == 415
        assert (await client.post(b"[]", "/v1/measurements?dialect=klingon"))[0] == 415
        assert (await client.post(b"[" + b"1," * 20 + b"1]"))[1]["limit"] == 20
        full = gzip.compress(json.dumps([stage(1)] * 20).encode() + b" " * 3_000)
        status, problem, headers = await client.post(full, Content_Encoding="gzip")
        assert (status, headers["Retry-After"], problem["title"]) == (429, "1", "Too Many Requests")
        assert client.process.gateway.budget.held == 0
        assert (await client.post(b"{}", "/nowhere"))[0] == 404
        assert (await client.post([stage(1)]))[0] == 202


async def test_a_busy_sender_says_when_to_come_back(lane: Settings) -> None:
    async with gateway(lane) as client:
        sender = client.process.gateway.sender
        sender._under_way(0, 1 << 30)  # type: ignore[attr-defined]
        status, _, headers = await client.post([stage(1)])
        assert (status, headers["Retry-After"]) == (429, "1")
        sender._under_way(0, -(1 << 30))  # type: ignore[attr-defined]
        assert (await client.post([stage(1)]))[0] == 202


async def test_history_goes_through_a_door_of_its_own(lane: Settings) -> None:
    old = [stage(1, 60 * 24 * 365 + at) for at in range(5_000)]
    async with gateway(lane) as client:
        status, answer, _ = await client.post([*old, 5], "/v1/backfill")
        assert (status, answer["accepted"], answer["rejected"][0]["index"]) == (202, 5_000, 5_000)
    assert len(on_door(lane, bulk=True)) == 5_000
    assert on_door(lane) == []


async def test_what_was_heard_of_each_station_can_be_looked_at(lane: Settings) -> None:
    async with gateway(lane) as client:
        await client.post([stage(1), stage(2, 2), stage(1, station="<b>")])
        status, text = await client.get("/v1/last-seen")
        sights = {one["station"]: one for one in json.loads(text)}
        assert status == 200
        assert (sights["upper"]["taken"], sights["upper"]["observed_at"][:10]) == (2, NOW.isoformat()[:10])
        assert "<b>" in sights["<b>"]["error"]
        assert (sights["upper"]["clock"], sights["upper"]["gateway_clock"]) == ("unknown", "unknown"), "one look at a clock is none"
        assert [one["station"] for one in json.loads((await client.get("/v1/last-seen?station=up"))[1])] == ["upper"]
        _, page = await client.get("/v1/last-seen", Accept="text/html")
        assert "upper" in page
        assert "<td><b>" not in page


async def test_without_kafka_what_is_stored_is_said_to_be_stored_and_nothing_is_promised_without_a_disk(tmp_path: Path) -> None:

    made = make_bundle(FILES, tmp_path / "rill")
    (tmp_path / "spool").mkdir()
    write(tmp_path / "spool" / FILE, {made.region_hash: pack(made)})
    settings = lane_settings(NOBODY, "x.")
    async with gateway(settings, spool=tmp_path / "spool") as client:
        status, answer, _ = await client.post([stage(1), stage(2, 2), 5])
        assert (status, answer["accepted"], answer["stored"], len(answer["rejected"])) == (202, 0, 2, 1)
        assert (await client.get("/readyz"))[0] == 200
        assert client.process.gateway.sender.pending == 1  # type: ignore[attr-defined]  two measurements in one record
    async with gateway(settings, wait_ready=False) as client:
        status, _, headers = await client.post([stage(1)])
        assert (status, headers["Retry-After"]) == (503, "1")
        assert (await client.get("/readyz"))[0] == 503
        assert (await client.get("/livez"))[0] == 200


async def test_what_was_stored_reaches_the_door_when_kafka_is_there(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:

    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    made = bundle(tmp_path / "rill")
    (tmp_path / "spool").mkdir()
    write(tmp_path / "spool" / FILE, {made.region_hash: pack(made)})
    async with gateway(lane_settings(NOBODY, fresh_prefix), spool=tmp_path / "spool") as client:
        assert (await client.post([stage(1)]))[1]["stored"] == 1
    async with gateway(settings, spool=tmp_path / "spool") as client, asyncio.timeout(30):
        while client.process.gateway.sender.pending:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert on_door(settings) == [stage(1)]


async def test_nobody_speaks_for_anothers_station(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill", {"gateways.toml": GATEWAYS})
    async with gateway(settings) as client:
        for shown in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {REVOKED}"}, {"Authorization": f"Basic {TOKEN}"}):
            status, _, headers = await client.post([stage(1)], **shown)
            assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        mine = {"Authorization": f"Bearer {TOKEN}"}
        status, answer, _ = await client.post([stage(1), stage(1, station="middle"), stage(1, station="lower")], **mine)
        assert (status, answer["accepted"], [one["index"] for one in answer["rejected"]]) == (202, 2, [2])
        assert (await client.post([stage(1, station="lower")], Authorization=f"Bearer {OTHER}"))[0] == 202
        _, text = await client.get("/v1/last-seen", Authorization=f"Bearer {OTHER}")
        assert {one["gateway"] for one in json.loads(text)} == {"downstream"}
        assert (await client.get("/v1/last-seen"))[0] == 401
        keyed = [await client.post([stage(5, at, name)], Idempotency_Key="k", Authorization=f"Bearer {token}") for at, name, token in ((1, "upper", TOKEN), (1, "lower", OTHER))]  # fmt: skip
        assert [one[0] for one in keyed] == [202, 202]
    assert len(on_door(settings)) == 5


async def test_an_exposed_gateway_hears_nobody_while_no_region_names_its_senders(lane: Settings) -> None:
    async with gateway(lane, host="127.0.0.1") as client:
        assert (await client.post([stage(1)]))[0] == 202
    async with gateway(lane, host="0.0.0.0") as client:  # noqa: S104
        assert (await client.post([stage(2)]))[0] == 401


async def test_curl_hands_in_lines_and_sees_the_verdicts(lane: Settings, tmp_path: Path) -> None:
    file = tmp_path / "now.ndjson.gz"
    file.write_bytes(gzip.compress(b"\n".join(json.dumps(stage(1, at)).encode() for at in range(1, 2_001))))
    async with gateway(lane) as client:
        words = ["curl", "-sS", "--fail-with-body", "-H", "Content-Type: application/x-ndjson", "-H", "Content-Encoding: gzip", "--data-binary", f"@{file}", client.url + "/v1/measurements"]  # fmt: skip
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=True)
    assert json.loads(done.stdout)["accepted"] == 2_000
    assert len(on_door(lane)) == 2_000
