"""One filled-in record of each kind that says how alert people are to be, or where they disagree; `tests.records.samples` takes them in."""

from __future__ import annotations

from stream.records.discrepancy import Discrepancy, DiscrepancyKind
from stream.records.posture import Because, DomainPosture, Posture, Sampling
from stream.records.warning import ExerciseNotice, Lane, Texts

ALERTNESS = {
    "exercise_notice": ExerciseNotice(
        exercise_id="spring",
        city_id="lower-city",
        lane=Lane.EXERCISE,
        phase="announced",
        kind="scheduled",
        title=Texts("春季演习", "Spring exercise"),
        sent_at="2024-05-01T11:00:00Z",
        begins_at="2024-05-01T12:00:00Z",
        ends_at="2024-05-01T13:00:00Z",
        text=Texts("演习：将开始", "EXERCISE: will begin"),
    ),
    "posture": DomainPosture(
        domain="basin",
        lane=Lane.LIVE,
        posture=Posture.EMERGENCY,
        previous=Posture.WATCH,
        reason=Because.CONFIRMED_DANGER,
        since_at="2024-05-01T11:00:00Z",
        as_of_at="2024-05-01T11:00:00Z",
        incidents=("i-2e",),
        sampling=(Sampling("stage", 150.0),),
        region="example",
        region_hash="0123456789abcdef",
    ),
    "discrepancy": Discrepancy(
        discrepancy_id="dsc-1f",
        kind=DiscrepancyKind.CONTRADICTS_SENSORS,
        state="open",
        city_id="lower-city",
        statement_id="stm-1f",
        by="duty officer",
        stated_level="none",
        found_level="orange",
        series=("lower/stage",),
        since_at="2024-05-01T11:00:00Z",
        as_of_at="2024-05-01T11:00:00Z",
        note="",
        text=Texts("不一致", "does not agree"),
        domain="basin",
        hazard="flood",
        lane=Lane.LIVE,
        region="example",
        region_hash="0123456789abcdef",
    ),
}
