"""The empty map on a page: the grid of degrees, the scale bar, north, and labels that keep off each other. What it is about is drawn on it.

There is no background map: nothing is downloaded, and a warning must not wait for tiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import Image, ImageDraw

from stream.footprints.fonts import Written, built_in, written
from stream.footprints.map_frame import Box, Frame, round_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FINE = 2
"""Drawn so many times larger and then reduced: smooth lines without another library."""
SIZE = (1600, 1000)
MAP = Box(20 * FINE, 20 * FINE, 1080 * FINE, 980 * FINE)
INK, GREY, GROUND, GRID = (30, 30, 35), (120, 120, 125), (250, 250, 248), (228, 228, 226)
_SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))


def draw_page(path: Path, on_the_map: Callable[[Any], None], beside_it: Callable[[Any], None]) -> None:
    """Write a PNG of 1600 x 1000 pixels: a map at the left, a list at the right; both callables get the pen (Pillow's ImageDraw)."""
    image = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle(MAP, fill=GROUND)
    on_the_map(pen)
    _white_around(pen, MAP, image.size)
    beside_it(pen)
    image.resize(SIZE, Image.Resampling.LANCZOS).save(path, "PNG")


def _white_around(pen: Any, box: Box, size: tuple[int, int]) -> None:
    """What was drawn beyond the edge of the map does not belong to the page beside it."""
    wide, high = size
    for outside in ((0, 0, wide, box.top), (0, box.bottom, wide, high), (0, 0, box.left, high), (box.right, 0, wide, high)):
        pen.rectangle(outside, fill="white")
    pen.rectangle(box, outline=GREY, width=FINE)


class Sheet:
    """One map being drawn: what has its place already must not be written over, and words keep off the `water` if they can."""

    def __init__(self, pen: Any, frame: Frame, lines: Sequence[Sequence[tuple[float, float]]] = ()) -> None:
        self.pen, self.frame, self.box = pen, frame, MAP
        self.taken: list[Box] = []
        self.water = shapely.MultiLineString([self.path(np.array(line)[:, ::-1]) for line in lines])

    def path(self, corners: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Longitude and latitude [corner, 2] as pixels."""
        return [(float(x), float(y)) for x, y in self.frame.pixels(corners[:, 1], corners[:, 0])]

    def grid(self) -> None:
        """Meridians and parallels with their degrees at the edge."""
        box, font = self.box, built_in(13 * FINE)
        low, high = self.frame.degrees([box.left] * 2, [box.bottom, box.top])[0]
        west, east = self.frame.degrees([box.left, box.right], [box.bottom] * 2)[1]
        step = round_step(max(1e-3, (high - low) / 3.0))
        for parallel in np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step:
            y = float(self.frame.pixels(parallel, self.frame.longitude)[0, 1])
            self.pen.line([(box.left, y), (box.right, y)], fill=GRID, width=FINE)
            if y < box.bottom - 70 * FINE:
                self.pen.text((box.left + 4 * FINE, y), _degrees(parallel, "NS"), fill=GREY, font=font, anchor="lb")
        span = (east - west) % 360.0
        step = round_step(max(1e-3, span / 3.0))
        for meridian in np.arange(math.ceil(west / step), math.floor((west + span) / step) + 1) * step:
            x = float(self.frame.pixels(self.frame.latitude, meridian)[0, 0])
            self.pen.line([(x, box.top), (x, box.bottom)], fill=GRID, width=FINE)
            if x < box.right - 80 * FINE:
                words = _degrees((meridian + 180.0) % 360.0 - 180.0, "EW")
                self.pen.text((x + 3 * FINE, box.top + 4 * FINE), words, fill=GREY, font=font, anchor="lt")

    def furniture(self) -> None:
        """The scale bar and the north arrow; they keep their place free of labels."""
        box, ink = self.box, INK
        km = round_step((box.right - box.left) / 4.0 / self.frame.pixels_per_km)
        left, y = box.left + 24 * FINE, box.bottom - 24 * FINE
        right = left + km * self.frame.pixels_per_km
        self.taken.append(Box(left - 10 * FINE, y - 34 * FINE, right + 10 * FINE, box.bottom))
        self.pen.rectangle((left - 8 * FINE, y - 30 * FINE, right + 8 * FINE, y + 12 * FINE), fill="white")
        self.pen.line([(left, y), (right, y)], fill=ink, width=4 * FINE)
        for x in (left, (left + right) / 2.0, right):
            self.pen.line([(x, y - 6 * FINE), (x, y + 6 * FINE)], fill=ink, width=2 * FINE)
        self.pen.text(((left + right) / 2.0, y - 8 * FINE), f"{km:g} km", fill=ink, font=built_in(16 * FINE), anchor="mb")
        x, y = box.right - 34 * FINE, box.top + 30 * FINE
        self.taken.append(Box(x - 24 * FINE, y - 24 * FINE, x + 24 * FINE, y + 44 * FINE))
        self.pen.polygon([(x, y - 16 * FINE), (x - 10 * FINE, y + 14 * FINE), (x, y + 7 * FINE), (x + 10 * FINE, y + 14 * FINE)], fill=ink)
        self.pen.text((x, y + 18 * FINE), "N", fill=ink, font=built_in(18 * FINE), anchor="mt")

    def cross(self, latitude: float, longitude: float, words: Sequence[str]) -> None:
        """The mark of the place the question is about, with its words; nothing without coordinates."""
        if math.isnan(latitude):
            return
        ((x, y),) = self.frame.pixels(latitude, longitude)
        arm = 13.0 * FINE
        for width, colour in ((10, "white"), (5, INK)):
            for dx, dy in ((1, 1), (1, -1)):
                self.pen.line([(x - dx * arm, y - dy * arm), (x + dx * arm, y + dy * arm)], fill=colour, width=width * FINE)
        self.taken.append(Box(x - arm, y - arm, x + arm, y + arm))
        sizes = (17, *(15 for _ in words[1:]))
        self.label((float(x), float(y)), arm, [written(text, size * FINE) for text, size in zip(words, sizes, strict=True)])

    def label(self, at: tuple[float, float], size: float, words: list[Written]) -> None:
        """Write beside the mark where nothing stands yet, farther off with a line to it, or not at all (the list has everything)."""
        heights = [self.pen.textbbox((0, 0), "Ag", font=font)[3] + 3 * FINE for _, font in words]
        wide, high = max(self.pen.textlength(text, font=font) for text, font in words), sum(heights)
        place, away = self._free(at, size, (wide, high))
        if place is None:
            return
        self.taken.append(place)
        x, y = place.left + 2 * FINE, place.top + 2 * FINE
        if away > 1.0:
            self.pen.line([at, (place.left if x > at[0] else place.right, (place.top + place.bottom) / 2.0)], fill=GREY, width=FINE)
        for (text, font), height in zip(words, heights, strict=True):
            self.pen.text((x, y), text, fill=INK, font=font, stroke_width=2 * FINE, stroke_fill="white")
            y += height

    def _free(self, at: tuple[float, float], size: float, extent: tuple[float, float]) -> tuple[Box | None, float]:
        """A free place for words of this extent, and how far off; rather on the river than far away, rather nowhere than on other words."""
        wide, high = extent
        for away, dry in ((1.0, True), (1.0, False), (2.5, True), (2.5, False), (5.0, False)):
            for right, down in _SIDES:
                x = at[0] + right * (size * away + 5 * FINE) - (wide if right < 0 else wide / 2.0 if right == 0 else 0.0)
                y = at[1] + down * (size * away + 5 * FINE) - (high if down < 0 else high / 2.0 if down == 0 else 0.0)
                place = Box(x - 2 * FINE, y - 2 * FINE, x + wide + 2 * FINE, y + high + 2 * FINE)
                free = self.box.holds(place) and not any(place.meets(other) for other in self.taken)
                if free and not (dry and self.water.intersects(shapely.box(*place))):
                    return place, away
        return None, 0.0


def _degrees(value: float, sides: str) -> str:
    """A parallel or meridian for the edge of the map.

    >>> _degrees(-17.5, "NS"), _degrees(180.0, "EW")
    ('17.5° S', '180° E')
    """
    return f"{abs(value):g}° {sides[int(value < 0)]}"
