"""The embedded broker is the real one: Apache Kafka, one KRaft node on loopback, as a child process with a data folder that is kept.

The same code starts the broker of the demo, of the tests and of the fault simulations.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from contextlib import suppress
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Self

from stream.errors import BrokerError
from stream.runtime.jars import kafka_jars
from stream.runtime.java import find_java
from stream.runtime.ports import answers_metadata, free_ports, is_free

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
PORT_ATTEMPTS = 4
# Small and quick to start; the compiler's first tier is enough for one node (350-400 MB in all).
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true")
# Ends Java when the process that holds the other end of standard input is gone, however it died; unlike PR_SET_PDEATHSIG it does
# not fire when merely the thread that started the broker ends, and it is not bound to Linux.
GUARD = 'read -r _; kill -9 "$1" 2>/dev/null'


class Broker:
    """A running broker; `Broker.start(folder)` makes one. Use it as a context manager, or call `stop`."""

    def __init__(self, data_dir: Path, jars: list[Path], java: Path) -> None:
        self._folder = data_dir
        self._jars = jars
        self._java = java
        self._ports = (0, 0)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, data_dir: Path, *, on_progress: Callable[[int, int], None] | None = None) -> Self:
        """A broker on the data in this folder (made when missing), ready to answer; BrokerError with the last log lines if it dies.

        Ports of an earlier start are used again when they are free. `on_progress(done, total)` follows the first download of the jars.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        broker = cls(data_dir.absolute(), kafka_jars(on_progress), find_java())
        broker._start_on_some_port()
        return broker

    @property
    def bootstrap(self) -> str:
        """Address for clients."""
        return f"{HOST}:{self._ports[0]}"

    @property
    def pid(self) -> int:
        """Process id of Java; BrokerError when it is not running."""
        if self._process is None:
            msg = f"the broker on {self._folder} is not running"
            raise BrokerError(msg)
        return self._process.pid

    @property
    def log(self) -> Path:
        """The broker's own log file."""
        return self._folder / "broker.log"

    def stop(self) -> None:
        """Clean stop: data and port are kept for `restart`. Does nothing when it is not running."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, as a fault; data and port are kept for `restart`."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Start again on the same data and port; BrokerError when another process has taken the port."""
        self._end(signal.SIGTERM)
        self._launch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start_on_some_port(self) -> None:
        remembered = self._remembered_ports()
        for attempt in range(PORT_ATTEMPTS):
            reuse = attempt == 0 and remembered is not None and all(is_free(HOST, port) for port in remembered)
            self._ports = remembered if reuse and remembered is not None else free_ports(HOST)
            try:
                self._launch()
            except BrokerError as error:
                # Between the check and Java's own bind another process may have taken a port.
                if "Address already in use" not in str(error) or attempt == PORT_ATTEMPTS - 1:
                    raise
            else:
                (self._folder / "ports").write_text(f"{self._ports[0]} {self._ports[1]}\n", "ascii")
                return

    def _remembered_ports(self) -> tuple[int, int] | None:
        with suppress(OSError, ValueError):
            broker, controller = (self._folder / "ports").read_text("ascii").split()
            return int(broker), int(controller)
        return None

    def _launch(self) -> None:
        (self._folder / "server.properties").write_text(_properties(self._folder, self._ports), "utf-8")
        if not (self._folder / "data" / "meta.properties").exists():
            self._format()
        with (self._folder / "java.out").open("wb") as out:
            self._process = subprocess.Popen(
                self._command("kafka.Kafka", "server.properties"),
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            self._await_ready()
        except BaseException:
            self._end(signal.SIGKILL)
            raise

    def _command(self, main: str, *arguments: str) -> list[str]:
        config = self._folder / "log4j2.properties"
        with as_file(files("stream.runtime").joinpath("log4j2.properties")) as shipped:
            config.write_bytes(shipped.read_bytes())
        switches = (f"-Dlog4j2.configurationFile={config}", f"-Dtocsin.broker.log={self.log}")
        return [str(self._java), *JVM, *switches, "-cp", os.pathsep.join(map(str, self._jars)), main, *arguments]

    def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
        # An id that starts with a dash would be read as an option.
        cluster = "A" + cluster[1:] if cluster.startswith("-") else cluster
        arguments = ("format", "--standalone", "-t", cluster, "-c", "server.properties")
        done = subprocess.run(
            self._command("kafka.tools.StorageTool", *arguments), cwd=self._folder, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            msg = f"formatting {self._folder} failed ({done.returncode}): {(done.stdout + done.stderr)[-2000:]}"
            raise BrokerError(msg)

    def _await_ready(self) -> None:
        until = time.monotonic() + START_TIMEOUT_S
        while not answers_metadata(HOST, self._ports[0]):
            if self._process is None or self._process.poll() is not None:
                code = None if self._process is None else self._process.returncode
                msg = f"the broker ended while starting (exit code {code}); last lines of {self.log}:\n{self._last_lines(20)}"
                raise BrokerError(msg)
            if time.monotonic() > until:
                msg = f"the broker did not answer within {START_TIMEOUT_S:.0f} s; last lines of {self.log}:\n{self._last_lines(20)}"
                raise BrokerError(msg)
            time.sleep(0.05)

    def _last_lines(self, count: int) -> str:
        lines: list[str] = []
        for path in (self._folder / "java.out", self.log):
            if path.exists():
                lines += path.read_text("utf-8", "replace").splitlines()[-count:]
        return "\n".join(lines[-count:])

    def _end(self, kind: signal.Signals) -> None:
        process, self._process = self._process, None
        guard, self._guard = self._guard, None
        if process is not None and process.poll() is None:
            process.send_signal(kind)
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_TIMEOUT_S)
        if guard is not None:
            guard.kill()
            if guard.stdin is not None:
                guard.stdin.close()
            guard.wait(STOP_TIMEOUT_S)


def _properties(folder: Path, ports: tuple[int, int]) -> str:
    broker, controller = ports
    lines = {
        "node.id": 1,
        "process.roles": "broker,controller",
        "listeners": f"PLAINTEXT://{HOST}:{broker},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{broker},CONTROLLER://{HOST}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{controller}",
        "log.dirs": folder / "data",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # After a SIGKILL the controller refuses the new process until the old one's session is over (9 s by default).
        "broker.session.timeout.ms": 3_000,
        "broker.heartbeat.interval.ms": 500,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "message.max.bytes": 1_048_588,
        # The cleaner's default buffers (128 MB) do not fit the small heap; a short pause keeps compacted topics short.
        "log.cleaner.dedupe.buffer.size": 16_777_216,
        "log.cleaner.backoff.ms": 2_000,
        "log.index.size.max.bytes": 1_048_576,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
