"""How much one MQTT gateway process takes: a burst that waits in mosquitto, one measurement a message, beside a bare paho-mqtt sink in the same run.

    python tests/benchmarks/gateway_mqtt.py [--small] [--bursts N]

Both have a persistent session and are away while the messages are published (QoS 1, a hundred topics); then each is started alone. The gateway is
done when it has acknowledged all of them, which means that Kafka has (acks=all); afterwards its door is read and must hold every one of them.
With more than one burst the others come while the gateway runs, and its memory is shown after each: it must stop growing once the duplicates'
window (200,000 measurements) is full. Figures: messages a second by the clock, and per second of the process's own CPU time, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.cli.region import activated
from stream.records.instants import to_text
from stream.runtime.broker import Broker
from stream.runtime.ports import free_ports
from stream.settings import Settings
from tests.benchmarks.gateway_http import resident_mb, river
from tests.benchmarks.processes import Process
from tests.gateways.http_lane import on_door
from tests.gateways.mosquitto import USERS, Mosquitto

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
TOPICS = STATIONS = 100
WAIT_S = 300.0
NEWEST_AT = time.time_ns() // 1_000_000 - 60_000
ACKNOWLEDGED = re.compile(r'^tocsin_gateway_mqtt_messages_total\{outcome="acknowledged"\} ([\d.e+]+)$', re.MULTILINE)


def publish(port: int, numbers: range) -> None:
    """These messages, and wait until the broker has acknowledged each."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="devices")
    client.username_pw_set("station-7", USERS["station-7"])
    client.max_inflight_messages_set(1_000)
    client.connect("127.0.0.1", port)
    client.loop_start()
    sent = []
    for at in numbers:
        item = {
            "station": f"s{at % STATIONS}",
            "quantity": "stage",
            "observed_at": to_text(NEWEST_AT - at // STATIONS * 1_000),
            "value": 1.5,
        }
        sent.append(client.publish(f"tocsin/station-7/{at % TOPICS}", json.dumps(item), qos=1))
    for one in sent:
        one.wait_for_publish(120)
    client.disconnect()
    client.loop_stop()


def acknowledged(port: int) -> float:
    """So many messages the gateway says that it has acknowledged."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as got:
        found = ACKNOWLEDGED.search(got.read().decode())
    return float(found.group(1)) if found else 0.0


def row(name: str, count: float, elapsed_s: float, cpu_s: float, pid: int) -> str:
    """One contestant's line."""
    return f"{name:8} {count / max(elapsed_s, 0.001):12,.0f} {count / max(cpu_s, 0.01):15,.0f} {resident_mb(pid):12,.0f}"


def sink_round(make: Callable[[], Process], mosquitto: Mosquitto, count: int) -> str:
    """The bare sink's line."""
    with make() as process:
        process.expect("ready")
    publish(mosquitto.port, range(count))
    with make() as process:
        elapsed_s = float(process.expect("took").split()[1])
        return row("sink", count, elapsed_s, process.cpu_s(), process.pid)


def await_all(process: Process, metrics: int, count: int) -> None:
    """Until the gateway has acknowledged so many."""
    until = time.monotonic() + WAIT_S
    while (done := acknowledged(metrics)) < count:
        time.sleep(0.02)
        if time.monotonic() > until:
            msg = f"{done:.0f} of {count} after {WAIT_S:.0f} s:\n{process.tail()}"
            raise TimeoutError(msg)


def gateway_round(make: Callable[[], Process], metrics: int, mosquitto: Mosquitto, bursts: list[range]) -> list[str]:
    """The gateway's line, without what it had done when it said that it is ready; and its memory after each burst, if there are several."""
    with make() as process:
        process.expect("ready")
    count = len(bursts[0])
    publish(mosquitto.port, bursts[0])
    with make() as process:
        process.expect("ready")
        began, cpu_s, first = time.perf_counter(), process.cpu_s(), acknowledged(metrics)
        await_all(process, metrics, count)
        lines = [row("gateway", count - first, time.perf_counter() - began, process.cpu_s() - cpu_s, process.pid)]
        memory = [resident_mb(process.pid)]
        for one in bursts[1:]:
            publish(mosquitto.port, one)
            await_all(process, metrics, one.stop)
            memory.append(resident_mb(process.pid))
    if bursts[1:]:
        lines.append(f"resident MB of the gateway after each {count} messages: {', '.join(f'{one:.0f}' for one in memory)}")
    return lines


def run(folder: Path, count: int, bursts: int = 1) -> list[str]:
    """All lines; the door is checked."""
    with Broker.start(folder / "broker") as broker:
        settings = Settings(bootstrap=broker.bootstrap)
        for name, text in river(STATIONS).items():
            (folder / "rill" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "rill" / name).write_text(text, "utf-8")
        asyncio.run(activated(settings, folder / "rill"))
        mosquitto = Mosquitto(folder / "mosquitto")
        metrics = free_ports("127.0.0.1")[0]
        where = ["--broker", f"127.0.0.1:{mosquitto.port}", "--client-id", "gateway", "--username", "gateway"]
        command = ["-m", "stream.cli.main", "gateway", "mqtt", *where, "--bootstrap", broker.bootstrap]
        env = {"TOCSIN_MQTT_PASSWORD": USERS["gateway"], "TOCSIN_METRICS_PORT": str(metrics)}
        sink = [str(HERE / "contestant_mqtt_sink.py"), str(mosquitto.port), "gateway", USERS["gateway"], str(count)]
        try:
            lines = [sink_round(lambda: Process(sink, folder / "sink.log"), mosquitto, count)]
            parts = [range(one * count, (one + 1) * count) for one in range(bursts)]
            lines += gateway_round(lambda: Process(command, folder / "gateway.log", env), metrics, mosquitto, parts)
        finally:
            mosquitto.stop()
        held = {(one["station"], one["observed_at"]) for one in on_door(settings)}
        assert len(held) == bursts * count, f"{len(held)} of {bursts * count} in the door"
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--bursts", type=int, default=1)
    given = parser.parse_args()
    count = 5_000 if given.small else 40_000
    with tempfile.TemporaryDirectory() as folder:
        lines = run(Path(folder), count, given.bursts)
    print(f"{count} messages that waited in mosquitto; acks=all, one broker, on this machine")
    print(f"{'':8} {'messages/s':>12} {'messages/cpu-s':>15} {'resident MB':>12}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
