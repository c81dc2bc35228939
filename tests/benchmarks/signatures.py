"""What identity costs at the doors: the same measurements plain, signed in batches of several sizes, and signed one by one.

`python tests/benchmarks/signatures.py [--small] [--out FOLDER]` prints microseconds of processor time a measurement through ACCEPT (decode, check, cut) on one
core, best of several rounds, and what a signature alone costs; the HTTP token's look-up beside it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.accept.door import Accept, DoorRecord
from stream.records.envelope import VERSION, Envelope, seal, signed_bytes
from stream.records.instants import to_text
from stream.region.principals import Key, Principal
from stream.settings import Settings
from tests.accept.regions import region

NOW = 1_714_564_800_000
PRIVATE = bytes(range(32))
ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """One way of sending: measurements a record, and microseconds a measurement."""

    way: str
    batch: int
    us: float


def principal() -> Principal:
    """One signer for every station of the benchmark."""
    public = Ed25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
    return Principal("gauges", "ed25519", ("s*",), ("water",), ("live",), "small", (Key("k", public),))


def measurement(number: int, stations: int) -> dict[str, object]:
    """A stage at one of the stations, a moment ago."""
    return {"series": f"s{number % stations}/stage", "observed_at": NOW / 1000 - number % 600, "value": 1.0 + number % 7}


def records(count: int, batch: int, stations: int, *, signed: bool) -> list[DoorRecord]:
    """`count` measurements, `batch` to a record."""
    made = []
    for sequence, first in enumerate(range(0, count, batch)):
        items = [measurement(number, stations) for number in range(first, min(first + batch, count))]
        payload = json.dumps(items if batch > 1 else items[0]).encode()
        if signed:
            payload = seal(Envelope(VERSION, "gauges", "k", sequence, "small", "live", "water", to_text(NOW), payload, b""), PRIVATE)
        made.append(DoorRecord(0, sequence, NOW, payload))
    return made


def best_us(accept: Accept, sent: list[DoorRecord], count: int) -> float:
    """Microseconds of processor time a measurement, of the quickest round; everything must have been accepted."""
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        accepted = sum(accept.accept("measurements.water", sent[at : at + 500], NOW).accepted for at in range(0, len(sent), 500))
        found.append((time.process_time() - began) * 1e6 / count)
        assert accepted == count
    return min(found)


def measure(*, small: bool) -> list[Row]:
    """All ways of sending."""
    count, stations = (1_000, 60) if small else (8_000, 3_000)
    accept = Accept([replace(region(extra=stations), principals=(principal(),))], Settings(), 12)
    rows = [
        Row("signed" if signed else "plain", batch, best_us(accept, records(count, batch, stations, signed=signed), count))
        for batch in (1, 10, 100, 1000)
        for signed in (False, True)
    ]
    one = Envelope(VERSION, "gauges", "k", 1, "small", "live", "water", to_text(NOW), json.dumps(measurement(1, 10)).encode(), b"")
    key = Ed25519PrivateKey.from_private_bytes(PRIVATE)
    signature, public = key.sign(signed_bytes(one)), key.public_key()
    times = 200 if small else 2_000
    known = {sha256(b"token").digest(): "gauges"}
    alone = {
        "Ed25519 sign": lambda: key.sign(signed_bytes(one)),
        "Ed25519 verify": lambda: public.verify(signature, signed_bytes(one)),
        "HTTP token": lambda: known[sha256(b"token").digest()],
    }
    for name, act in alone.items():
        began = time.process_time()
        for _ in range(times):
            act()
        rows.append(Row(name, 0, (time.process_time() - began) * 1e6 / times))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = ["way              batch   us a measurement   a second"]
    lines += [f"{row.way:<16} {row.batch or '':>5} {row.us:>18.2f} {1e6 / row.us:>10,.0f}" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Print the table; with --out also write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    text = table(measure(small=given.small))
    print(text)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "signatures.txt").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
