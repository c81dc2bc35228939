"""The table of roles in words, for the command line and the README."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.runtime.roles import TABLE, Group, Operation, Whose

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHOSE = {Whose.ALL: "", Whose.EACH: " of each city", Whose.OWN: ", its own", Whose.BELOW: " of the cities below it"}
_GROUPS = {
    Group.WORKERS: "the workers' group",
    Group.SHADOWS: "shadows' groups",
    Group.BACKFILL: "intake's group",
    Group.OWN: "groups of its own",
    Group.EVERY: "every group",
}
_SAID = {Operation.READ: "reads", Operation.WRITE: "writes", Operation.DESCRIBE: "describes"}
OTHERS = "may"


class Row(NamedTuple):
    """What one role does to which things."""

    role: str
    what: str
    on: tuple[str, ...]


def rows() -> Iterator[Row]:
    """A row for each role and thing it does.

    >>> [(row.what, row.on) for row in rows() if row.role == "door"]
    [('writes', ('ingest.*, its own',))]
    """
    for role, may in TABLE.items():
        for operation, said in _SAID.items():
            on = [f"{kind}{_WHOSE[grant.whose]}" for grant in may.topics if operation in grant.operations for kind in grant.kinds]
            on += [_GROUPS[group] for done, group in may.groups if done is operation]
            on += ["every topic"] if operation in may.every_topic else []
            on += ["the cluster"] if operation in may.cluster else []
            if on:
                yield Row(role, said, tuple(on))
        for where, operations in (("every topic", may.every_topic), ("the cluster", may.cluster)):
            if more := [str(one) for one in operations if one not in _SAID]:
                yield Row(role, OTHERS, tuple(f"{one} on {where}" for one in more))
