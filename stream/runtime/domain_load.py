"""How many measurements each journal partition gets by what its domains' series are due to send. Domains hash unevenly; pins mend it. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream.records.journal import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.region.model import Region

UNEVEN = 2.0
"""A partition with more than so many fair shares is told."""


@dataclass(frozen=True, slots=True)
class PartitionLoad:
    """What a partition is due to get: measurements a minute of each domain, the largest first, and how many fair shares that is.

    A fair share is what the best pins could reach at least: the whole load over the partitions, but no less than the largest domain.
    """

    partition: int
    per_min: float
    domains: Mapping[str, float]
    fair_shares: float

    @property
    def uneven(self) -> bool:
        """Whether pins would help."""
        return self.fair_shares > UNEVEN


def loads(regions: Iterable[Region], partitions: int) -> list[PartitionLoad]:
    """The load of every partition, from the intervals of the series of these regions (a domain that is in several of them counts with all)."""
    of_domain: Counter[tuple[int, str]] = Counter()
    for region in regions:
        series = region.series
        per_min = np.bincount(series.domain, weights=60.0 / series.interval_s, minlength=len(region.domains))
        for domain, rate in zip(region.domains, per_min.tolist(), strict=True):
            of_domain[partition_of(domain.domain_id, partitions, domain.pin), domain.domain_id] += rate
    fair = max(sum(of_domain.values()) / partitions, max(of_domain.values(), default=0.0))
    found = []
    for partition in range(partitions):
        domains = {domain: rate for (where, domain), rate in of_domain.most_common() if where == partition}
        total = sum(domains.values())
        found.append(PartitionLoad(partition, total, domains, total / fair if fair > 0 else 0.0))
    return found
