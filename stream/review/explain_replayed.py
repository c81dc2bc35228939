"""The records of a chain without a broker: files of measurements or a recorded journal are decided again, and everything is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stream.records import journal
from stream.records.incident import Incident
from stream.records.output import Kind
from stream.records.warning import CityWarning, Evidence, StationHealth
from stream.review.explain_facts import Heard, Kept
from stream.review.replay import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.records.output import Output
    from stream.region.model import Region
    from stream.review.journal_file import Header, Recorded


def kept_of(regions: Sequence[Region], header: Header, records: Sequence[Recorded]) -> Kept:
    """Every record of the chain that this journal leads to, and the journal itself."""
    kept = Kept(journal=[Heard(one.timestamp, journal.decode(one.value)) for one in records])
    for output in decide(regions, header, records):
        note(kept, output)
    return kept


def note(kept: Kept, output: Output) -> None:
    """Keep what belongs to chains; a city's own topic says nothing that `warnings` does not."""
    if output.value is None:
        return
    match output.kind:
        case Kind.WARNINGS:
            kept.warnings.append(msgspec.json.decode(output.value, type=CityWarning))
        case Kind.INCIDENTS:
            kept.incidents.append(msgspec.json.decode(output.value, type=Incident))
        case Kind.EVIDENCE:
            kept.evidence.append(msgspec.json.decode(output.value, type=Evidence))
        case Kind.STATION_HEALTH:
            kept.health.append(msgspec.json.decode(output.value, type=StationHealth))
        case _:
            return
