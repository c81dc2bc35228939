"""Histories that several tests look at are played once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.region.shared import REGIONS, beijing_rows, danube_rows, write_feed
from tests.scenarios.played import Played, play

if TYPE_CHECKING:
    from stream.runtime.broker import Broker


@pytest.fixture(scope="session")
def danube(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The Danube's daily discharge of 1980-1988, none of which the region's levels and parameters were chosen on."""
    work = tmp_path_factory.mktemp("danube")
    feed = write_feed(work / "danube.csv", danube_rows("1980-01-01", "1989-01-01"))
    return play((broker.bootstrap, "danube.", work), REGIONS / "danube", feed, partitions=4)


@pytest.fixture(scope="session")
def beijing(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Beijing's air of January 2014, hour by hour."""
    work = tmp_path_factory.mktemp("beijing")
    feed = write_feed(work / "beijing.csv", beijing_rows("2014-01-01", "2014-02-01"))
    return play((broker.bootstrap, "beijing.", work), REGIONS / "beijing", feed, partitions=4)
