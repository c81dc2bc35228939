"""The service objective and its burn-rate alerts: 99.9 % of the canary's measurements come back, over 30 days.

Warnings themselves are far too few to judge a service by; the canary goes the same way every 30 s, through every partition. The windows and
factors are those of the SRE workbook, chapter 5: a fast burn pages within minutes, a slow one is a ticket.
"""

from __future__ import annotations

from alert import LATE, Alert, Severity

OBJECTIVE = 0.999
BUDGET = 1 - OBJECTIVE
WINDOWS = ("5m", "30m", "1h", "6h", "3d")


def missed(window: str) -> str:
    """The recorded share of the canary's measurements that did not come back."""
    return f"tocsin:canary_missed:ratio_rate{window}"


def recorded() -> list[dict[str, str]]:
    """The recording rules, one for each window."""
    rules = []
    for window in WINDOWS:
        lost = f"sum(rate(tocsin_canary_missed_total[{window}]))"
        back = f"sum(rate(tocsin_canary_answered_total[{window}]))"
        rules.append({"record": missed(window), "expr": f"{lost} / ({lost} + {back})"})
    return rules


def _burn(name: str, severity: Severity, factor: float, long: str, short: str, lost: str) -> Alert:
    limit = f"{factor * BUDGET:.4f}"
    total = {'tocsin_canary_answered_total{door="water"}': "0+24x600"}
    return Alert(
        name, severity, f"{missed(long)} > {limit} and {missed(short)} > {limit}", "2m",
        f"The canary loses measurements {factor:g} times as fast as {OBJECTIVE:.1%} allows (share lost in {long}: {{{{ $value | humanizePercentage }}}})",
        means=f"Measurements or warnings are lost on the way or come too late. At this rate the errors allowed for 30 days are used up in {30 / factor:.1f} days.",
        look=(
            "Dashboard *Tocsin pipeline*, row *Canary*: which doors and partitions do not answer, and since when.",
            "`tocsin doctor --settings FILE`, and the canary's log: it says which partition is silent and who owned it.",
        ),
        do=(
            "One journal partition: restart the worker that holds it. One door partition: the same. All: look at the brokers first.",
            "If it lasts longer than a few minutes, tell the operations centres of the cities concerned.",
        ),
        over=f"The share lost in {short} is 0 again; that in {long} follows. What was lost stays lost in the 30 days: it is on dashboard *Tocsin overview*.", tell=LATE,
        fires={**total, "tocsin_canary_missed_total{door=\"water\"}": lost},
        quiet={**total, "tocsin_canary_missed_total{door=\"water\"}": "0+0x600"},
        fires_at="3h", labels={},
    )  # fmt: skip


ALERTS = (
    _burn("TocsinObjectiveFastBurn", Severity.PAGE, 14.4, "1h", "5m", "0+2x600"),
    _burn("TocsinObjectiveSlowBurn", Severity.PAGE, 6.0, "6h", "30m", "0+0.3x600"),
    _burn("TocsinObjectiveBurn", Severity.TICKET, 1.0, "3d", "6h", "0+0.05x600"),
)
