from __future__ import annotations

import json

import pytest

from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import Refused
from stream.records.journal import Measurements, Report, columns, decode, partition_of
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.settings import Settings
from tests.region.shared import REGIONS

NOW = 1_714_564_800_000  # 2024-05-01T12:00:00Z
REGION = load_folder(REGIONS / "danube")
LIVE = Accept([REGION], Settings(), 12)
REPLAY = Accept([REGION], Settings(clock="observed", prefix="x.", lane=Lane.TEST), 12)
REPORT = {
    "report": "intervention", "domain": "danube", "act": "delay", "reach": "g10", "km": 12.5, "starts_at": "2024-05-01T20:00:00+08:00",
    "ends_at": 1_714_608_000, "hours": 6, "factor": 0.8, "by": "duty office", "note": "polder opened",
}  # fmt: skip
FLOW = {"series": "g10/discharge", "observed_at": "2024-05-01T00:00:00Z", "value": 500}


def send(*messages, accept=LIVE):
    return accept.accept("measurements.water", [DoorRecord(0, at, NOW, json.dumps(one).encode()) for at, one in enumerate(messages)], NOW)


def test_a_report_comes_into_the_journal_of_its_domain():
    out = send(REPORT)
    [entry] = out.entries
    assert (entry.key, entry.partition, entry.timestamp) == (b"danube", partition_of("danube", 12), None)
    assert decode(entry.value) == Report(
        "danube", REGION.region_hash, "intervention", "delay", "g10", 12.5, NOW, NOW + 43_200_000, 6.0, 0.8, "duty office", "polder opened", NOW, lane="live",
    )  # fmt: skip
    assert (out.accepted, out.refused) == (1, [])


@pytest.mark.parametrize("reported_at", [None, "2024-05-02T00:00:00Z"])
def test_on_a_replay_a_report_stands_at_the_instant_it_was_made(reported_at):
    [entry] = send(REPORT | ({"reported_at": reported_at} if reported_at else {}), accept=REPLAY).entries
    assert entry.timestamp == NOW + (43_200_000 if reported_at else 0) == decode(entry.value).reported_at


def test_measurements_and_reports_keep_their_order():
    out = send(FLOW, [FLOW | {"value": 501}, REPORT, FLOW | {"value": 502}], REPORT | {"km": 1}, FLOW | {"value": 503})
    found = []
    for entry in out.entries:
        message = decode(entry.value)
        found += columns(message).value.tolist() if isinstance(message, Measurements) else [message.km]
    assert found == [500, 501, 12.5, 502, 1.0, 503]
    assert (out.accepted, out.refused) == (6, [])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"reach": "g99"}, Refused.UNKNOWN_REACH),
        ({"domain": "rhine"}, Refused.UNKNOWN_REACH),
        ({"km": 9_999}, Refused.OUT_OF_RANGE),
        ({"ends_at": "2024-05-01T20:00:00+08:00"}, Refused.PERIOD_INVALID),
        ({"starts_at": "2024-05-01T20:00:00"}, Refused.TIME_AMBIGUOUS),
        ({"starts_at": -5}, Refused.TIME_ABSURD),
        ({"hours": -1}, Refused.OUT_OF_RANGE),
    ],
)
def test_a_wrong_report_is_refused_with_its_reason_and_costs_its_neighbours_nothing(change, reason):
    out = send(FLOW, REPORT | change, FLOW)
    [refusal] = out.refused
    assert (refusal.reason, refusal.offset, json.loads(refusal.payload)) == (reason, 1, REPORT | change)
    assert out.accepted == 2


def test_a_wrong_report_in_an_array_is_refused_at_its_place():
    out = send([FLOW, REPORT, REPORT | {"act": None}])
    [refusal] = out.refused
    assert (refusal.index, out.accepted) == (2, 2)
