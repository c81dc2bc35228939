"""What `tocsin doctor` looks at on an MQTT broker: whether it lets us in, and how many messages it has dropped."""

from __future__ import annotations

import queue
from threading import Event
from typing import TYPE_CHECKING, Any

from stream.gateways.mqtt_link import DROPS
from stream.health.findings import Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stream.gateways.mqtt_broker import MqttBroker
    from stream.health.findings import Finding

WAIT_S = 12.0
"""mosquitto publishes its counters every ten seconds, and the last ones at once to whoever subscribes."""


def mqtt(broker: MqttBroker) -> Iterator[Finding]:
    """Connect, and read the counter of dropped messages."""
    here = Group("mqtt")
    said: queue.Queue[str | int] = queue.Queue()
    let_in = Event()

    def connected(client: Any, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            said.put(broker.refusal(reason))
        else:
            let_in.set()
            client.subscribe(DROPS)

    def message(_client: Any, _userdata: Any, got: Any) -> None:
        said.put(int(got.payload) if got.payload.isdigit() else f"{broker}: {DROPS} is {got.payload!r}")

    client = broker.client(manual_ack=False)
    client.on_connect, client.on_message = connected, message
    try:
        client.connect(broker.host, broker.port)
    except OSError as error:
        yield here.bad(
            broker.hopeless(error) or f"no MQTT broker answers at {broker} ({error})", "is it running, is the address right (--mqtt)?"
        )
        return
    client.loop_start()
    try:
        found = said.get(timeout=WAIT_S)
    except queue.Empty:
        if let_in.is_set():
            fix = "`topic read $SYS/#` for this user in its acl_file, and sys_interval 10"
            yield here.unknown(f"{broker} lets us in and does not show {DROPS}", fix)
        else:
            yield here.bad(broker.silence, "see whether it runs and at which port, and its log")
        return
    finally:
        client.disconnect()
        client.loop_stop()
    if isinstance(found, str):
        yield here.bad(found, "see deploy/mosquitto/ for accounts and permissions")
    elif found:
        fix = "max_queued_messages 0 and a persistence_location with room (deploy/mosquitto/mosquitto.conf says why); what was dropped was acknowledged to its sender and is lost"
        yield here.bad(f"{broker} dropped {found:,} messages since it started", fix)
    else:
        yield here.ok(f"{broker} lets us in and has dropped nothing")
