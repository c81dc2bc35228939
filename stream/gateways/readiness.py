"""Whether a gateway, or intake, is ready, and if not, why and what to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stream.health.exposing import Health, Trouble
from stream.health.probes import STARTING

if TYPE_CHECKING:
    from stream.gateways.sending import Sender

ANSWERS_S = 15.0
"""So long after the last thing that the broker acknowledged it counts as away; something is noted every second or so."""
STOPPING = Trouble("it is stopping", "send to another one")
NO_REGIONS = Trouble("the regions are not known yet", "see whether Kafka can be reached and a region is active (`tocsin region activate`)")
NO_LINK = Trouble("not connected to the MQTT broker", "see whether it runs, and what the log says of address, password and client id")


def of_sender(sender: Sender) -> tuple[Trouble, ...]:
    """What is wrong with the way to the doors; nothing while Kafka or the disk takes what is handed in."""
    if sender.ready:
        return ()
    wrong = f"neither Kafka nor the disk takes anything: {sender.why}"
    return (Trouble(wrong, "bring Kafka back, or give the spool a folder with more room (--spool, --spool-mb)"),)


class IntakeStanding:
    """What intake last heard of the broker. Written by the event loop, read by any thread."""

    def __init__(self) -> None:
        self.noted_at: float | None = None
        """When (monotonic, s) the broker last took a note of how far everything is read; None before the first time."""

    def started(self) -> Health:
        """Whether it has read what it follows, and begun."""
        return STARTING if self.noted_at is None else Health()

    def ready(self) -> Health:
        """Whether it gets on."""
        if self.noted_at is None:
            return STARTING
        if (silent_s := time.monotonic() - self.noted_at) > ANSWERS_S:
            fix = "see whether the brokers run and can be reached from here: `tocsin doctor`"
            return Health((Trouble(f"the broker has taken nothing for {silent_s:.0f} s", fix),))
        return Health()
