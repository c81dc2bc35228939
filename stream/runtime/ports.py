"""Loopback ports for the embedded broker, and the question whether a Kafka broker answers on one."""

from __future__ import annotations

import secrets
import socket
import struct
from pathlib import Path

from stream.errors import BrokerError

LOWEST = 15_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_METADATA, _VERSION = 3, 1


def ephemeral_from() -> int:
    """The first port the system itself gives to outgoing connections (Linux's setting, else Linux's default)."""
    try:
        return int(_RANGE.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As Java does: a port left in TIME_WAIT by an earlier broker counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(host: str, count: int = 2) -> tuple[int, ...]:
    """So many free ports below the ephemeral range: inside it, an outgoing connection may take a port at any time."""
    highest = min(max(ephemeral_from(), LOWEST + 1_000), 65_000)
    found: list[int] = []
    for _ in range(1_000):
        port = LOWEST + secrets.randbelow(highest - LOWEST)
        if port not in found and is_free(host, port):
            found.append(port)
            if len(found) == count:
                return tuple(found)
    msg = f"no {count} free ports between {LOWEST} and {highest} on {host}; free some, or use your own broker with --bootstrap"
    raise BrokerError(msg)


def answers_metadata(host: str, port: int, timeout_s: float = 2.0) -> bool:
    """Whether a broker there answers a Metadata request and knows at least itself (so it is registered and serves clients)."""
    request = struct.pack(">hhih6si", _METADATA, _VERSION, 1, 6, b"tocsin", 0)
    try:
        with socket.create_connection((host, port), timeout_s) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            connection.settimeout(timeout_s)
            answer = _read(connection, 4 + 4 + 4)
    except OSError:
        return False
    if len(answer) < 4 + 4 + 4:
        return False
    _, correlation, brokers = struct.unpack(">iii", answer)
    return bool(correlation == 1 and brokers >= 1)


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (piece := connection.recv(count - len(data))):
        data += piece
    return data
