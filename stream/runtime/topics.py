"""Every topic Tocsin uses: name, partitions, replication and configuration, in one place.

`plan` says what must exist, `stream/runtime/topic_admin.py` creates and checks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.errors import TocsinError
from stream.records.canary import CITY, PRINCIPAL
from stream.records.lanes import lane_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stream.records.lanes import Lane
    from stream.settings import Settings

DOORS = ("water", "air", "health")
"""What the doors are called: `measurements.<door>`."""
REJECTED_PARTITIONS = 4
DAY_MS = 86_400_000
JOURNAL_DAYS = 28
SNAPSHOTS_LONGER_DAYS = 7
"""Topics expire by whole segments: the snapshot that the oldest record of the journal follows must still be there."""
LONGEST = 9_223_372_036_854_775_807
MESSAGE_BYTES = 1_048_588
"""Kafka's usual limit for a batch of records; what gets through a door is at most this long."""
REJECTED_BYTES = MESSAGE_BYTES + 65_536
"""A door's longest record with the headers that say why it was refused."""
_CITY_ID = re.compile(r"[a-z0-9-]{1,64}")
_LATE = "late"
_RESERVED = (_LATE, CITY)


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics of one lane.

    >>> Topics("").doors
    ('measurements.water', 'measurements.air', 'measurements.health')
    >>> Topics("exercise.").city("wuhan"), Topics("").warnings_late
    ('exercise.warnings.wuhan', 'warnings.late')
    >>> Topics("", generation=2).journal
    'journal.2'
    """

    prefix: str
    generation: int = 1
    """Which journal, with all that belongs to its offsets: `tocsin rebuild` makes new ones."""

    @classmethod
    def of(cls, settings: Settings) -> Topics:
        """The topics that a process with these settings uses."""
        return cls(settings.prefix, settings.generation)

    def _of_generation(self, name: str) -> str:
        return f"{self.prefix}{name}" if self.generation == 1 else f"{self.prefix}{name}.{self.generation}"

    @property
    def lane(self) -> Lane:
        """Whose topics these are."""
        return lane_of(self.prefix)

    @property
    def doors(self) -> tuple[str, ...]:
        """What gateways write to."""
        return tuple(f"{self.prefix}measurements.{door}" for door in DOORS)

    @property
    def backfill(self) -> tuple[str, ...]:
        """The doors of history, so that it delays nothing that is live."""
        return tuple(f"{self.prefix}backfill.{door}" for door in DOORS)

    @property
    def journal(self) -> str:
        """Everything that happened, in one order per partition."""
        return self._of_generation("journal")

    @property
    def rejected(self) -> str:
        """What was refused at a door, with its reason."""
        return f"{self.prefix}rejected"

    @property
    def audit(self) -> str:
        """What was refused because of who said it."""
        return f"{self.prefix}audit"

    def ingest(self, principal_id: str) -> str:
        """The door of one principal, read by intake; TocsinError for an id that cannot be a topic name."""
        if not _CITY_ID.fullmatch(principal_id):
            msg = f"principal id {principal_id!r}: use 1 to 64 of a-z, 0-9 and -"
            raise TocsinError(msg)
        return f"{self.prefix}ingest.{principal_id}"

    @property
    def warnings(self) -> str:
        """What is active now: compacted, key warning_id."""
        return f"{self.prefix}warnings"

    @property
    def warnings_late(self) -> str:
        """Warnings that had expired or were superseded before they could be sent."""
        return f"{self.prefix}warnings.{_LATE}"

    @property
    def warnings_canary(self) -> str:
        """What `tocsin canary` reads back."""
        return f"{self.prefix}warnings.{CITY}"

    @property
    def city_status(self) -> str:
        """Compacted, key city_id/hazard/domain."""
        return f"{self.prefix}city_status"

    @property
    def incidents(self) -> str:
        """Compacted, key incident_id."""
        return f"{self.prefix}incidents"

    @property
    def evidence(self) -> str:
        """Changes of what detectors find."""
        return f"{self.prefix}evidence"

    @property
    def postures(self) -> str:
        """How alert each domain is: compacted, key domain."""
        return f"{self.prefix}postures"

    @property
    def discrepancies(self) -> str:
        """Where reports and measurements do not agree: compacted, key discrepancy_id."""
        return f"{self.prefix}discrepancies"

    @property
    def station_health(self) -> str:
        """What is wrong with stations: compacted, key series."""
        return f"{self.prefix}station_health"

    @property
    def checkpoints(self) -> str:
        """Compacted: states of the fold."""
        return self._of_generation("checkpoints")

    @property
    def snapshots(self) -> str:
        """States of the fold, one a day, as long as the journal."""
        return self._of_generation("snapshots")

    @property
    def regions(self) -> str:
        """Compacted: region bundles and which is active."""
        return f"{self.prefix}regions"

    @property
    def marks(self) -> str:
        """Compacted: up to when each door partition is in the journal."""
        return f"{self.prefix}marks"

    def city(self, city_id: str) -> str:
        """What one city reads; TocsinError for an id that cannot be a topic name or is reserved."""
        if city_id in _RESERVED or not _CITY_ID.fullmatch(city_id):
            msg = f"city id {city_id!r}: use 1 to 64 of a-z, 0-9 and -, and not {' or '.join(_RESERVED)}"
            raise TocsinError(msg)
        return f"{self.prefix}warnings.{city_id}"

    def acknowledgements(self, city_id: str) -> str:
        """What one city answers on; TocsinError for an id that cannot be a topic name."""
        self.city(city_id)
        return f"{self.prefix}acknowledgements.{city_id}"

    def door_of(self, topic: str) -> str:
        """The door (`water`, `air`, `health`) of a door topic.

        >>> Topics("x.").door_of("x.measurements.air")
        'air'
        """
        return DOORS[self.doors.index(topic)]


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """One topic as it must be."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


def plan(settings: Settings, city_ids: Iterable[str], principal_ids: Iterable[str] = ()) -> tuple[TopicPlan, ...]:
    """Every topic of this lane, those of cities (and of administrations that may have to take over) last: what each reads and answers on.

    `principal_ids`: those that have a door of their own.

    >>> from stream.settings import Settings
    >>> [t.name for t in plan(Settings(partitions=2), ["a"])][-2:]
    ['warnings.a', 'acknowledgements.a']
    """
    topics = Topics.of(settings)
    parts = settings.partitions
    shared = {
        "min.insync.replicas": "2" if settings.replication >= 3 else "1",  # noqa: PLR2004
        "max.message.bytes": str(MESSAGE_BYTES),
    }
    lane = {**shared, **_time(settings)}
    # Our own book-keeping is in the broker's time on every lane.
    own = {**shared, "message.timestamp.type": "LogAppendTime"}

    def made(name: str, partitions: int, *configs: Mapping[str, str]) -> TopicPlan:
        return TopicPlan(name, partitions, settings.replication, {key: value for part in configs for key, value in part.items()})

    def kept(days: int) -> dict[str, str]:
        return {"cleanup.policy": "delete", "retention.ms": str(days * DAY_MS) if settings.clock == "broker" else "-1"}

    cities = sorted(set(city_ids))
    return (
        *(made(door, parts, lane, kept(21)) for door in (*topics.doors, *topics.backfill)),
        made(topics.journal, settings.journal_width, lane, kept(JOURNAL_DAYS)),
        made(topics.rejected, REJECTED_PARTITIONS, lane, kept(90), {"max.message.bytes": str(REJECTED_BYTES)}),
        made(topics.audit, parts, lane, kept(730)),
        made(topics.warnings, parts, lane, _compacted(settings)),
        made(topics.city_status, parts, lane, _compacted(settings)),
        made(topics.incidents, parts, lane, _compacted(settings)),
        made(topics.evidence, parts, lane, kept(730)),
        made(topics.postures, parts, lane, _compacted(settings)),
        made(topics.discrepancies, parts, lane, _compacted(settings)),
        made(topics.station_health, parts, lane, _compacted(settings)),
        made(topics.checkpoints, settings.journal_width, own, _PROMPT),
        made(topics.snapshots, settings.journal_width, own, kept(JOURNAL_DAYS + SNAPSHOTS_LONGER_DAYS)),
        made(topics.regions, 1, own, _PROMPT),
        made(topics.marks, 1, own, _PROMPT),
        made(topics.warnings_late, 1, lane, kept(365)),
        made(topics.warnings_canary, 1, lane, kept(7)),
        *(made(topics.ingest(one), 1, own, kept(21)) for one in sorted({PRINCIPAL, *principal_ids})),
        *(made(topics.city(city_id), 1, lane, kept(365), _SMALL) for city_id in cities),
        # When an answer was given is when the broker took it, on every lane.
        *(made(topics.acknowledgements(city_id), 1, own, kept(365), _SMALL) for city_id in cities),
    )


def _time(settings: Settings) -> dict[str, str]:
    if settings.clock == "broker":
        return {"message.timestamp.type": "LogAppendTime"}
    # A replay's records carry the time of observation: any year is right, and a year's records make no new segments.
    return {
        "message.timestamp.type": "CreateTime",
        "message.timestamp.after.max.ms": str(LONGEST),
        "message.timestamp.before.max.ms": str(LONGEST),
        "segment.ms": str(LONGEST),
    }


def _compacted(settings: Settings) -> dict[str, str]:
    prompt = {
        "cleanup.policy": "compact",
        "segment.bytes": "16777216",
        "min.cleanable.dirty.ratio": "0.2",
        "delete.retention.ms": str(7 * DAY_MS),
    }
    return {**prompt, "segment.ms": str(DAY_MS)} if settings.clock == "broker" else prompt


_SMALL = {"segment.bytes": "16777216"}
# Rewritten every second and read from the beginning at every assignment: only what is needed may remain. 1 MiB is Kafka's least segment.
_PROMPT = {
    "cleanup.policy": "compact",
    "segment.bytes": "4194304",
    "segment.ms": "300000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "300000",
    "delete.retention.ms": "3600000",
}
