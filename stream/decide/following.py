"""How a warning says that it is no measurement but what another danger may bring: the cause, the chance, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.decide.stated import LINKED

if TYPE_CHECKING:
    from stream.decide.scene import Scene

KINDS = {"alert": "linked", "update": "linked_update"}
"""The template of a message led by a consequence of another danger, by that of a measurement."""


def kind_of(series: str, kind: str) -> str:
    """The template of a message that this series leads.

    >>> kind_of("linked/flood-outbreak/lnk-1", "alert"), kind_of("upper/stage", "alert"), kind_of("linked/a/b", "all_clear")
    ('linked', 'alert', 'all_clear')
    """
    return KINDS.get(kind, kind) if series.startswith(f"{LINKED}/") else kind


def words(scene: Scene, series: str, language: str) -> dict[str, str]:
    """The cause by its name, and why one follows the other, as the region's rule says; nothing for any other series."""
    kind, _, rest = series.partition("/")
    rule = next((one for one in scene.region.cascades if one.name == rest.partition("/")[0]), None) if kind == LINKED else None
    if rule is None:
        return {"cause": "-", "because": "-"} if kind == LINKED else {}
    cause = next((one for one in scene.region.hazards if one.hazard == rule.cause), None)
    name = rule.cause if cause is None else cause.texts.get(language, {}).get("name", rule.cause)
    return {"cause": name, "because": rule.texts.get(language, "-")}
