"""What an alert is: its rule, the page of the runbook that explains it, and the two series that show that it fires, and when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """Who is told, and when."""

    PAGE = "page"
    """A person, now: people may not be warned, or may soon not be."""
    TICKET = "ticket"
    """A person, this working day."""


class Told(NamedTuple):
    """A sentence for operations centres, to be read out as it stands."""

    en: str
    zh: str


NOTHING_COMES = Told(
    "For the dangers named, no warning of ours would reach you until we say otherwise. Watch your own gauges and call your neighbours: silence is not an all clear.",
    "在我们另行通知之前，上述灾种的预警可能无法送达贵市。请自行加强监测，并与上下游城市电话联系：没有消息不等于解除。",
)
LATE = Told(
    "Our warnings may come late until we say otherwise. What you have been told stands.",
    "在我们另行通知之前，预警可能延迟送达。已发布的预警继续有效。",
)
UNANSWERED = Told(
    "We do not read your answers and reports at the moment: a warning that you answered may come again and go up to the next above you. Report dangers by telephone.",
    "目前系统无法读取贵市的确认和上报：已确认的预警可能重复发送并上报上级。发现险情请电话报告。",
)
AGAIN = Told("It works again. Read what stands on your topic now.", "系统已恢复正常。请查看贵市当前有效的预警和状态。")
"""When it is over, whoever was told is told this."""


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
    over: str
    """How to see that it is over, where the alert's own end does not say so."""
    fires: Mapping[str, str]
    quiet: Mapping[str, str]
    fires_at: str = "30m"
    labels: Mapping[str, str] | None = None
    tell: Told | None = None
    """What the cities' operations centres are told, if they have to be."""
