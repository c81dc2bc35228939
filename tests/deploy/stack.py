"""Every process of ours on one lane of the test broker, as a deployment starts them, with mosquitto, and a real Prometheus that scrapes them all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stream.health.exposing import READY
from stream.runtime.ports import free_ports
from tests.gateways.mosquitto import USERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.runtime.broker import Broker
    from tests.gateways.mosquitto import Mosquitto

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
WAIT_S = 90.0
JOBS = ("worker", "intake", "canary", "gateway-http", "gateway-mqtt")


class Stack:
    """The processes, by the names of their jobs in prometheus.yml. `stop` ends them."""

    def __init__(self, broker: Broker, prefix: str, folder: Path, mosquitto: Mosquitto) -> None:
        self.folder = folder
        self.settings = folder / "settings.toml"
        lines = {"bootstrap": broker.bootstrap, "prefix": prefix, "lane": "test", "partitions": 2, "tick_s": 0.5, "canary_s": 2.0}
        self.settings.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items()) + "session_timeout_s = 20.0\n")
        ports = free_ports("127.0.0.1", len(JOBS) + 2)
        self.ports = dict(zip(JOBS, ports, strict=False))
        self.prometheus_port, self.http_port = ports[-2:]
        password = folder / "mqtt-password"
        password.write_text(USERS["gateway"])
        password.chmod(0o600)
        self._commands = {
            "worker": ["worker", "--instance", "w0"],
            "intake": ["intake"],
            "canary": ["canary"],
            "gateway-http": ["gateway", "http", "--port", str(self.http_port), "--spool", str(folder / "http")],
            "gateway-mqtt": [
                "gateway", "mqtt", "--client-id", "g0", "--broker", f"127.0.0.1:{mosquitto.port}", "--username", "gateway",
                "--password-file", str(password), "--spool", str(folder / "mqtt"),
            ],
        }  # fmt: skip
        self._running: list[subprocess.Popen[bytes]] = []

    def tocsin(self, *arguments: str) -> str:
        """Run a command to its end."""
        command = [sys.executable, "-m", "stream.cli.main", *arguments, "--settings", str(self.settings)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        """Everything, until each says that it is ready."""
        for job, command in self._commands.items():
            own = ["--settings", str(self.settings), "--metrics-port", str(self.ports[job])]
            self._run(job, [sys.executable, "-m", "stream.cli.main", *command, *own])
        for job in JOBS:
            until(
                lambda job=job: self.get(self.ports[job], READY)[0] == 200,
                lambda job=job: f"{job}: {self.get(self.ports[job], READY)}\n{self.log(job)}",
            )

    def scrape(self) -> None:
        """Start Prometheus with the shipped rules and jobs, at these ports and every second."""
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        config["rule_files"] = [str(DEPLOY / "prometheus" / "rules" / "*.yml")]
        del config["alerting"]
        assert [one["job_name"] for one in config["scrape_configs"]] == [f"tocsin-{job}" for job in JOBS]
        for one in config["scrape_configs"]:
            one["static_configs"] = [{"targets": [f"127.0.0.1:{self.ports[one['job_name'].removeprefix('tocsin-')]}"]}]
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        listen = f"--web.listen-address=127.0.0.1:{self.prometheus_port}"
        self._run("prometheus", ["prometheus", f"--config.file={file}", f"--storage.tsdb.path={self.folder / 'tsdb'}", listen])
        until(lambda: self.get(self.prometheus_port, "/-/ready")[0] == 200, lambda: self.log("prometheus"))

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that Prometheus answers with now."""
        status, body = self.get(self.prometheus_port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        assert status == 200, f"{expression}: {body}"
        return list(json.loads(body)["data"]["result"])

    def post(self, series: str, value: float, token: str) -> None:
        """A measurement of now, by HTTP."""
        body = json.dumps({"series": series, "observed_at": datetime.now(UTC).isoformat(), "value": value}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.http_port}/v1/measurements", body, headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            assert answer.status == 202

    @staticmethod
    def get(port: int, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]

    def _run(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT))

    def stop(self) -> None:
        """End what was started, the last first."""
        for one in reversed(self._running):
            one.terminate()
        for one in self._running:
            one.wait(40)


def until(look: Callable[[], Any], why: Callable[[], str] = str) -> Any:
    """What `look` finds, as soon as that is something."""
    end = time.monotonic() + WAIT_S
    while not (found := look()):
        assert time.monotonic() < end, why()
        time.sleep(0.3)
    return found
