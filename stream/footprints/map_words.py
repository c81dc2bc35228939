"""What the map says about a city: its colour by chance, its hours, its names as far as the machine can write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stream.footprints.fonts import font_for

if TYPE_CHECKING:
    from stream.region.model import City
    from topology.base import Impact

Colour = tuple[int, int, int]
CHANCES: tuple[tuple[float, Colour, str], ...] = (
    (0.75, (190, 30, 45), "75 % and more"),
    (0.5, (238, 125, 50), "50 to 75 %"),
    (0.25, (245, 196, 60), "25 to 50 %"),
    (0.0, (98, 160, 214), "below 25 %"),
)
"""Least chance, colour, words; from dark and warm to cold, so that also a grey print keeps the order."""
NOT_REACHED: Colour = (200, 200, 200)
_WORDS_PER_LINE, _SIZE = 44, 20


def colour_of(probability: float) -> Colour:
    """The colour of a chance."""
    return next(colour for least, colour, _ in CHANCES if probability >= least)


def moment(at: int, *, day: bool = True) -> str:
    """An instant (ms) for a label, UTC.

    >>> moment(1_700_000_000_000)
    '14 Nov 22:13'
    """
    when = datetime.fromtimestamp(at / 1000.0, UTC)
    return f"{when.day} {when:%b %H:%M}" if day else f"{when:%H:%M}"


def when(impact: Impact) -> str:
    """The hour to expect it, or that it is unknown."""
    return moment(impact.arrival.p50_at) if impact.arrival else "time unknown"


def window(impact: Impact) -> str:
    """Between when and when, or why nobody can say."""
    if impact.arrival is None:
        return impact.unknown_because
    return f"{moment(impact.arrival.p10_at)} to {moment(impact.arrival.p90_at)}"


def likely(probability: float) -> str:
    """A chance in words that are never more certain than the model.

    >>> likely(0.9999), likely(0.42), likely(0.001)
    ('over 99 %', '42 %', 'below 1 %')
    """
    if probability > 0.99:  # noqa: PLR2004  the words say so
        return "over 99 %"
    return "below 1 %" if probability < 0.01 else f"{math.floor(100.0 * probability + 0.5)} %"  # noqa: PLR2004


def english(city: City) -> str:
    """The English name, or the id where this machine has no letters for it."""
    name = city.names.get("en", city.city_id)
    return name if font_for(name, _SIZE) else city.city_id


def in_chinese(city: City) -> str:
    """The Chinese name, "" where this machine has no letters for it or it is not Chinese."""
    name = city.names.get("zh", "")
    return name if name != city.names.get("en") and font_for(name, _SIZE) else ""


def wrapped(text: str, width: int = _WORDS_PER_LINE) -> list[str]:
    """The text in lines of at most `width` letters, broken between words.

    >>> wrapped("no wind measured yet", 8)
    ['no wind', 'measured', 'yet']
    """
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
