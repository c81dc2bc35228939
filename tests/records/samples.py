"""One filled-in record of each kind. Their bytes stand in golden/; `python -m tests.records.samples` writes them anew after a meant change."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np

from stream.accept.refusal import Refusal, Refused, digest, to_record
from stream.records import journal
from stream.records.acknowledgement import Acknowledgement, Answered, Escalated
from stream.records.canary import CanaryAnswer
from stream.records.incident import Incident, WeighedEvidence
from stream.records.measurement import CaseCount, Measurement
from stream.records.report import InterventionReport
from stream.records.statement import Statement
from stream.records.warning import (
    AlsoWarned,
    CityState,
    CityStatus,
    CityWarning,
    Coverage,
    Evidence,
    EvidenceSummary,
    Exceedance,
    Lane,
    LinkTest,
    MsgType,
    Reason,
    StationHealth,
    StationState,
    Texts,
)
from tests.records.alertness_samples import ALERTNESS
from tests.records.identity_samples import IDENTITY, SIGNED

GOLDEN = Path(__file__).parent / "golden"
_EVIDENCE = EvidenceSummary(
    "upper/stage", "orange", 5.25, "m", "2024-05-01T11:00:00Z", 3.5, "stage 5.25 m is above the orange level of 5 m", 0.4
)
_PLACE = {"domain": "basin", "hazard": "flood", "lane": Lane.LIVE}
_REGION = {"region": "example", "region_hash": "0123456789abcdef"}
_COVERAGE = Coverage(3, 4, ("lower/stage",))

JSON = {
    **ALERTNESS,
    **IDENTITY,
    "canary_answer": CanaryAnswer(
        round_at="2024-05-01T11:00:00Z", door="ingest", door_partition=0, journal_partition=7, journalled_at="2024-05-01T11:00:00.125Z"
    ),
    "measurement": Measurement("2024-05-01T19:00:00+08:00", 5.25, series="upper/stage", unit="m", quality="good", id="gw-1"),
    "measurement_by_station": Measurement(1_714_561_200.5, -0.5, station="upper", quantity="stage"),
    "case_count": CaseCount("2024-04-22T00:00:00Z", "2024-04-29T00:00:00Z", 7, area="north", quantity="cases", unit="count", id="w17"),
    "intervention": InterventionReport(
        "basin", "delay", "r1", 12.5, "2024-05-01T19:00:00+08:00", "duty office", hours=6.0, factor=0.8, note="polder opened", id="rep-1"
    ),
    "acknowledgement": Acknowledgement("w-1f", 2, "rejected", "duty office", "the gauge is being repaired", id="ack-1"),
    "statement": Statement(
        act="report",
        domain="basin",
        by="duty officer",
        id="st-1",
        hazard="spill",
        level="orange",
        confirmed=True,
        reach="r1",
        km=12.5,
        starts_at="2024-05-01T11:00:00Z",
        text="oil on the water",
    ),
    "city_warning": CityWarning(
        warning_id="w-1f",
        revision=2,
        supersedes=1,
        incident_id="i-2e",
        city_id="lower-city",
        msg_type=MsgType.UPDATE,
        level="orange",
        certainty="likely",
        reason=Reason.WORSE,
        path="river",
        paths=("river",),
        probability=0.8,
        intensity=0.6,
        confidence=0.7,
        sent_at="2024-05-01T11:00:05.250Z",
        arrives_at_p10="2024-05-01T17:00:00Z",
        arrives_at_p50="2024-05-01T18:00:00Z",
        arrives_at_p90="2024-05-01T20:00:00Z",
        arrival_unknown_because="",
        passed_at=None,
        exceedance=(
            Exceedance("orange", 0.8, "2024-05-01T17:00:00Z", "2024-05-01T18:00:00Z", "2024-05-01T20:00:00Z"),
            Exceedance("red", 0.1),
        ),
        expires_at="2024-05-01T23:00:05.250Z",
        reasons=("84 km downstream", "wave travels 7 h"),
        evidence=(_EVIDENCE,),
        coverage=_COVERAGE,
        role="assist",
        agreement_id="river-pact",
        coordinator="land",
        also_warned=(AlsoWarned("mid-city", "red"),),
        acknowledge_by_at=None,
        text=Texts("下城：洪水橙色预警", "Lower City: orange flood warning"),
        **_PLACE,
        **_REGION,
    ),
    "city_status": CityStatus(
        city_id="lower-city",
        state=CityState.UNKNOWN,
        level="none",
        since_at="2024-05-01T10:00:00Z",
        as_of_at="2024-05-01T11:00:00Z",
        valid_until_at="2024-05-01T11:15:00Z",
        coverage=_COVERAGE,
        text=Texts("下城：情况不明", "Lower City: unknown"),
        **_PLACE,
        **_REGION,
    ),
    "link_test": LinkTest(
        city_id="lower-city",
        lane=Lane.TEST,
        sent_at="2024-05-01T11:00:00Z",
        next_by_at="2024-05-02T11:00:00Z",
        text=Texts("线路测试", "Link test"),
    ),
    "incident": Incident(
        incident_id="i-2e",
        revision=3,
        state="open",
        level="red",
        opened_at="2024-05-01T10:30:00Z",
        as_of_at="2024-05-01T11:00:05.250Z",
        closed_at=None,
        reason=Reason.WORSE,
        sources=(_EVIDENCE,),
        cities=(AlsoWarned("mid-city", "red"), AlsoWarned("lower-city", "orange")),
        probability=0.93,
        confirmed=True,
        evidence=(WeighedEvidence("upper/stage", 2.6, 0.97, "upper", "counts"),),
        coordinator="land",
        handed_over_to="land",
        handed_over_at="2024-05-01T11:00:00Z",
        answers=(Answered("mid-city", 1, "accepted", "duty office", "2024-05-01T10:45:00Z", "on it"),),
        escalated=(Escalated("lower-city", "joint", "unacknowledged", "2024-05-01T11:00:00Z"),),
        **_PLACE,
        **_REGION,
    ),
    "evidence": Evidence(
        series="upper/stage",
        station="upper",
        quantity="stage",
        observed_at="2024-05-01T11:00:00Z",
        value=5.25,
        unit="m",
        level="orange",
        previous_level="yellow",
        detector="stage",
        score=3.5,
        trend_per_h=0.4,
        weight=1.0,
        quality=1,
        why="stage 5.25 m is above the orange level of 5 m",
        as_of_at="2024-05-01T11:00:05.250Z",
        exceedance=0.998,
        reaches_next_level_in_h=1.9,
        **_PLACE,
    ),
    "station_health": StationHealth(
        domain="basin",
        series="upper/stage",
        station="upper",
        quantity="stage",
        state=StationState.UNIT_MISTAKE,
        previous_state=StationState.SOUND,
        observed_at="2024-05-01T11:00:00Z",
        value=525.0,
        believed=5.2,
        unit="m",
        lane=Lane.LIVE,
        as_of_at="2024-05-01T11:01:00Z",
        **_REGION,
    ),
}
JOURNAL = {
    "measurements": journal.measurements(
        "basin",
        "0123456789abcdef",
        journal.Columns(
            np.array([0, 7], "<i4"), np.array([1_714_561_200_000, 1], "<i8"), np.array([5.25, -0.5]), np.array([0, journal.Flag.LATE], "u1")
        ),
    ),
    "command_activate": journal.Command("activate", "example", "0123456789abcdef", 1_714_561_200_000),
    "command_link_test": journal.Command("link_test", at=1_714_561_200_000),
    "acknowledgement": journal.Acknowledgement(
        "basin", "0123456789abcdef", "lower-city", "w-1f", 2, "rejected", "duty office", "the gauge is being repaired", 5
    ),
    "report": journal.Report(
        "basin",
        "0123456789abcdef",
        "intervention",
        "delay",
        "r1",
        12.5,
        1_714_561_200_000,
        None,
        6.0,
        0.8,
        "duty office",
        "polder opened",
        5,
    ),
    "statement": journal.Statement(
        "basin",
        "0123456789abcdef",
        "lower-city",
        "stm-1f",
        "report",
        "duty officer",
        1_714_561_201_000,
        1_714_561_200_000,
        hazard="spill",
        level="orange",
        confirmed=True,
        reach="r1",
        km=12.5,
        matchers=(("city", "lower-city"),),
        text="oil on the water",
    ),
    "linked_cascade": journal.Linked(
        "lnk-1f",
        2,
        "open",
        "cascade",
        "flood-outbreak",
        "0123456789abcdef",
        "basin",
        "flood",
        "inc-2e",
        "clinics",
        "outbreak",
        1_714_561_201_000,
        1_714_561_203_000,
        1_715_425_200_000,
        1,
        (("inc-2e", "basin", "flood"),),
        1,
        0.25,
        0.5,
        (("lower-city", 1_714_647_600_000, 1_714_820_400_000, 1_715_166_000_000, 0.25, 1),),
    ),
    "linked_same_event": journal.Linked(
        "lnk-2e",
        1,
        "open",
        "same_event",
        "also_in",
        "0123456789abcdef",
        "basin",
        "flood",
        "inc-2e",
        "delta",
        "flood",
        1_714_561_201_000,
        1_714_561_203_000,
        None,
        1,
        (("inc-2e", "basin", "flood"),),
        3,
        seen=journal.Seen(
            "upper/stage", 3, 3, 1_714_561_200_000, 1_714_561_200_000, 5.25, 3.5, "stage", "over", 1, highest=5.25, exceedance=0.99
        ),
    ),
    **SIGNED,
    "tick": journal.Tick(1_714_561_200_000, 2.0, 1_714_561_199_000),
    "tick_closing": journal.Tick(1_714_561_200_000, 2.0, 1_714_561_199_000, closing=True),
}
_BYTES = b'{"value": 1}'
REJECTED = to_record(Refusal(Refused.MISSING_FIELD, "what: do", "measurements.water", 3, 14, 0, _BYTES, digest(_BYTES), len(_BYTES)))


def wire() -> dict[str, bytes]:
    """The content of each golden file by its name."""
    files = {f"{name}.json": msgspec.json.encode(record) for name, record in JSON.items()}
    files["rejected_headers.json"] = msgspec.json.encode({name: value.decode() for name, value in REJECTED.headers})
    files["journal.json"] = json.dumps({name: journal.encode(one).hex() for name, one in JOURNAL.items()}, indent=1).encode()
    return files


if __name__ == "__main__":
    for name, content in wire().items():
        (GOLDEN / name).write_bytes(content + b"\n")
