"""What is counted of a partition, as a part of its state: the same journal gives the same counts."""

from __future__ import annotations

import msgspec


class Counts(msgspec.Struct):
    """What detection did with the measurements of this partition, since its beginning; `believed`: later, because of a neighbour.

    `other_lane`: records that were refused because they are another lane's. `repeated`, `sequence_refused`: messages of signed batches that were
    there before, or that used another batch's number. `retired`: of series that no region has any more. `forwarded`: to another partition.
    """

    scored: int = 0
    duplicate: int = 0
    correction: int = 0
    out_of_order: int = 0
    too_old: int = 0
    failed: int = 0
    believed: int = 0
    retired: int = 0
    forwarded: int = 0
    late: int = 0
    answers: int = 0
    unmatched: int = 0
    other_lane: int = 0
    repeated: int = 0
    sequence_refused: int = 0
    links_refused: dict[str, int] = msgspec.field(default_factory=dict)
