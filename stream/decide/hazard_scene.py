"""A hazard of a domain by its name, also one that nothing was measured of there: a person may report what no station sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.state import HazardState

if TYPE_CHECKING:
    from stream.decide.partition import Partition
    from stream.decide.scene import Scene


def scene_of(partition: Partition, domain_id: str, hazard: str) -> Scene | None:
    """The hazard in the domain, which has a state of its own from now on; None where the region has no such hazard."""
    for index, one in enumerate(partition.bound(domain_id).hazards):
        if one.hazard.hazard == hazard:
            partition.core.domains[domain_id].hazards.setdefault(hazard, HazardState())
            return partition.scene(domain_id, index)
    return None
