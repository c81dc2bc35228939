"""Which incidents belong together: what CAP's `incidents` names beside an alert's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.records.incident import Incident


def related(incident_id: str, incidents: Iterable[Incident]) -> tuple[str, ...]:
    """The ids of its causes and consequences, of what it was merged with and split from or into; by the newest records, in their order."""
    found: list[str] = []
    for one in {record.incident_id: record for record in sorted(incidents, key=lambda record: record.revision)}.values():
        ties = [*one.linked_to, one.merged_into, one.split_from]
        if one.incident_id == incident_id:
            found += ties
        elif incident_id in ties:
            found.append(one.incident_id)
    return tuple(dict.fromkeys(name for name in found if name and name != incident_id))
