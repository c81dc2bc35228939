"""The river network of a region, as its river footprints built it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.region.places import RIVER

if TYPE_CHECKING:
    from stream.region.model import Region
    from topology.network import Network


def network_of(region: Region) -> Network | None:
    """The network of `reaches.csv`, None for a region without a river footprint (all river hazards of a region share one table)."""
    for hazard in region.hazards:
        if hazard.footprint.startswith(RIVER) and hazard.graph is not None:
            network: Network = hazard.graph.cities.network
            return network
    return None


def reach_length_km(region: Region, reach: str) -> float | None:
    """Length of a reach of the region's river network, None if it has no such reach."""
    network = network_of(region)
    if network is None or reach not in network.index:
        return None
    return float(network.length_km[network.index[reach]])
