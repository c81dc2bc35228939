"""What an alert is: its rule, the page of the runbook that explains it, and the two series that show that it fires, and when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """Who is told, and when."""

    PAGE = "page"
    """A person, now: people may not be warned, or may soon not be."""
    TICKET = "ticket"
    """A person, this working day."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Series are in promtool's notation, one value a minute.

    `fires` are the input series with which it fires at `fires_at`; with `quiet` it never does. `labels` are those of the alert that fires.
    """

    name: str
    severity: Severity
    expr: str
    wait: str
    """How long the expression must hold (`for`)."""
    summary: str
    """One line; may use {{ $labels.x }} and {{ $value }}."""
    means: str
    """What it means for the cities."""
    look: tuple[str, ...]
    """What to look at, in this order."""
    do: tuple[str, ...]
    """What to do, in this order."""
    fires: Mapping[str, str]
    quiet: Mapping[str, str]
    fires_at: str = "30m"
    labels: Mapping[str, str] | None = None
