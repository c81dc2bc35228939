"""Which warning, and which revision of it, somebody asks about: by its id, by the identifier of its CAP alert, or by its city."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from stream.errors import TocsinError
from stream.records.instants import from_text
from stream.warnings.reading import LEVELS, is_active

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.records.warning import CityWarning

_OF_CAP = re.compile(r"(wrn-[0-9a-f]+)-(\d+)")
NAMED = 8


class Asked(NamedTuple):
    """What is asked about: the id of a warning or of a city; `revision`: None = the newest."""

    name: str
    revision: int | None = None


def asked(name: str, revision: int | None = None) -> Asked:
    """The question, with the revision out of a CAP identifier where it is one.

    >>> asked("wrn-0a1b-3"), asked("harbin")
    (Asked(name='wrn-0a1b', revision=3), Asked(name='harbin', revision=None))
    """
    of_cap = _OF_CAP.fullmatch(name.strip())
    if of_cap is not None and revision is None:
        return Asked(of_cap[1], int(of_cap[2]))
    return Asked(of_cap[1] if of_cap is not None else name.strip(), revision)


def chosen(question: Asked, warnings: Sequence[CityWarning], now: int) -> CityWarning:
    """The revision asked about; for a city the worst warning that stands at `now` (ms), else the one told last.

    TocsinError says which warnings or revisions there are instead.
    """
    of_id = [one for one in warnings if one.warning_id == question.name]
    if not of_id:
        of_city = _newest(one for one in warnings if one.city_id == question.name)
        if not of_city:
            raise TocsinError(_nothing(question.name, warnings))
        worst = max(of_city, key=lambda one: (is_active(one, now), LEVELS.index(one.level), from_text(one.sent_at), one.warning_id))
        of_id = [one for one in warnings if one.warning_id == worst.warning_id]
    by_revision = {one.revision: one for one in of_id}
    if question.revision is None:
        return by_revision[max(by_revision)]
    if question.revision not in by_revision:
        known = ", ".join(map(str, sorted(by_revision)))
        msg = f"{of_id[0].warning_id} has no revision {question.revision} that is still kept; there are {known}"
        raise TocsinError(msg)
    return by_revision[question.revision]


def _newest(warnings: Iterable[CityWarning]) -> list[CityWarning]:
    found: dict[str, CityWarning] = {}
    for one in warnings:
        if one.warning_id not in found or one.revision > found[one.warning_id].revision:
            found[one.warning_id] = one
    return list(found.values())


def _nothing(name: str, warnings: Sequence[CityWarning]) -> str:
    newest = sorted(_newest(warnings), key=lambda one: one.sent_at, reverse=True)[:NAMED]
    known = "; ".join(f"{one.warning_id} ({one.city_id}, {one.hazard}, {one.level}, {one.sent_at})" for one in newest)
    return f"there is no warning {name!r}, and no city of that id was warned; the newest are {known or 'none at all'}"
