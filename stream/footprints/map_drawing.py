"""The map of an answer as a picture: source, cities by chance with their hours, the river or the ways of the wind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from stream.footprints.fonts import Written, built_in, written
from stream.footprints.map_frame import Box, Frame, frame_of
from stream.footprints.map_panel import panel
from stream.footprints.map_sheet import FINE, INK, MAP, Sheet, draw_page
from stream.footprints.map_words import NOT_REACHED, colour_of, english, in_chinese, when
from topology.geodesy import destination
from topology.jurisdiction import KM_PER_DEGREE, simplified

if TYPE_CHECKING:
    from pathlib import Path

    from stream.footprints.answer import Answer
    from stream.region.model import City

WATER, FAR_WATER, WIND, WIND_EDGE = (36, 98, 184), (176, 200, 226), (247, 224, 205), (222, 170, 130)


def draw_map(answer: Answer, path: Path) -> None:
    """Write the map as a PNG of 1600 x 1000 pixels. Places without coordinates are only in the list beside it."""

    def on_the_map(pen: Any) -> None:
        frame = _frame(answer, MAP)
        if frame is not None:
            _Answered(answer, Sheet(pen, frame, [line.points for line in answer.lines])).draw()

    draw_page(path, on_the_map, lambda pen: panel(answer, pen, FINE))


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


class _Answered:
    """The answer on its sheet."""

    def __init__(self, answer: Answer, sheet: Sheet) -> None:
        self.answer, self.sheet, self.pen, self.frame = answer, sheet, sheet.pen, sheet.frame
        areas = {city.city_id: shapely.from_wkt(city.polygon_wkt) for city in answer.question.region.cities if city.polygon_wkt}
        # Nobody sees what is smaller than a pixel; borders in common stay in common.
        self.areas = simplified(areas, 1.0 / self.frame.pixels_per_km / KM_PER_DEGREE)

    def draw(self) -> None:
        """Everything, from the ground up."""
        self.sheet.grid()
        if self.answer.outline is not None:
            for part in shapely.get_parts(self.answer.outline):
                if part.geom_type == "Polygon":
                    self.pen.polygon(self.sheet.path(shapely.get_coordinates(part.exterior)), fill=WIND, outline=WIND_EDGE, width=FINE)
        for line in sorted(self.answer.lines, key=lambda one: one.below):
            path = self.sheet.path(np.array(line.points)[:, ::-1])
            self.pen.line(path, fill=WATER if line.below else FAR_WATER, width=(6 if line.below else 3) * FINE, joint="curve")
        self.sheet.furniture()
        self._cities()

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
            if self.sheet.box.holds(Box(at[0], at[1], at[0], at[1])):
                labels.append((at, size, words))
        source = self.answer.question.source
        self.sheet.cross(source.latitude, source.longitude, ("source", source.series))
        dot = 12.0 * FINE
        self.sheet.taken += [Box(x - dot, y - dot, x + dot, y + dot) for (x, y), _, _ in labels]
        # Those who are reached write first.
        for at, size, words in sorted(labels, key=lambda one: -len(one[2])):
            self.sheet.label(at, size, words)

    def _shape(self, city: City, number: int | None, colour: tuple[int, int, int]) -> tuple[tuple[float, float], float]:
        """Draw the city in its true size (at least so large that one sees it); its centre and the half size of its mark, pixels."""
        ((x, y),) = self.frame.pixels(city.place.latitude, city.place.longitude)
        radius = city.place.radius_km * self.frame.pixels_per_km
        pale = tuple((one + 2 * 255) // 3 for one in colour)
        if city.city_id in self.areas:
            for part in shapely.get_parts(self.areas[city.city_id]):
                self.pen.polygon(self.sheet.path(shapely.get_coordinates(part.exterior)), fill=pale, outline=colour, width=2 * FINE)
        elif radius > 8 * FINE:
            self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=pale, outline=colour, width=2 * FINE)
        dot = (6.0 if number is None else 12.0) * FINE
        self.pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colour, outline="white", width=2 * FINE)
        if number is not None:
            self.pen.text((x, y), str(number), fill="white", font=built_in(15 * FINE), anchor="mm", stroke_width=FINE, stroke_fill=INK)
        return (float(x), float(y)), max(dot, min(radius, 60.0 * FINE))
