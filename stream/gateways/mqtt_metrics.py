"""What an MQTT gateway counts besides what every gateway does; and the alarm that the broker drops messages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream.gateways.metrics import GatewayMetrics
    from stream.gateways.mqtt_link import Event

log = logging.getLogger(__name__)


class MqttMetrics:
    """Keeps `every`, the metrics of a gateway, up with the MQTT broker."""

    def __init__(self, every: GatewayMetrics) -> None:
        self.every = every
        self.messages = every.mqtt_messages
        self._dropped = 0

    def note(self, event: Event) -> None:
        """Count what happened to the connection."""
        self.every.mqtt_link_events.labels(event).inc()

    def dropped(self, total: int) -> None:
        """The broker's own count of messages that it dropped since its start: an error in the log each time it grows.

        It counts for all of its clients, so others' messages may be meant; which, the broker does not say. Its restart begins at 0 again.
        """
        if total > self._dropped:
            log.error(
                "the MQTT broker has dropped %d messages (%d since it started): a queue is full. Raise max_queued_messages and max_queued_bytes "
                "(deploy/mosquitto/mosquitto.conf), and look whether every gateway runs",
                total - self._dropped,
                total,
            )
        self._dropped = total
        self.every.broker_dropped.set(total)
