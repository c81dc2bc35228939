"""What the MQTT broker drops: a number only when it has said one."""

from __future__ import annotations

import math

from stream.gateways.metrics import GatewayMetrics
from stream.gateways.mqtt_metrics import MqttMetrics

NAME = "tocsin_gateway_mqtt_broker_dropped_messages"


def test_a_broker_that_never_said_what_it_drops_does_not_read_as_one_that_drops_nothing() -> None:
    every = GatewayMetrics()
    metrics = MqttMetrics(every)
    assert math.isnan(every.registry.get_sample_value(NAME) or 0.0)
    metrics.dropped(0)
    assert every.registry.get_sample_value(NAME) == 0
    metrics.dropped(7)
    assert every.registry.get_sample_value(NAME) == 7
