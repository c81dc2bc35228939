"""A lane with the small river active, and an HTTP gateway on it in the test's own loop, with a client."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession, ClientTimeout

from stream.cli.region import activated
from stream.gateways.http_process import HttpProcess, Listening
from stream.runtime.ports import free_ports
from stream.runtime.topics import Topics
from tests.decide.conftest import FILES
from tests.runtime.lane import read_all, toy_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from stream.settings import Settings

WAIT_S = 60.0
NOW = datetime.now(UTC).replace(microsecond=0)


async def set_up(settings: Settings, folder: Path, extra: dict[str, str] | None = None) -> None:
    """The lane's topics, and the small river published and active."""
    for name, text in (FILES | (extra or {})).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    await activated(settings, folder)


class Client:
    """Speaks to one gateway."""

    def __init__(self, session: ClientSession, process: HttpProcess) -> None:
        self.session, self.process = session, process
        self.url = f"http://127.0.0.1:{process.port}"

    async def post(self, body: Any, path: str = "/v1/measurements", **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Status, answer, headers; what is no bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.session.post(self.url + path, data=data, headers=sent) as got:
            return got.status, json.loads(await got.read()), dict(got.headers)

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers) as got:
            return got.status, await got.text()


@asynccontextmanager
async def gateway(settings: Settings, *, wait_ready: bool = True, **changes: Any) -> AsyncIterator[Client]:
    """A gateway that listens, and is stopped cleanly."""
    stopping = asyncio.Event()
    process = HttpProcess(settings, Listening(**{"port": free_ports("127.0.0.1")[0], **changes}))
    running = asyncio.create_task(process.run(stopping))
    try:
        async with ClientSession(timeout=ClientTimeout(60)) as session, asyncio.timeout(WAIT_S):
            while not process.port or (wait_ready and (process.gateway.judge is None or not process.gateway.sender.ready)):
                assert not running.done(), running.exception()
                await asyncio.sleep(0.05)
            yield Client(session, process)
    finally:
        stopping.set()
        await running


def stage(value: float, minutes_ago: float = 1, station: str = "upper") -> dict[str, Any]:
    """A water level as a gateway sends it."""
    return {"station": station, "quantity": "stage", "observed_at": (NOW - timedelta(minutes=minutes_ago)).isoformat(), "value": value}


def on_door(settings: Settings, door: str = "water", *, bulk: bool = False) -> list[dict[str, Any]]:
    """Every measurement on a door."""
    topics = Topics(settings.prefix)
    name = next(one for one in (topics.backfill if bulk else topics.doors) if one.endswith(f".{door}"))
    records = [json.loads(one.value()) for part in read_all(settings.bootstrap, name, settings.partitions) for one in part]
    return [item for one in records for item in (one if isinstance(one, list) else [one])]


def lane_settings(bootstrap: str, prefix: str) -> Settings:
    return toy_settings(bootstrap, prefix, partitions=2)
