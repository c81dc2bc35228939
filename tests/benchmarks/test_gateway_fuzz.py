from __future__ import annotations

import pytest

from stream.gateways.dialect import names
from tests.benchmarks.gateway_fuzz import Doors, fuzz


def test_fuzzed_payloads_of_every_dialect_end_in_a_verdict_each():
    figures = fuzz(6_000, seed=7)
    assert set(figures["verdicts"]) == set(names())
    assert all(row["accepted"] and row["rejected"] for row in figures["verdicts"].values()), figures
    assert len(figures["reasons"]) > 10


def test_a_broken_promise_is_found(monkeypatch):
    read = Doors.read

    def lossy(self, name, topic, payload):
        return read(self, name, topic, payload)[:-1] if len(payload) % 50 == 0 else [*read(self, name, topic, payload), "no item"]

    monkeypatch.setattr(Doors, "read", lossy)
    with pytest.raises(AssertionError, match="seed 7, payloads 0 to 199"):
        fuzz(400, seed=7)
