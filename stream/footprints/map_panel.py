"""The list beside the map: what happened where, who is reached when and how surely, who leads, and what the colours mean."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from stream.footprints.fonts import built_in, written
from stream.footprints.map_words import CHANCES, NOT_REACHED, colour_of, english, in_chinese, likely, moment, when, window, wrapped
from stream.region.administrations import name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.footprints.answer import Answer
    from topology.base import Impact

LEFT, RIGHT, TOP, BOTTOM = 1110, 1580, 26, 820
ROW, MOST_ROWS = 58, 10
INK, GREY = (30, 30, 35), (110, 110, 115)
_RIVER = "river: straight between known places, no true course"
_WIND = "shaded: the ways of the wind's ensemble"
_CIRCLE = "shaded: no direction is known, so all around"


def panel(answer: Answer, pen: Any, fine: int) -> None:
    """Draw the list at the right of the map; `fine`: pixels of the drawing per pixel of the picture."""
    _Panel(answer, pen, fine).draw()


class Page:
    """The list beside a map; the pen goes down it."""

    def __init__(self, pen: Any, fine: int) -> None:
        self.pen, self.fine, self.y = pen, fine, float(TOP)

    def text(self, x: float, y: float, text: str, size: int, colour: tuple[int, int, int] = INK) -> None:
        """Words with their left upper corner at x, y."""
        letters = written(text, size * self.fine)
        self.pen.text((x * self.fine, y * self.fine), letters.text, fill=colour, font=letters.font)

    def width(self, text: str, size: int) -> float:
        """How wide words are."""
        return float(self.pen.textlength(*written(text, size * self.fine))) / self.fine

    def lines(self, lines: Sequence[str], size: int, colour: tuple[int, int, int] = INK) -> None:
        """One line of words below the other."""
        for line in lines:
            self.text(LEFT, self.y, line, size, colour)
            self.y += round(size * 1.3)

    def rule(self) -> None:
        """A line across."""
        y = self.y + 8
        self.pen.line([(LEFT * self.fine, y * self.fine), (RIGHT * self.fine, y * self.fine)], fill=GREY, width=self.fine)
        self.y += 18

    def badge(self, words: str, colour: tuple[int, int, int]) -> None:
        """A disc with a number, at the left of what stands at the pen."""
        x, y, fine = LEFT * self.fine, self.y * self.fine, self.fine
        self.pen.ellipse((x, y, x + 30 * fine, y + 30 * fine), fill=colour)
        middle, font = (x + 15 * fine, y + 15 * fine), built_in(17 * fine)
        self.pen.text(middle, words, fill="white", font=font, anchor="mm", stroke_width=fine, stroke_fill=INK)

    def right(self, words: str) -> None:
        """Words that end at the right edge."""
        self.pen.text((RIGHT * self.fine, self.y * self.fine), words, fill=INK, font=built_in(17 * self.fine), anchor="ra")


class _Panel(Page):
    """What the answer says."""

    def __init__(self, answer: Answer, pen: Any, fine: int) -> None:
        super().__init__(pen, fine)
        self.answer = answer

    def draw(self) -> None:
        """From the title down, the legend at the foot."""
        self._title()
        self._rows()
        self._legend()

    def _title(self) -> None:
        question = self.answer.question
        source = question.source
        self.lines([question.hazard.texts.get("en", {}).get("name", question.hazard.hazard)], 26)
        self.lines([question.region.title.get("en", question.region.name)], 17, GREY)
        value = "" if math.isnan(source.value) else f", measured {source.value:g}"
        river = f", reach {source.reach} km {source.reach_km:g}" if source.reach else ""
        self.lines(wrapped(f"source {source.series}{river}{value}", 56), 16)
        self.lines([f"since {moment(source.onset_at)} UTC; all times UTC; footprint {question.hazard.footprint}"], 16)
        self.lines(wrapped(self._who(), 60), 15, GREY)
        self.rule()

    def _who(self) -> str:
        held, region = self.answer.roles, self.answer.question.region
        if held is None:
            return ""
        lead = ", ".join(name_of(region, one) for one in held.lead) or "nobody by place"
        body, scope = held.joint.administration_id, held.joint.scope.value
        return f"leads: {lead}; shared: {name_of(region, body)} ({scope})" if body else f"leads: {lead}; shared: {scope}"

    def _rows(self) -> None:
        impacts = self.answer.impacts
        if not impacts:
            self.text(LEFT, self.y, "No other city is reached.", 20)
            return
        most = MOST_ROWS if len(impacts) <= MOST_ROWS else MOST_ROWS - 1
        for number, impact in enumerate(impacts[:most], 1):
            self._row(number, impact)
            self.y += ROW
        if len(impacts) > most:
            self.text(LEFT, self.y, f"and {len(impacts) - most} more: see the table and the GeoJSON file", 16, GREY)

    def _row(self, number: int, impact: Impact) -> None:
        city = self.answer.question.region.cities[self.answer.question.region.city_index[impact.city_id]]
        self.badge(str(number), colour_of(impact.probability))
        told = f"{when(impact)}    chance {likely(impact.probability)}"
        self.right(told)
        room = RIGHT - LEFT - 60 - self.width(told, 17)
        name = english(city) + (f" ({impact.asset})" if impact.asset else "")
        while name and self.width(name, 19) > room:
            name = f"{name.removesuffix('...')[:-1]}..."
        self.text(LEFT + 42, self.y - 2, name, 19)
        chars, wide = in_chinese(city), self.width(name, 19) + 8
        if wide + self.width(chars, 19) <= room:
            self.text(LEFT + 42 + wide, self.y - 2, chars, 19)
        expected = f", {impact.expected.p50:g} expected" if impact.expected else ""
        sure = f"    confidence {impact.confidence:.2f}{expected}"
        self.text(
            LEFT + 42, self.y + 24, wrapped(window(impact), 52)[0] + sure if impact.arrival else wrapped(window(impact), 60)[0], 14, GREY
        )

    def _legend(self) -> None:
        y = BOTTOM
        self.pen.line([(LEFT * self.fine, (y - 10) * self.fine), (RIGHT * self.fine, (y - 10) * self.fine)], fill=GREY, width=self.fine)
        entries = [(colour, words) for _, colour, words in CHANCES] + [(NOT_REACHED, "not reached")]
        self.text(LEFT, y - 4, "chance that it comes; beside each city when (50 %), below 10 % to 90 %", 14, GREY)
        for at, (colour, words) in enumerate(entries):
            x, line = LEFT + (at % 3) * 160, y + 24 + (at // 3) * 26
            self.pen.ellipse([one * self.fine for one in (x, line, x + 16, line + 16)], fill=colour)
            self.text(x + 24, line - 1, words, 15)
        foot = _RIVER if self.answer.lines else ""
        if self.answer.outline is not None:
            foot = _WIND if any(impact.arrival for impact in self.answer.impacts) else _CIRCLE
        self.text(LEFT, y + 82, foot, 14, GREY)
        self.text(LEFT, y + 104, "A forecast, as sure as its confidence says; no observation.", 14, GREY)
        self.text(LEFT, y + 126, f"region {self.answer.question.region.region_hash}", 14, GREY)
