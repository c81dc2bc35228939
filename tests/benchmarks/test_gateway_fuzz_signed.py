from __future__ import annotations

import pytest

from stream.gateways.cap_refused import CapFault
from tests.benchmarks.gateway_fuzz_signed import Alerts, Envelopes, fuzz


@pytest.mark.parametrize(("kind", "number"), [(Alerts, 1_000), (Envelopes, 2_000)])
def test_whatever_is_done_to_what_was_signed_it_is_taken_as_signed_or_refused_with_a_reason(kind, number):
    became = fuzz(kind.__name__, kind, number, seed=7)
    assert became.total() == number
    assert became["taken"]
    assert len(became) > 8


def test_a_broken_promise_is_found(monkeypatch):
    monkeypatch.setattr("stream.gateways.cap_in.CapIn.take", lambda *_: CapFault("not_cap", ""))
    with pytest.raises(AssertionError, match="alerts, seed 7, number 0"):
        fuzz("alerts", Alerts, 10, seed=7)
