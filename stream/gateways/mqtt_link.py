"""A persistent session with an MQTT broker, whose messages are acknowledged one by one and only when told to.

A client that acknowledges when a message arrives loses what it had not finished when it dies. Here the broker keeps every message (QoS 1) until
`acknowledge`, and delivers again what was not acknowledged to the next connection of the same client id.

An acknowledgement names its message only by a small number that the broker uses again. So it counts for the connection that brought the message
and no other: sent later it could acknowledge another message, which would be lost.

paho-mqtt has a public call for one turn of its network loop; it runs here on a thread of its own, so that an error of it ends the gateway
instead of leaving one behind that is connected and deaf.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

log = logging.getLogger(__name__)
UNACKNOWLEDGED_MOST = 2_000
"""Receive Maximum of MQTT 5: so many messages the broker sends ahead; it keeps the others. This bounds the memory of a gateway."""
SESSION_S = 7 * 86_400
"""So long the broker keeps what comes while the gateway is away (its own configuration may say less)."""
KEEPALIVE_S = 20
RETRY_S = (0.2, 10.0)
"""Pauses between attempts to connect: the first, the longest."""
SHORT_S, SHORT_MOST = 30.0, 3
"""Connections that end this soon, several in a row, are not chance."""
DROPS = "$SYS/broker/publish/messages/dropped"
HOPELESS = {"Bad user name or password", "Not authorized", "Client identifier not valid", "Unsupported protocol version", "Banned"}
TAKEN_OVER = "Session taken over"


class MqttRefused(TocsinError):
    """The broker will not have it, and trying again changes nothing."""


class MqttBroker(NamedTuple):
    """Where the broker is and who we are there. Without `ca_file` the connection is not encrypted."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} as {self.client_id}"


class Delivery(NamedTuple):
    """One message. `qos` 0 cannot be acknowledged; `number` is the broker's for it on this `connection`."""

    topic: str
    payload: bytes
    qos: int
    number: int
    connection: int


class Event(StrEnum):
    """What happened to the link, for metrics and log."""

    CONNECTED = "connected"
    LOST = "lost"
    SESSION_LOST = "session_lost"
    """The broker no longer knew this session: what it had kept for us is gone."""
    QOS0_DISCARDED = "qos0_discarded"
    """More came without acknowledgement than could be taken."""


class Link:
    """The session. `run` keeps it up until `stop`; `take` gives what came, `acknowledge` lets the broker forget it."""

    def __init__(
        self,
        broker: MqttBroker,
        filters: Sequence[str],
        on_event: Callable[[Event], None] = lambda _: None,
        on_dropped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._broker = broker
        self._filters = tuple(filters)
        self._on_event, self._on_dropped = on_event, on_dropped
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._connection = 0
        self._had_session = False
        self._fatal: MqttRefused | None = None
        self._client = self._make_client()

    def _make_client(self) -> Client:
        broker = self._broker
        client = Client(CallbackAPIVersion.VERSION2, client_id=broker.client_id, protocol=MQTTv5, manual_ack=True)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.ca_file is not None:
            certificate, key = (str(one) if one else None for one in (broker.cert_file, broker.key_file))
            client.tls_set(str(broker.ca_file), certificate, key)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribe_answered
        client.on_message = self._message
        # With any callback here only the network's thread writes to the socket; without, `ack` would write from this one at the same time.
        client.on_socket_register_write = lambda *_: None
        return client

    async def run(self) -> None:
        """Connect, and again after every loss, until `stop`. Raises MqttRefused where that is hopeless."""
        try:
            await asyncio.to_thread(self._keep_up)
        finally:
            self._client._reset_sockets()  # noqa: SLF001  (the pair that wakes its loop; there is no public way)
        if self._fatal is not None:
            raise self._fatal

    async def ready(self) -> None:
        """Returns when the broker has confirmed the first subscription."""
        await self._subscribed.wait()

    async def take(self, most: int) -> list[Delivery]:
        """What came on the connection there is now, oldest first, at least one. What an earlier connection brought is delivered again."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            found = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            if self._waiting:
                self._arrived.set()
            if current := [one for one in found if self.is_current(one)]:
                return current

    def is_current(self, one: Delivery) -> bool:
        """Whether it can still be acknowledged, or never could."""
        return one.qos == 0 or one.connection == self._connection

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Let the broker forget these, in this order; those of an earlier connection it delivers again."""
        with self._lock:
            for one in deliveries:
                if one.qos and one.connection == self._connection:
                    self._client.ack(one.number, one.qos)

    def stop(self) -> None:
        """Take leave; the session stays. `run` returns."""
        self._stopping.set()
        self._client.disconnect()

    def _keep_up(self) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = UNACKNOWLEDGED_MOST
        broker = self._broker
        self._client.connect_async(broker.host, broker.port, KEEPALIVE_S, clean_start=False, properties=properties)
        pause_s, short = RETRY_S[0], 0
        while not self._stopping.is_set() and self._fatal is None:
            began = time.monotonic()
            try:
                self._client.reconnect()
            except OSError as error:
                log.warning("no MQTT broker answers at %s (%s); trying again", broker, error)
            else:
                while self._client.loop(timeout=1.0) == MQTTErrorCode.MQTT_ERR_SUCCESS and self._fatal is None:
                    pass
                self._forget_connection()
                short = short + 1 if time.monotonic() - began < SHORT_S else 0
                if short >= SHORT_MOST:
                    log.error("%s closes each connection soon after it is made: does another client have this client id?", broker)
            self._stopping.wait(pause_s if self._fatal is None else 0)
            pause_s = min(pause_s * 2, RETRY_S[1]) if time.monotonic() - began < SHORT_S else RETRY_S[0]

    def _forget_connection(self) -> None:
        """From here on nothing of this connection is acknowledged. paho drops what it had not written when it connects again."""
        with self._lock:
            self._connection += 1
        if not self._stopping.is_set():
            log.warning("connection to %s lost; what was not acknowledged comes again", self._broker)
            self._tell(Event.LOST)

    def _connected(self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            log.error("%s refuses the connection: %s", self._broker, reason)
            if reason.getName() in HOPELESS:
                self._fatal = MqttRefused(
                    f"{self._broker} refuses the connection: {reason}; look at its password_file, and at the user's name"
                )
            return
        with self._lock:
            self._connection += 1
        if self._had_session and not flags.session_present:
            log.error("%s has forgotten this session: what it kept for it is lost (does it have `persistence true`?)", self._broker)
            self._tell(Event.SESSION_LOST)
        self._had_session = True
        self._tell(Event.CONNECTED)
        # Not retained messages each time: the last value of every topic would come again with every connection.
        client.subscribe([*((one, SubscribeOptions(qos=1, retainHandling=1)) for one in self._filters), (DROPS, SubscribeOptions(qos=0))])

    def _subscribe_answered(self, _client: Client, _data: object, _number: int, reasons: list[ReasonCode], _properties: object) -> None:
        refused = [f"{one}: {reason}" for one, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        if refused:
            self._fatal = MqttRefused(f"{self._broker} may not subscribe to {', '.join(refused)}; let its acl_file allow it to read them")
            return
        if reasons[-1].is_failure:
            log.warning("%s may not read %s (%s): what the broker drops stays unseen", self._broker, DROPS, reasons[-1])
        self._loop.call_soon_threadsafe(self._subscribed.set)

    def _disconnected(self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, _properties: object) -> None:
        if flags.is_disconnect_packet_from_server and reason.getName() == TAKEN_OVER:
            self._fatal = MqttRefused(
                f"{self._broker}: another client has connected with this client id and has the session now; every gateway needs an id of its own"
            )

    def _message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == DROPS:
            if message.payload.isdigit():
                self._loop.call_soon_threadsafe(self._on_dropped, int(message.payload))
            return
        if message.qos == 0 and len(self._waiting) >= 2 * UNACKNOWLEDGED_MOST:
            self._tell(Event.QOS0_DISCARDED)
            return
        self._waiting.append(Delivery(message.topic, bytes(message.payload), message.qos, message.mid, self._connection))
        if not self._arrived.is_set():
            self._loop.call_soon_threadsafe(self._arrived.set)

    def _tell(self, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._on_event, event)
