"""The benchmark of identity runs, and a signature's cost is shared by its batch."""

from __future__ import annotations

from tests.benchmarks.signatures import measure, table


def test_every_way_is_measured_and_a_bigger_batch_makes_a_signature_cheaper() -> None:
    rows = measure(small=True)
    cost = {(row.way, row.batch): row.us for row in rows}
    extra = {batch: cost["signed", batch] - cost["plain", batch] for batch in (1, 100)}
    assert extra[100] < extra[1]
    assert "Ed25519 verify" in table(rows)
