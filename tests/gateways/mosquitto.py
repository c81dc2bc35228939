"""A real mosquitto with the configuration that is shipped, on a loopback port of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.runtime.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterable

SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto"
PROGRAM = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
USERS = {"gateway": "listens", "station-7": "measures", "chirpstack": "relays", "things-stack": "relays"}


def needed() -> str:
    """The program; without it a test is skipped, but never in the full check."""
    if PROGRAM is None or shutil.which("mosquitto_pub") is None or shutil.which("mosquitto_passwd") is None:
        why = "no mosquitto on this machine: install the packages mosquitto and mosquitto-clients"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return PROGRAM


class Mosquitto:
    """One broker and its folder. `changed`: settings other than those shipped, by name.

    `encrypted`: the same of those that are shipped behind a comment sign; then it listens at `tls_port`, too.
    """

    def __init__(self, folder: Path, changed: dict[str, str] | None = None, encrypted: dict[str, str] | None = None) -> None:
        self.program, self.folder, self.port = needed(), folder, free_ports("127.0.0.1")[0]
        folder.mkdir()
        text = (SHIPPED / "mosquitto.conf").read_text("utf-8")
        mine = {
            "listener": f"{self.port} 127.0.0.1",
            "persistence_location": f"{folder}/",
            "password_file": str(folder / "users"),
            "acl_file": str(folder / "acl"),
            "sys_interval": "1",
        }
        for name, value in (mine | (changed or {})).items():
            text, found = re.subn(rf"(?m)^{name} .*$", f"{name} {value}", text)
            assert found == 1, f"{name} is not in the shipped configuration once"
        self.tls_port = free_ports("127.0.0.1")[0] if encrypted is not None else 0
        for name, value in ({"listener": f"{self.tls_port} 127.0.0.1", **encrypted} if encrypted is not None else {}).items():
            text, found = re.subn(rf"(?m)^#{name} .*$", f"{name} {value}", text)
            assert found == 1, f"{name} is not in the shipped configuration once, behind a comment sign"
        (folder / "mosquitto.conf").write_text(text + ("user root\n" if os.geteuid() == 0 else ""), "utf-8")
        shutil.copy(SHIPPED / "acl", folder / "acl")
        (folder / "users").touch(mode=0o600)
        for name, password in USERS.items():
            subprocess.run(["mosquitto_passwd", "-b", folder / "users", name, password], check=True, capture_output=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([self.program, "-c", self.folder / "mosquitto.conf"], stdout=log, stderr=log)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(self.log())

    def stop(self) -> None:
        """As an administrator does: it saves what it has."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", errors="replace")

    def publish(self, topic: str, payloads: Iterable[bytes], *, user: str = "station-7", qos: int = 1) -> None:
        """As `mosquitto_pub` does it, a line each; it returns when the broker has acknowledged all of them."""
        account = ["-u", user, "-P", USERS[user]]
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), *account, "-q", str(qos), "-t", topic, "-l"]
        subprocess.run(command, input=b"".join(one + b"\n" for one in payloads), check=True, timeout=60)
