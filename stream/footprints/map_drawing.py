"""The map of an answer as a picture (Pillow): source, cities by chance with their hours, the river or the ways of the wind, scale, north.

There is no background map: nothing is downloaded, and a warning must not wait for tiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from PIL import Image, ImageDraw

from stream.footprints.fonts import Written, built_in, written
from stream.footprints.map_frame import Box, Frame, frame_of, round_step
from stream.footprints.map_panel import panel
from stream.footprints.map_words import NOT_REACHED, colour_of, english, in_chinese, when
from topology.geodesy import destination
from topology.jurisdiction import KM_PER_DEGREE, simplified

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from stream.footprints.answer import Answer
    from stream.region.model import City

FINE = 2
"""Drawn so many times larger and then reduced: smooth lines without another library."""
SIZE = (1600, 1000)
MAP = Box(20, 20, 1080, 980)
INK, GREY, WATER, FAR_WATER, WIND, SOURCE = (30, 30, 35), (120, 120, 125), (36, 98, 184), (176, 200, 226), (247, 224, 205), (20, 20, 20)
_SIDES = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))


def draw_map(answer: Answer, path: Path) -> None:
    """Write the map as a PNG of 1600 x 1000 pixels. Places without coordinates are only in the list beside it."""
    image = Image.new("RGB", (SIZE[0] * FINE, SIZE[1] * FINE), "white")
    pen = ImageDraw.Draw(image)
    box = Box(*(edge * FINE for edge in MAP))
    pen.rectangle(box, fill=(250, 250, 248))
    frame = _frame(answer, box)
    if frame is not None:
        _Sheet(answer, pen, frame, box).draw()
    _white_around(pen, box, image.size)
    panel(answer, pen, FINE)
    image.resize(SIZE, Image.Resampling.LANCZOS).save(path, "PNG")


def _white_around(pen: Any, box: Box, size: tuple[int, int]) -> None:
    """What was drawn beyond the edge of the map does not belong to the page beside it."""
    wide, high = size
    for outside in ((0, 0, wide, box.top), (0, box.bottom, wide, high), (0, 0, box.left, high), (box.right, 0, wide, high)):
        pen.rectangle(outside, fill="white")
    pen.rectangle(box, outline=GREY, width=FINE)


def _frame(answer: Answer, box: Box) -> Frame | None:
    """Around the source and the cities reached in their full size; around the wind's circle too where that has no direction.

    Where no city is reached: around the ways of the wind, or else all cities.
    """
    region, source = answer.question.region, answer.question.source
    reached = [region.cities[region.city_index[impact.city_id]].place for impact in answer.impacts]
    places = reached or ([] if answer.outline is not None else [city.place for city in region.cities])
    whole = [(place.latitude, place.longitude, place.radius_km) for place in places]
    if not math.isnan(source.latitude):
        whole.append((source.latitude, source.longitude, 0.0))
    latitude, longitude, radius_km = np.array(whole).reshape(-1, 3).T
    north, east = ([destination(latitude, longitude, bearing, radius_km) for bearing in pair] for pair in ((0.0, 180.0), (90.0, 270.0)))
    corners = [np.column_stack(one) for one in [*north, *east]]
    if answer.outline is not None and not any(impact.arrival for impact in answer.impacts):
        corners.append(shapely.get_coordinates(answer.outline)[:, ::-1])
    every = np.concatenate(corners)
    return frame_of(every[:, 0], every[:, 1], box) if len(every) else None


class _Sheet:
    """One map being drawn: what has its place already must not be written over."""

    def __init__(self, answer: Answer, pen: Any, frame: Frame, box: Box) -> None:
        self.answer, self.pen, self.frame, self.box = answer, pen, frame, box
        self.taken: list[Box] = []
        areas = {city.city_id: shapely.from_wkt(city.polygon_wkt) for city in answer.question.region.cities if city.polygon_wkt}
        # Nobody sees what is smaller than a pixel; borders in common stay in common.
        self.areas = simplified(areas, 1.0 / frame.pixels_per_km / KM_PER_DEGREE)
        self.water = shapely.MultiLineString([self._path(np.array(line.points)[:, ::-1]) for line in answer.lines])

    def draw(self) -> None:
        """Everything, from the ground up."""
        self._grid()
        if self.answer.outline is not None:
            for part in shapely.get_parts(self.answer.outline):
                if part.geom_type == "Polygon":
                    self.pen.polygon(self._path(shapely.get_coordinates(part.exterior)), fill=WIND, outline=(222, 170, 130), width=FINE)
        for line in sorted(self.answer.lines, key=lambda one: one.below):
            points = np.array(line.points)[:, ::-1]
            self.pen.line(self._path(points), fill=WATER if line.below else FAR_WATER, width=(6 if line.below else 3) * FINE, joint="curve")
        self._furniture()
        self._cities()

    def _path(self, corners: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Longitude and latitude [corner, 2] as pixels."""
        return [(float(x), float(y)) for x, y in self.frame.pixels(corners[:, 1], corners[:, 0])]

    def _grid(self) -> None:
        """Meridians and parallels with their degrees at the edge."""
        box, font = self.box, built_in(13 * FINE)
        low, high = self.frame.degrees([box.left] * 2, [box.bottom, box.top])[0]
        west, east = self.frame.degrees([box.left, box.right], [box.bottom] * 2)[1]
        step = round_step(max(1e-3, (high - low) / 3.0))
        for parallel in np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step:
            y = float(self.frame.pixels(parallel, self.frame.longitude)[0, 1])
            self.pen.line([(box.left, y), (box.right, y)], fill=(228, 228, 226), width=FINE)
            if y < box.bottom - 70 * FINE:
                self.pen.text((box.left + 4 * FINE, y), _degrees(parallel, "NS"), fill=GREY, font=font, anchor="lb")
        span = (east - west) % 360.0
        step = round_step(max(1e-3, span / 3.0))
        for meridian in np.arange(math.ceil(west / step), math.floor((west + span) / step) + 1) * step:
            x = float(self.frame.pixels(self.frame.latitude, meridian)[0, 0])
            self.pen.line([(x, box.top), (x, box.bottom)], fill=(228, 228, 226), width=FINE)
            if x < box.right - 80 * FINE:
                words = _degrees((meridian + 180.0) % 360.0 - 180.0, "EW")
                self.pen.text((x + 3 * FINE, box.top + 4 * FINE), words, fill=GREY, font=font, anchor="lt")

    def _furniture(self) -> None:
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

    def _cities(self) -> None:
        region, impacts = self.answer.question.region, self.answer.impacts
        numbers = {impact.city_id: number for number, impact in enumerate(impacts, 1)}
        labels: list[tuple[tuple[float, float], float, list[Written]]] = []
        for city in region.cities:
            number = numbers.get(city.city_id)
            at, size = self._shape(city, number, NOT_REACHED if number is None else colour_of(impacts[number - 1].probability))
            if city.city_id == self.answer.question.source.city_id:
                continue
            words = [written(english(city), (17 if number else 13) * FINE)]
            if number and (name := in_chinese(city)):
                words.append(written(name, 17 * FINE))
            if number:
                words.append(written(when(impacts[number - 1]), 15 * FINE))
            if self.box.holds(Box(at[0], at[1], at[0], at[1])):
                labels.append((at, size, words))
        self._source()
        dot = 12.0 * FINE
        self.taken += [Box(x - dot, y - dot, x + dot, y + dot) for (x, y), _, _ in labels]
        # Those who are reached write first.
        for at, size, words in sorted(labels, key=lambda one: -len(one[2])):
            self._label(at, size, words)

    def _shape(self, city: City, number: int | None, colour: tuple[int, int, int]) -> tuple[tuple[float, float], float]:
        """Draw the city in its true size (at least so large that one sees it); its centre and the half size of its mark, pixels."""
        ((x, y),) = self.frame.pixels(city.place.latitude, city.place.longitude)
        radius = city.place.radius_km * self.frame.pixels_per_km
        pale = tuple((one + 2 * 255) // 3 for one in colour)
        if city.city_id in self.areas:
            for part in shapely.get_parts(self.areas[city.city_id]):
                self.pen.polygon(self._path(shapely.get_coordinates(part.exterior)), fill=pale, outline=colour, width=2 * FINE)
        elif radius > 8 * FINE:
            self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=pale, outline=colour, width=2 * FINE)
        dot = (6.0 if number is None else 12.0) * FINE
        self.pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colour, outline="white", width=2 * FINE)
        if number is not None:
            self.pen.text((x, y), str(number), fill="white", font=built_in(15 * FINE), anchor="mm", stroke_width=FINE, stroke_fill=INK)
        return (float(x), float(y)), max(dot, min(radius, 60.0 * FINE))

    def _source(self) -> None:
        source = self.answer.question.source
        if math.isnan(source.latitude):
            return
        ((x, y),) = self.frame.pixels(source.latitude, source.longitude)
        arm = 13.0 * FINE
        for dx, dy in ((1, 1), (1, -1)):
            self.pen.line([(x - dx * arm, y - dy * arm), (x + dx * arm, y + dy * arm)], fill="white", width=10 * FINE)
        for dx, dy in ((1, 1), (1, -1)):
            self.pen.line([(x - dx * arm, y - dy * arm), (x + dx * arm, y + dy * arm)], fill=SOURCE, width=5 * FINE)
        self.taken.append(Box(x - arm, y - arm, x + arm, y + arm))
        self._label((float(x), float(y)), arm, [written("source", 17 * FINE), written(source.series, 15 * FINE)])

    def _label(self, at: tuple[float, float], size: float, words: list[Written]) -> None:
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
