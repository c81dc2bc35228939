"""`[rules]` of a hazard file: the life cycle of its warnings, each number within what makes sense."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from stream.region.model import Rules

if TYPE_CHECKING:
    from stream.region.fields import Fields

_YEAR_S = 366 * 86_400.0
_SECONDS = (0.0, _YEAR_S)
LIMITS = {
    "validity_s": (1.0, _YEAR_S),
    "silent_after_intervals": (1.0, 1_000.0),
    "status_valid_s": (1.0, _YEAR_S),
    "grid_step_s": (1.0, _YEAR_S),
    "arrival_change": (0.0, 1.0),
    "min_probability": (0.0, 1.0),
    "foretold_probability": (0.0, 1.0),
    "min_coverage": (0.0, 1.0),
    "watch": (0.0, 1.0),
    "remote_level_drop": (0.0, 4.0),
    "revisions_per_hour": (0.0, 3_600.0),
}
"""Every other rule is a duration of up to a year."""


def read_rules(table: Fields | None) -> Rules:
    """The rules of a hazard; what is not given keeps its default (see `model.Rules`)."""
    if table is None:
        return Rules()
    given = {rule.name: table.number(rule.name, *LIMITS.get(rule.name, _SECONDS)) for rule in fields(Rules)}
    table.no_more()
    rules = Rules(**{name: value for name, value in given.items() if value is not None})
    if rules.watch > rules.min_probability:
        fix = f"give at most min_probability ({rules.min_probability:g})"
        table.problem("watch", f"{rules.watch:g} is above the probability of a warning", fix)
    if rules.status_valid_s <= rules.grid_step_s:
        fix = f"give more than grid_step_s ({rules.grid_step_s:g})"
        table.problem("status_valid_s", f"a status would lapse after {rules.status_valid_s:g} s, before the next one is due", fix)
    return rules
