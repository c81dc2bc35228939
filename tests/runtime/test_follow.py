"""A reader that is not used for anything is closed like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.cluster import Cluster
from stream.runtime.follow import consumer

if TYPE_CHECKING:
    from stream.runtime.broker import Broker

pytestmark = pytest.mark.kafka


async def test_a_consumer_that_is_closed_before_it_had_a_turn_cancels_nobody(broker: Broker) -> None:
    async with consumer(Cluster(broker.bootstrap)) as reader:
        assert reader.assignment() == set()
