"""How much one HTTP gateway process takes: arrays of several sizes over several connections, beside a bare aiohttp sink in the same run.

    python tests/benchmarks/gateway_http.py [--small] [--long MEASUREMENTS]

Every measurement is new (no duplicate is cheap), every answer is checked: 202 with all accepted, which means that Kafka has acknowledged all of
them. Figures: measurements a second by the clock, and per second of the process's own CPU time, which a busy machine changes less; the memory of the
process after each round; and the longest answer. One in eight waits for seven others' arrays. At the end a long load of arrays of 1,000, with the
memory at its start and after each quarter: it has to stay.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession, ClientTimeout

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.cli.region import activated
from stream.records.instants import to_text
from stream.runtime.broker import Broker
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.benchmarks.processes import Process
from tests.decide.conftest import FILES

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
CONNECTIONS = 8
HEADER, *_ = FILES["stations.csv"].splitlines()


@dataclass(frozen=True)
class Round:
    """One contestant with arrays of one size."""

    name: str
    size: int
    measurements: int
    elapsed_s: float
    cpu_s: float
    longest_ms: float
    resident_mb: float

    def row(self) -> str:
        """As it is printed."""
        return (
            f"{self.name:8} {self.size:6d} {self.measurements / self.elapsed_s:12,.0f} {self.measurements / self.cpu_s:14,.0f} "
            f"{self.longest_ms:10.0f} {self.resident_mb:9.0f}"
        )


def river(stations: int) -> dict[str, str]:
    """The small river with this many gauges."""
    rows = [f"s{number},stage,rill,m,ava,30.0,110.0,r1,0,600,UTC,,,2,3,4,5" for number in range(stations)]
    return FILES | {"stations.csv": "\n".join([HEADER, *rows]) + "\n"}


def bodies(count: int, size: int, stations: int, from_ms: int) -> list[bytes]:
    """Arrays of measurements, none twice: every station's values at instants of its own."""
    made = []
    for body in range(count):
        items = [
            {"station": f"s{at % stations}", "quantity": "stage", "observed_at": to_text(from_ms - at // stations * 1_000), "value": round(1 + at % 97 / 100, 2)}
            for at in range(body * size, (body + 1) * size)
        ]  # fmt: skip
        made.append(json.dumps(items).encode())
    return made


def resident_mb(pid: int) -> float:
    """Memory of a process now."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4096 / 1e6


async def round_of(process: Process, port: int, size: int, sent: Sequence[bytes], name: str) -> Round:
    """Send everything over a few connections and check every answer."""
    waiting = list(reversed(sent))
    longest_s = 0.0

    async def connection(session: ClientSession) -> None:
        nonlocal longest_s
        while waiting:
            body, began = waiting.pop(), time.perf_counter()
            url = f"http://127.0.0.1:{port}/v1/measurements"
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as got:
                answer = json.loads(await got.read())
                if got.status in {429, 503}:  # a machine that is busy with other things: as a sender would, later again
                    waiting.insert(0, body)
                    await asyncio.sleep(int(got.headers["Retry-After"]))
                    continue
                assert (got.status, answer.get("accepted")) == (202, size), (got.status, str(answer)[:300])
            longest_s = max(longest_s, time.perf_counter() - began)

    async with ClientSession(timeout=ClientTimeout(120)) as session:
        began, cpu_before = time.perf_counter(), process.cpu_s()
        await asyncio.gather(*(connection(session) for _ in range(CONNECTIONS)))
        elapsed_s, cpu_s = time.perf_counter() - began, process.cpu_s() - cpu_before
    return Round(name, size, size * len(sent), elapsed_s, max(cpu_s, 0.01), longest_s * 1_000, resident_mb(process.pid))


async def run(folder: Path, measurements: int, *, small: bool) -> None:
    """All rounds, each printed when it is done; then a load of so many measurements."""
    stations, total = (200, 20_000) if small else (1_000, 300_000)
    with Broker.start(folder / "broker") as broker:
        settings = Settings(bootstrap=broker.bootstrap)
        for name, text in river(stations).items():
            (folder / "rill" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "rill" / name).write_text(text, "utf-8")
        await activated(settings, folder / "rill")
        ports = free_ports("127.0.0.1")
        gateway = Process(
            ["-m", "stream.cli.main", "gateway", "http", "--port", str(ports[0]), "--bootstrap", broker.bootstrap], folder / "gateway.log"
        )
        sink = Process([str(HERE / "contestant_http_sink.py"), str(ports[1])], folder / "sink.log")
        try:
            gateway.expect("ready")
            sink.expect("ready")
            await await_ready(ports[0])
            from_ms = time.time_ns() // 1_000_000 - 60_000
            for size in (1, 100, 1_000, 5_000):
                count = max(total // size, 8) if size >= 100 else total // 100
                sent = bodies(count, size, stations, from_ms)
                from_ms -= (count * size // stations + 1) * 1_000
                print((await round_of(gateway, ports[0], size, sent, "gateway")).row(), flush=True)
                print((await round_of(sink, ports[1], size, sent, "sink")).row(), flush=True)
            await long_load(gateway, ports[0], stations, from_ms, measurements)
        finally:
            gateway.stop()
            sink.stop()


async def long_load(gateway: Process, port: int, stations: int, from_ms: int, measurements: int) -> None:
    """Arrays of 1,000 until so many measurements are in Kafka; the memory at the start and after each quarter."""
    size, count = 1_000, max(stations // 10, 10)
    rounds = max(measurements // (size * count), 4)
    memory, elapsed_s, cpu_s = [resident_mb(gateway.pid)], 0.0, 0.0
    for at in range(rounds):
        made = await round_of(gateway, port, size, bodies(count, size, stations, from_ms), "gateway")
        from_ms -= (count * size // stations + 1) * 1_000
        elapsed_s, cpu_s = elapsed_s + made.elapsed_s, cpu_s + made.cpu_s
        if (at + 1) * 4 // rounds > at * 4 // rounds:
            memory.append(made.resident_mb)
    total = rounds * count * size
    print(f"long load: {total:,} measurements, {total / elapsed_s:,.0f}/s, {total / cpu_s:,.0f}/cpu-s; resident MB at its start and after each quarter: "
          + ", ".join(f"{one:.0f}" for one in memory))  # fmt: skip


async def await_ready(port: int) -> None:
    """Until it takes measurements."""
    async with ClientSession() as session, asyncio.timeout(60):
        while True:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as got:
                if got.status == 200:
                    return
            await asyncio.sleep(0.1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--long", type=int, default=None, help="measurements of the long load (5,000,000; with --small 80,000)")
    given = parser.parse_args()
    measurements = given.long or (80_000 if given.small else 5_000_000)
    print(f"{CONNECTIONS} connections; acks=all, one broker, on this machine")
    print(f"{'':8} {'array':>6} {'items/s':>12} {'items/cpu-s':>14} {'longest ms':>10} {'resident MB':>9}")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder), measurements, small=given.small))


if __name__ == "__main__":
    main()
