"""`tocsin gateway http` as a process: what it answered before it ended is in Kafka, and senders are who their certificates say."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientConnectionError, ClientSession
from cryptography.hazmat.primitives import serialization

from stream.errors import TocsinError
from stream.gateways.http_process import Listening, Tls, run_http
from stream.gateways.mapping_file import load_mapping
from stream.records.lanes import Lane
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.benchmarks.gateway_http import await_ready
from tests.benchmarks.processes import Process
from tests.gateways.certificates import certificate
from tests.gateways.http_lane import gateway, lane_settings, on_door, set_up, stage

if TYPE_CHECKING:
    from pathlib import Path

    from stream.runtime.broker import Broker

MAPPING = """
[csv]
delimiter = ";"
encoding = "gb18030"
timezone = "Asia/Shanghai"
time_format = "%Y/%m/%d %H:%M"
[csv.columns]
station = "站码"
observed_at = "时间"
[csv.values."水位"]
quantity = "stage"
unit = "cm"
"""


def options(settings: Settings, folder: Path) -> list[str]:
    file = folder / "lane.toml"
    file.write_text(
        f'bootstrap = "{settings.bootstrap}"\nprefix = "{settings.prefix}"\nlane = "test"\npartitions = {settings.partitions}\n', "utf-8"
    )
    return ["--settings", str(file)]


def test_a_gateway_is_not_for_replays_and_says_when_it_cannot_listen(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="nobody measures a replay"):
        run_http(Settings(prefix="r.", lane=Lane.TEST, clock="observed"), Listening())
    with pytest.raises(TocsinError, match="TLS with"):
        Tls(tmp_path / "none.pem", tmp_path / "none.key").context()


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_was_answered_before_a_stop_or_a_kill_is_on_the_door(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    taken: set[float] = set()
    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL)):
        port = free_ports("127.0.0.1")[0]
        words = [
            "-m",
            "stream.cli.main",
            "gateway",
            "http",
            "--port",
            str(port),
            "--spool",
            str(tmp_path / "spool"),
            *options(settings, tmp_path),
        ]
        process = Process(words, tmp_path / f"gateway{number}.log")
        try:
            await asyncio.to_thread(process.expect, "ready")
            await await_ready(port)
            sending = asyncio.create_task(_send_until_refused(port, number, taken))
            await asyncio.sleep(2)
            process._process.send_signal(end)
            await sending
            assert await asyncio.to_thread(process._process.wait, 30) == (0 if end is signal.SIGTERM else -signal.SIGKILL), process.tail()
        finally:
            await asyncio.to_thread(process.stop)
        assert any(int(value // 10) == number for value in taken)
    assert taken <= {one["value"] for one in on_door(settings)}


async def _send_until_refused(port: int, number: int, taken: set[float]) -> None:
    """Send until the gateway is gone; note what it said it has."""

    async def connection(session: ClientSession, part: int) -> None:
        for at in range(1_000_000):
            value = 10 * number + part + at / 1e7
            try:
                async with session.post(f"http://127.0.0.1:{port}/v1/measurements", json=[stage(value)]) as got:
                    if got.status == 202 and (await got.json())["accepted"] == 1:
                        taken.add(value)
            except ClientConnectionError:
                return

    async with ClientSession() as session:
        await asyncio.gather(*(connection(session, part) for part in range(4)))


@pytest.mark.kafka
async def test_a_client_certificate_shows_who_sends(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    authority = certificate("authority", tmp_path)
    certificate("localhost", tmp_path, authority)
    upper, _ = certificate("upper", tmp_path, authority)
    certificate("stranger", tmp_path, authority)
    pinned = sha256(upper.public_bytes(serialization.Encoding.DER)).hexdigest()
    principal = (
        f'[up]\nkind = "mtls"\nstations = ["upper"]\nfamilies = ["water"]\nlanes = ["test"]\n[up.keys.a]\ncertificate_sha256 = "{pinned}"\n'
    )
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill", {"gateways.toml": principal})
    tls = Tls(tmp_path / "localhost.pem", tmp_path / "localhost.key", tmp_path / "authority.pem")
    async with gateway(settings, tls=tls) as client:
        for name, status in (("upper", 202), ("stranger", 401), ("", 401)):
            context = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
            if name:
                context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
            url = f"https://localhost:{client.process.port}/v1/measurements"
            async with client.session.post(url, json=[stage(1), stage(1, station="lower")], ssl=context) as got:
                assert got.status == status, name
                if status == 202:
                    assert (await got.json())["rejected"][0]["index"] == 1
    assert on_door(settings) == [stage(1)]


@pytest.mark.kafka
async def test_a_page_of_rows_with_the_senders_own_names_is_history(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    (tmp_path / "gateway.toml").write_text(MAPPING, "utf-8")
    rows = ["站码;时间;水位", *(f"upper;2024/06/{1 + at % 28:02d} 08:{at // 28:02d};{100 + at}" for at in range(1_000)), "upper;gestern;5"]
    async with gateway(settings, mapping=load_mapping(tmp_path / "gateway.toml")) as client:
        status, answer, _ = await client.post("\n".join(rows).encode("gb18030"), "/v1/backfill", Content_Type="text/csv")
        assert (status, answer["accepted"], [one["index"] for one in answer["rejected"]]) == (202, 1_000, [1_000])
    found = on_door(settings, bulk=True)
    assert len(found) == 1_000
    first = next(one for one in found if one["value"] == 100)
    assert first["unit"] == "cm"
    assert datetime.fromisoformat(first["observed_at"]) == datetime(2024, 6, 1, tzinfo=UTC)


STREAMS = """
[[datastreams]]
id = 17
station = "upper"
quantity = "stage"
unit = "cm"
"""


@pytest.mark.kafka
async def test_clients_of_sensorthings_post_observations_as_they_are_used_to(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    (tmp_path / "gateway.toml").write_text(STREAMS, "utf-8")
    at = [(datetime.now(UTC) - timedelta(minutes=number)).isoformat() for number in range(1, 5)]
    arrays = [{"Datastream": {"@iot.id": 17}, "components": ["phenomenonTime", "result"], "dataArray": [[at[0], 201], [at[1], 202]]}]
    async with gateway(settings, mapping=load_mapping(tmp_path / "gateway.toml")) as client:
        assert (await client.post(arrays, "/v1.1/CreateObservations"))[:2] == (201, {"accepted": 2, "stored": 0, "duplicate": 0, "duplicates": [], "rejected": []})  # fmt: skip
        assert (await client.post({"phenomenonTime": at[2], "result": 203}, "/v1.1/Datastreams(17)/Observations"))[0] == 201
        assert (await client.post({"phenomenonTime": at[3], "result": 204, "Datastream": {"@iot.id": 17}}, "/v1.1/Observations"))[0] == 201
        assert (await client.post({"phenomenonTime": at[3], "result": 9, "Datastream": {"@iot.id": 18}}, "/v1.1/Observations"))[0] == 422
        assert (await client.post({}, "/v1.1/Things"))[0] == 404
    assert sorted((one["value"], one["unit"]) for one in on_door(settings)) == [(201, "cm"), (202, "cm"), (203, "cm"), (204, "cm")]


@pytest.mark.kafka
@pytest.mark.slow
async def test_whatever_the_document_allows_or_not_is_answered_as_it_says(broker: Broker, fresh_prefix: str, tmp_path: Path) -> None:
    settings = lane_settings(broker.bootstrap, fresh_prefix)
    await set_up(settings, tmp_path / "rill")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"
    async with gateway(settings) as client:
        words = [sys.executable, "-m", "schemathesis.cli", "run", f"{client.url}/openapi.json", "--checks", checks, "--max-examples", "40", "--phases", "examples,coverage,fuzzing", "--generation-deterministic"]  # fmt: skip
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240)
        assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-1_000:]
        counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
        assert counted, done.stdout[-3_000:]
        assert counted[1] == counted[2]
        assert int(counted[1]) > 500
        assert (await client.post([stage(1)]))[0] == 202
        assert json.loads((await client.get("/openapi.json"))[1])["openapi"] == "3.1.0"
