"""What one partition of the journal says to another to which stations have moved: how far everything that is on its way is there."""

from __future__ import annotations

from stream.records.laned import Laned


class Handed(Laned, frozen=True, array_like=True, tag="h", gc=False):
    """Everything that doors had taken by `written_at`, and that comes here by way of `from_partition`, stands before this record.

    `region_hash`: of the regions that are active there; `last`: after their activation nothing more will come.
    """

    from_partition: int
    region_hash: str
    written_at: int
    last: bool = False
