"""The settings of the embedded broker: one small node on loopback, plain or secured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HOST = "127.0.0.1"
PLAIN = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"}
"""The listeners of a broker without access control, by name, with their protocol."""


def one_node(folder: Path, ports: Mapping[str, int], protocols: Mapping[str, str]) -> dict[str, object]:
    """Everything but security. `ports`: of each listener by its name; `protocols`: what is spoken there."""
    listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in ports.items())
    return {
        "node.id": 1,
        "process.roles": "broker,controller",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.bootstrap.servers": f"{HOST}:{ports['CONTROLLER']}",
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


def text(properties: Mapping[str, object]) -> str:
    """A properties file.

    >>> print(text({"node.id": 1, "log.dirs": "data"}), end="")
    node.id=1
    log.dirs=data
    """
    return "".join(f"{name}={value}\n" for name, value in properties.items())
