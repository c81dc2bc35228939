"""The question turned round: where on the river may a danger found here have started, and when did it leave there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.records.instants import from_text
from topology.base import Passage, TopologyError
from topology.jobson import front_hours
from topology.river_solute import SoluteGraph
from topology.upstream import Belief, Clean, likeliest, suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.footprints.question import Question
    from topology.base import Source
    from topology.upstream import Suspect


class Suspected(NamedTuple):
    """The likeliest reaches, the likeliest first; `others`: how many more, with together `rest` of the probability."""

    told: tuple[Suspect, ...]
    others: int
    rest: float


def suspected(question: Question, clean: Sequence[Clean], count: int = 12) -> Suspected:
    """Where it may have started, by the hazard's own clock. TocsinError where it goes by no river or a place is off the network.

    `clean`: places where it was looked for and not found.
    """
    if question.course is None:
        msg = f"{question.hazard.hazard} goes by {question.hazard.footprint}: only a river has an upstream"
        raise TocsinError(msg)
    graph, source = question.hazard.graph, question.source
    solute = isinstance(graph, SoluteGraph)
    # A solute's clock tells its peak; what is found first is its front.
    belief = Belief(log_sd=graph.parameters["log_sd"], factor=front_hours(1.0) if solute else 1.0)
    clock, network = graph.solute_clock if solute else graph.wave_clock, question.course.network
    try:
        found = suspects(network, clock, [Passage(source.reach, source.reach_km, source.onset_at)], clean, belief)
    except TopologyError as error:
        raise TocsinError(str(error)) from error
    told = likeliest(network, found, count, belief)
    return Suspected(told, max(0, len(found.reach) - len(told)), max(0.0, 1.0 - math.fsum(one.probability for one in told)))


def clean_place(text: str, place: Callable[[str], Source]) -> Clean:
    """A place found clean, told as `PLACE@TIME`; `place` understands the place. TocsinError where it is not that, or on no river."""
    where, _, when = text.rpartition("@")
    try:
        at = from_text(when)
    except ValueError as error:
        msg = f"--clean {text!r}: write PLACE@TIME, as in mulan@2005-11-24T16:00:00Z ({error})"
        raise TocsinError(msg) from error
    found = place(where)
    return Clean(found.reach, found.reach_km, at)
