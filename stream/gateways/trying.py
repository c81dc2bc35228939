"""What an installer sees of a payload: each item as the service would have it, its verdict, and why. Nothing is sent anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.gateways.judging import series_of
from stream.gateways.verdict import Item
from stream.records.instants import to_text
from stream.records.journal import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.gateways.judging import Judge, Kept
    from stream.gateways.verdict import Judged, Verdict, Wrong

LATE_NOTE = "late: updates baselines, raises nothing live"
SUSPECT_NOTE = "its quality marks it as doubtful"


class Tried(NamedTuple):
    """One item: where it stands, its series, the value in the unit of the series, when (UTC) and in which domain; `note`: why not, or what to know."""

    item: int
    path: str
    series: str
    value: float | None
    unit: str
    observed_at: str
    domain: str
    verdict: Verdict
    note: str


def tried(judge: Judge, found: Sequence[Item | Wrong], now: int) -> list[Tried]:
    """What would become of each item at this instant (ms), in order."""
    judged, records = judge.judge(found, now)
    kept = {single.items[0]: judge.kept(single, now) for record in records for single in judge.single(record)}
    return [_tried(judge, one, said, kept.get(said.item)) for one, said in zip(found, judged, strict=True)]


def _tried(judge: Judge, one: Item | Wrong, said: Judged, kept: Kept | None) -> Tried:
    path = said.path or one.path
    if kept is None:
        series = series_of(one.fields) if isinstance(one, Item) else ""
        return Tried(said.item, path, series, None, "", "", judge.domain_of(series), said.verdict, said.error)
    notes = [text for flag, text in ((Flag.LATE, LATE_NOTE), (Flag.SUSPECT, SUSPECT_NOTE)) if kept.flags & flag]
    row = (kept.series, kept.value, judge.unit_of(kept.series), to_text(kept.observed_at), kept.domain)
    return Tried(said.item, path, *row, said.verdict, "; ".join(notes))
