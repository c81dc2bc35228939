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

from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from stream.gateways.mqtt_broker import HOPELESS, MqttRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

    from stream.gateways.mqtt_broker import MqttBroker

log = logging.getLogger(__name__)
UNACKNOWLEDGED_MOST = 2_000
"""Receive Maximum of MQTT 5: so many messages the broker sends ahead; it keeps the others. This bounds the memory of a gateway."""
SESSION_S = 7 * 86_400
"""So long the broker keeps what comes while the gateway is away (its own configuration may say less)."""
KEEPALIVE_S = 20
ANSWER_S = 5.0
"""So long a broker may take to answer that there is a connection."""
RETRY_S = (0.2, 10.0)
"""Pauses between attempts to connect: the first, the longest."""
SHORT_S, SHORT_MOST = 30.0, 3
"""Connections that end this soon, several in a row, are not chance."""
DROPS = "$SYS/broker/publish/messages/dropped"
TAKEN_OVER = "Session taken over"


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
        self._had_session = self._answered = self._let_in = False
        self.up = False
        """Whether the broker sends what is subscribed to."""
        self._fatal: MqttRefused | None = None
        self._client = self._make_client()

    def _make_client(self) -> Client:
        client = self._broker.client(manual_ack=True)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribe_answered
        client.on_message = self._message
        # With any callback here only the network's thread writes to the socket; without, `ack` would write from this one at the same time.
        client.on_socket_register_write = lambda *_: None
        return client

    async def run(self) -> None:
        """Connect, and again after every loss, until `stop`. Raises MqttRefused where that is hopeless from the beginning."""
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
            self._answered = self._let_in = False
            try:
                self._client.reconnect()
            except OSError as error:
                if why := broker.hopeless(error):
                    self._give_up(why)
                else:
                    log.warning("%s", broker.away(error))
            else:
                self._keep_reading(began)
                self._forget_connection()
                short = short + 1 if self._let_in and time.monotonic() - began < SHORT_S else 0
                if short >= SHORT_MOST:
                    log.error("%s closes each connection soon after it is made: does another client have this client id?", broker)
            self._stopping.wait(pause_s if self._fatal is None else 0)
            pause_s = min(pause_s * 2, RETRY_S[1]) if time.monotonic() - began < SHORT_S else RETRY_S[0]

    def _keep_reading(self, began: float) -> None:
        """Until the connection is lost, or the broker has not even answered that there is one."""
        while self._client.loop(timeout=1.0) == MQTTErrorCode.MQTT_ERR_SUCCESS and self._fatal is None:
            if not self._answered and time.monotonic() - began > ANSWER_S:
                break
        if not self._answered and not self._stopping.is_set():
            log.error("%s", self._broker.silence)

    def _give_up(self, why: str) -> None:
        """End for what is wrong from the beginning. Who was let in once goes on trying: there is something on the disk that may still go to Kafka."""
        if self._subscribed.is_set():
            log.error("%s", why)
        else:
            self._fatal = MqttRefused(why)

    def _forget_connection(self) -> None:
        """From here on nothing of this connection is acknowledged. paho drops what it had not written when it connects again."""
        self.up = False
        with self._lock:
            self._connection += 1
        if self._let_in and not self._stopping.is_set():
            log.warning("connection to %s lost; what was not acknowledged comes again", self._broker)
            self._tell(Event.LOST)

    def _connected(self, client: Client, _data: object, flags: ConnectFlags, reason: ReasonCode, _properties: object) -> None:
        self._answered = True
        if reason.is_failure:
            why = self._broker.refusal(reason)
            if reason.getName() in HOPELESS:
                self._give_up(why)
            else:
                log.error("%s", why)
            return
        with self._lock:
            self._connection += 1
        self._let_in = True
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
            self._give_up(f"{self._broker} may not subscribe to {', '.join(refused)}; let the broker's acl_file allow it to read them")
            return
        if reasons[-1].is_failure:
            log.warning("%s may not read %s (%s): what the broker drops stays unseen", self._broker, DROPS, reasons[-1])
        self.up = True
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
