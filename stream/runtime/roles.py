"""Who may what: one table of roles, kinds of topics and operations, from which access control lists, the README's table and the tests are made.

Whatever is not in it is refused. The service's own roles (worker, intake) stand for all cities at once, by the beginning of the topics' names,
so that a region's new cities can be warned the moment they are there. Everybody else is let to topics one by one: `warnings.wu` is not
`warnings.wuhan`. Exact case counts stand on the doors, `journal`, `checkpoints`, `snapshots`, `rejected`, `warnings` and `warnings.late`, which
are for the service alone and for whoever operates it, and in what a city itself is sent, which that city reads and the body that stands above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(StrEnum):
    """What somebody is for. A principal may have several."""

    INSTALLER = "installer"
    WORKER = "worker"
    INTAKE = "intake"
    GATEWAY = "gateway"
    DOOR = "door"
    """A producer of its own door `ingest.<id>`."""
    CANARY = "canary"
    CENTRE = "centre"
    """One city's."""
    COORDINATOR = "coordinator"
    """One body's that stands above cities."""
    OPERATOR = "operator"
    """Whoever runs `status`, `explain`, `archive`, `journal save`, `rebuild --check` and `upgrade check`."""
    AUDITOR = "auditor"
    SRE = "sre"


OF_ONE = frozenset({Role.DOOR, Role.CENTRE, Role.COORDINATOR})
"""Roles that are somebody's in particular: a door's, a city's, a body's."""


class Operation(StrEnum):
    """What can be done to a topic, a consumer group or the cluster, as Kafka names it."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DELETE = "Delete"
    ALTER = "Alter"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


IMPLIED: Mapping[Operation, Operation] = {
    Operation.READ: Operation.DESCRIBE,
    Operation.WRITE: Operation.DESCRIBE,
    Operation.DELETE: Operation.DESCRIBE,
    Operation.ALTER: Operation.DESCRIBE,
    Operation.ALTER_CONFIGS: Operation.DESCRIBE_CONFIGS,
}
"""What Kafka allows whoever may do the first."""


class Kind(StrEnum):
    """The kinds of topics."""

    DOORS = "measurements.*"
    BACKFILL = "backfill.*"
    INGEST = "ingest.*"
    JOURNAL = "journal"
    CHECKPOINTS = "checkpoints"
    SNAPSHOTS = "snapshots"
    MARKS = "marks"
    REGIONS = "regions"
    REJECTED = "rejected"
    AUDIT = "audit"
    WARNINGS = "warnings"
    WARNINGS_LATE = "warnings.late"
    CITY_STATUS = "city_status"
    INCIDENTS = "incidents"
    EVIDENCE = "evidence"
    POSTURES = "postures"
    DISCREPANCIES = "discrepancies"
    STATION_HEALTH = "station_health"
    WARNINGS_CANARY = "warnings.canary"
    CITIES = "warnings.<city>"
    ANSWERS = "acknowledgements.<city>"


class Whose(StrEnum):
    """Which topics of a kind that each city, body or principal has one of."""

    ALL = "all"
    """Also those of cities that come later."""
    EACH = "each"
    """One by one, those of the active regions."""
    OWN = "own"
    BELOW = "below"
    """Of the cities below a body."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on topics of some kinds. `whose` counts for INGEST, CITIES and ANSWERS."""

    operations: tuple[Operation, ...]
    kinds: tuple[Kind, ...]
    whose: Whose = Whose.ALL


class Group(StrEnum):
    """Consumer groups, by what they are of."""

    WORKERS = "workers"
    SHADOWS = "shadows"
    """Of workers of a coming fold version, `<workers>-shadow-<version>`."""
    BACKFILL = "backfill"
    OWN = "own"
    """Everything that begins with `<role>-<whose>.`, of roles of which there is one only `<role>.`."""
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Everything a role may do."""

    topics: tuple[Grant, ...]
    groups: tuple[tuple[Operation, Group], ...] = ()
    cluster: tuple[Operation, ...] = ()
    every_topic: tuple[Operation, ...] = ()
    """Operations on whatever topic there is on the cluster."""


_R, _W, _D = (Operation.READ,), (Operation.WRITE,), (Operation.DESCRIBE,)
_OPEN = (Kind.CITY_STATUS, Kind.INCIDENTS, Kind.EVIDENCE, Kind.POSTURES, Kind.DISCREPANCIES, Kind.STATION_HEALTH)
"""In which counts of other cities stand in bands: nothing that points at a person."""

TABLE: Mapping[Role, Permissions] = {
    Role.INSTALLER: Permissions(
        topics=(Grant((*_R, *_W), (Kind.REGIONS,)),),
        groups=((Operation.DESCRIBE, Group.EVERY),),
        # Access control lists and users; not what a broker is set to.
        cluster=(Operation.ALTER, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
        every_topic=(Operation.CREATE, Operation.ALTER, Operation.ALTER_CONFIGS),
    ),
    Role.WORKER: Permissions(
        topics=(
            Grant((*_R, *_W), (Kind.JOURNAL, Kind.CHECKPOINTS, Kind.SNAPSHOTS, Kind.MARKS, Kind.WARNINGS)),
            # Which fold version is in force stands on `regions`. One that takes over reads what the cities were told last; the beginning of
            # their topics' names is that of the other two.
            Grant((*_R, *_W), (Kind.REGIONS, Kind.CITIES, Kind.WARNINGS_CANARY, Kind.WARNINGS_LATE)),
            Grant(_R, (Kind.DOORS,)),
            Grant(_W, (Kind.REJECTED, Kind.AUDIT, *_OPEN)),
            Grant(_D, (Kind.BACKFILL, Kind.INGEST, Kind.ANSWERS)),  # that they are there
        ),
        groups=((Operation.READ, Group.WORKERS), (Operation.READ, Group.SHADOWS)),
    ),
    Role.INTAKE: Permissions(
        topics=(
            Grant((*_R, *_W), (Kind.MARKS,)),
            Grant(_R, (Kind.BACKFILL, Kind.INGEST, Kind.ANSWERS, Kind.REGIONS, Kind.WARNINGS)),
            Grant(_W, (Kind.JOURNAL, Kind.REJECTED, Kind.AUDIT)),
            # How far the workers are, and that everything is there.
            Grant(_D, (Kind.DOORS, Kind.CHECKPOINTS, Kind.SNAPSHOTS, Kind.CITIES, Kind.WARNINGS_CANARY, Kind.WARNINGS_LATE, *_OPEN)),
        ),
        groups=((Operation.READ, Group.BACKFILL), (Operation.DESCRIBE, Group.WORKERS)),
    ),
    Role.GATEWAY: Permissions(topics=(Grant(_W, (Kind.DOORS, Kind.BACKFILL, Kind.REJECTED, Kind.AUDIT)), Grant(_R, (Kind.REGIONS,)))),
    Role.DOOR: Permissions(topics=(Grant(_W, (Kind.INGEST,), Whose.OWN),)),
    Role.CANARY: Permissions(
        topics=(
            Grant(_W, (Kind.DOORS,)),
            Grant(_W, (Kind.INGEST,), Whose.OWN),
            Grant(_R, (Kind.WARNINGS_CANARY,)),
            Grant(_D, (Kind.JOURNAL,)),
        )
    ),
    Role.CENTRE: Permissions(
        topics=(
            Grant(_R, (Kind.CITIES,), Whose.OWN),
            Grant((*_R, *_W), (Kind.ANSWERS,), Whose.OWN),
            Grant(_R, (Kind.REGIONS, Kind.INCIDENTS)),
        ),
        groups=((Operation.READ, Group.OWN),),
    ),
    Role.COORDINATOR: Permissions(
        topics=(
            Grant(_R, (Kind.CITIES,), Whose.OWN),
            Grant(_R, (Kind.CITIES, Kind.ANSWERS), Whose.BELOW),
            Grant((*_R, *_W), (Kind.ANSWERS,), Whose.OWN),
            Grant(_R, (Kind.REGIONS, *_OPEN)),
        ),
        groups=((Operation.READ, Group.OWN),),
    ),
    Role.OPERATOR: Permissions(
        topics=(
            Grant(_R, (Kind.JOURNAL, Kind.CHECKPOINTS, Kind.SNAPSHOTS, Kind.REGIONS, Kind.WARNINGS, *_OPEN)),
            Grant(_R, (Kind.CITIES,), Whose.EACH),  # what a city was told, which `explain` explains
        ),
    ),
    Role.AUDITOR: Permissions(
        topics=(Grant(_R, (Kind.AUDIT, Kind.REGIONS, *_OPEN)), Grant(_R, (Kind.ANSWERS,), Whose.EACH)),
        groups=((Operation.READ, Group.OWN),),
    ),
    Role.SRE: Permissions(
        topics=(Grant(_R, (Kind.REGIONS,)),),  # what is configured; nothing that was measured, told or answered
        groups=((Operation.DESCRIBE, Group.EVERY),),
        cluster=(Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
        every_topic=(Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS),
    ),
}
"""Everything that is allowed."""
