"""What every part of the footprint speed benchmark reports: rows of one shape, so that one table shows rivers, wind and travel.

A part is a file `footprint_speed_<name>.py` beside this one with `run(small: bool) -> list[Row]`; `footprint_speed.py` finds it by its name.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Row(NamedTuple):
    """One figure. `question`: what was asked, with its size; `by`: who answered ("tocsin", "rustworkx" ...).

    `p50` and `p99` are in `unit`; a figure measured once stands in `p50` and leaves `p99` NaN. `aim` is what it should reach, in words.
    """

    question: str
    by: str
    p50: float
    p99: float = math.nan
    unit: str = "ms"
    aim: str = ""
    note: str = ""


def timed_ms(ask: Callable[[Any], object], questions: Iterable[Any], tries: int = 3) -> tuple[float, float]:
    """Median and 99th percentile over the questions (ms) of `ask(question)`, each the quickest of `tries`.

    The quickest, because the others measure who else uses the machine; the percentiles are about easy and hard questions.
    """
    took = []
    for question in questions:
        quickest = math.inf
        for _ in range(tries):
            began = time.perf_counter()
            ask(question)
            quickest = min(quickest, time.perf_counter() - began)
        took.append(quickest * 1e3)
    took.sort()
    return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.99))]


def table(rows: Iterable[Row]) -> str:
    """The rows as text, in their order."""
    lines = [f"{'question':<82} {'by':<22} {'p50':>10} {'p99':>10} {'unit':<5} aim, note"]
    for row in rows:
        p99 = "" if math.isnan(row.p99) else f"{row.p99:.4g}"
        words = ", ".join(word for word in (row.aim, row.note) if word)
        lines.append(f"{row.question:<82} {row.by:<22} {row.p50:>10.4g} {p99:>10} {row.unit:<5} {words}".rstrip())
    return "\n".join(lines)
