"""Listening to an MQTT broker beside whoever else does: nothing is acknowledged, kept or taken away from another subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from paho.mqtt.enums import MQTTErrorCode

from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.client import Client, ConnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from stream.gateways.mqtt_broker import MqttBroker


def listen(broker: MqttBroker, filters: Sequence[str], take: Callable[[str, bytes], None], ready: Callable[[], None]) -> None:
    """Call `take(topic, payload)` for every message on these topics, until interrupted; `ready` when subscribed. TocsinError if refused.

    With QoS 0 and a session that ends with the connection, so that the broker keeps nothing for a name that never comes back.
    """
    refused: list[str] = []
    client = _client(broker, filters, ready, refused)
    client.on_message = lambda _client, _data, message: take(message.topic, bytes(message.payload))
    try:
        client.connect(broker.host, broker.port)
        while not refused:
            if (code := client.loop(1.0)) is not MQTTErrorCode.MQTT_ERR_SUCCESS and not refused:
                refused.append(f"connection lost ({code.name})")
    except OSError as error:
        msg = broker.hopeless(error) or f"MQTT broker {broker.host}:{broker.port} cannot be reached: {error.strerror or error}"
        raise TocsinError(msg) from error
    finally:
        client.disconnect()
        client._reset_sockets()  # noqa: SLF001  (the pair that wakes its loop; there is no public way)
    msg = f"MQTT broker {broker.host}:{broker.port}: {refused[0]}"
    raise TocsinError(msg)


def _client(broker: MqttBroker, filters: Sequence[str], ready: Callable[[], None], refused: list[str]) -> Client:
    """A client that subscribes when it is connected; `refused` gets what the broker will not have."""
    client = broker.client(manual_ack=False)

    def connected(_client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None) -> None:
        if reason.is_failure:
            refused.append(broker.refusal(reason))
        else:
            client.subscribe([(one, 0) for one in filters])

    def subscribed(_client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _properties: Properties | None) -> None:
        if any(one.is_failure for one in reasons):
            refused.append(f"subscription to {', '.join(filters)}: {', '.join(sorted({str(one) for one in reasons}))}")
        else:
            ready()

    client.on_connect, client.on_subscribe = connected, subscribed
    return client
