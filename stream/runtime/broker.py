"""The embedded broker is the real one: Apache Kafka, one KRaft node on loopback, as a child process with a data folder that is kept.

The same code starts the broker of the demo, of the tests and of the fault simulations. `secured`: nobody may do anything but the first user, until
access control lists allow it (`broker_security.py`).
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
from stream.runtime.broker_properties import HOST, PLAIN, one_node, text
from stream.runtime.broker_security import INSTALLER, PROTOCOLS, Security
from stream.runtime.jars import kafka_jars
from stream.runtime.java import find_java
from stream.runtime.ports import answers_metadata, free_ports, is_free

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

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

    def __init__(self, data_dir: Path, security: Security | None, jars: list[Path], java: Path) -> None:
        self._folder = data_dir
        self._security = security
        self._jars = jars
        self._java = java
        self._protocols = PLAIN if security is None else PROTOCOLS
        self._ports: dict[str, int] = {}
        self._more: Mapping[str, object] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        data_dir: Path,
        *,
        secured: bool = False,
        properties: Mapping[str, object] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """A broker on the data in this folder (made when missing), ready to answer; BrokerError with the last log lines if it dies.

        Ports of an earlier start are used again when they are free. `properties`: further settings, of which the broker's own win.
        A folder stays secured, or not, for ever. `on_progress(done, total)` follows the first download of the jars.
        """
        data_dir.mkdir(parents=True, exist_ok=True)
        folder = data_dir.absolute()
        if (folder / "data").exists() and (folder / "security").exists() is not secured:
            msg = f"the broker on {folder} was made {'without' if secured else 'with'} access control: start it so, or use an empty folder"
            raise BrokerError(msg)
        broker = cls(folder, Security(folder / "security") if secured else None, kafka_jars(on_progress), find_java())
        broker._more = properties or {}
        broker._start_on_some_port()
        if secured and not broker.security.password_file(INSTALLER).exists():
            broker.set_password(INSTALLER)
        return broker

    @property
    def bootstrap(self) -> str:
        """Address for clients: without a password, or of a secured broker with one, over TLS."""
        return self.address("PLAINTEXT" if self._security is None else "SASL_SSL")

    def address(self, protocol: str) -> str:
        """Address for clients that speak PLAINTEXT, or to a secured broker SASL_SSL, SASL_PLAINTEXT or SSL (with a certificate)."""
        return f"{HOST}:{self._ports[protocol]}"

    @property
    def security(self) -> Security:
        """Certificates and passwords; BrokerError when everybody may do everything."""
        if self._security is None:
            msg = f"the broker on {self._folder} has no access control"
            raise BrokerError(msg)
        return self._security

    def set_password(self, user: str) -> Path:
        """A new random password for this user of a secured broker, in the file that is returned; the one before ends."""
        return self.security.set_password(self.address("SSL"), user)

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
            numbers = remembered if reuse and remembered is not None else free_ports(HOST, len(self._protocols))
            self._ports = dict(zip(self._protocols, numbers, strict=True))
            try:
                self._launch()
            except BrokerError as error:
                # Between the check and Java's own bind another process may have taken a port.
                if "Address already in use" not in str(error) or attempt == PORT_ATTEMPTS - 1:
                    raise
            else:
                (self._folder / "ports").write_text(" ".join(map(str, numbers)) + "\n", "ascii")
                return

    def _remembered_ports(self) -> tuple[int, ...] | None:
        with suppress(OSError, ValueError):
            ports = tuple(int(one) for one in (self._folder / "ports").read_text("ascii").split())
            return ports if len(ports) == len(self._protocols) else None
        return None

    def _launch(self) -> None:
        secured = {} if self._security is None else self._security.properties()
        lines = {**self._more, **one_node(self._folder, self._ports, self._protocols), **secured}
        (self._folder / "server.properties").write_text(text(lines), "utf-8")
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
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                code = None if self._process is None else self._process.returncode
                msg = f"the broker ended while starting (exit code {code}); last lines of {self.log}:\n{self._last_lines(20)}"
                raise BrokerError(msg)
            if time.monotonic() > until:
                msg = f"the broker did not answer within {START_TIMEOUT_S:.0f} s; last lines of {self.log}:\n{self._last_lines(20)}"
                raise BrokerError(msg)
            time.sleep(0.05)

    def _answers(self) -> bool:
        if self._security is None:
            return answers_metadata(HOST, self._ports["PLAINTEXT"])
        return self._security.lets_in(self.address("SSL"))

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
