"""The same burst, the same death in the middle: what a gateway on aiomqtt loses, and ours does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gateways.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SENT = 200


def lives(kind: str, port: int, notes: Path, deaths: int) -> Iterator[int]:
    """Exit codes: it lives once before anything is sent, then dies `deaths` times, then takes what is left."""
    for most in (0, *[7] * deaths, 0):
        done = subprocess.run(
            [sys.executable, "-m", "tests.gateways.mqtt_taker", kind, str(port), str(notes), str(most)],
            cwd=ROOT,
            timeout=60,
            check=False,
        )
        yield done.returncode


def test_a_gateway_that_dies_with_messages_in_hand_loses_them_on_aiomqtt_and_not_here(tmp_path):
    mosquitto = Mosquitto(tmp_path / "mosquitto")
    try:
        lost, codes = {}, {}
        for kind in ("link", "aiomqtt"):
            notes = tmp_path / kind
            life = lives(kind, mosquitto.port, notes, deaths=3)
            codes[kind] = [next(life)]
            mosquitto.publish("tocsin/station-7/stage", [str(one).encode() for one in range(SENT)])
            codes[kind] += list(life)
            lost[kind] = SENT - len(set(notes.read_text("utf-8").split()))
        print(f"of {SENT} acknowledged to their sender, lost: {lost}")
    finally:
        mosquitto.stop()
    assert codes["link"] == [0, 9, 9, 9, 0]
    assert codes["aiomqtt"][:2] == [0, 9]
    assert lost["link"] == 0
    assert lost["aiomqtt"] > 0
