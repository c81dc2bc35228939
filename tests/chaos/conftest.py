"""A broker that a test may kill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.runtime.broker import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker.start(tmp_path / "broker") as broker:
        yield broker
