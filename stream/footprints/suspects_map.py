"""The suspects as a picture and as GeoJSON: which reaches above the place a danger may have come from, the likelier the darker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from stream.footprints.fonts import written
from stream.footprints.geojson import feature, line_shape
from stream.footprints.map_frame import frame_of
from stream.footprints.map_panel import GREY, LEFT, Page
from stream.footprints.map_sheet import FINE, MAP, Sheet, draw_page
from stream.footprints.map_words import likely, moment, wrapped
from stream.records.instants import to_text

if TYPE_CHECKING:
    from pathlib import Path

    from stream.footprints.course import Line
    from stream.footprints.question import Question
    from stream.footprints.suspects import Suspected
    from topology.upstream import Suspect

_PALE, _DARK, _FAR = (250, 214, 190), (160, 20, 40), (176, 200, 226)
_ROW, _MOST = 46, 12


def suspect_row(one: Suspect) -> dict[str, object]:
    """One suspected reach as fields; instants RFC 3339, absent where they cannot be told."""
    names = ("left_at_p10", "left_at_p50", "left_at_p90")
    left = dict(zip(names, map(to_text, one.left_at), strict=True)) if one.left_at else {}
    return {"reach": one.reach, "probability": round(one.probability, 6), **left}


def suspects_collection(question: Question, found: Suspected) -> dict[str, object]:
    """A FeatureCollection: where it was found, and the reaches told as far as places on them have coordinates."""
    source = question.source
    place = None if math.isnan(source.latitude) else shapely.Point(source.longitude, source.latitude)
    features = [feature("found", place, {"reach": source.reach, "reach_km": source.reach_km, "at": to_text(source.onset_at)})]
    drawn = _drawn(question)
    for one in found.told:
        shape = line_shape(drawn[one.reach]) if one.reach in drawn else None
        features.append(feature("suspect", shape, {**suspect_row(one), "schematic": True}))
    return {"type": "FeatureCollection", "features": features}


def draw_suspects(question: Question, found: Suspected, path: Path) -> None:
    """Write the map as a PNG of 1600 x 1000 pixels. Reaches without places of known coordinates are only in the list beside it."""
    drawn = _drawn(question)
    told = [one for one in found.told if one.reach in drawn]
    points = [point for one in told for point in drawn[one.reach].points] or [point for line in drawn.values() for point in line.points]
    if not math.isnan(question.source.latitude):
        points.append((question.source.latitude, question.source.longitude))

    def on_the_map(pen: Any) -> None:
        if not points:
            return
        latitude, longitude = np.array(points).T
        sheet = Sheet(pen, frame_of(latitude, longitude, MAP), [line.points for line in drawn.values()])
        sheet.grid()
        for line in drawn.values():
            pen.line(sheet.path(np.array(line.points)[:, ::-1]), fill=_FAR, width=3 * FINE, joint="curve")
        for one in reversed(told):
            pen.line(sheet.path(np.array(drawn[one.reach].points)[:, ::-1]), fill=_shade(one, found), width=9 * FINE, joint="curve")
        sheet.furniture()
        sheet.cross(question.source.latitude, question.source.longitude, ("found here", moment(question.source.onset_at)))
        for one in told:
            ends = np.array(drawn[one.reach].points)[:2]
            ((x, y),) = sheet.frame.pixels(*ends.mean(axis=0))
            sheet.label((float(x), float(y)), 8.0 * FINE, [written(one.reach, 17 * FINE), written(likely(one.probability), 15 * FINE)])

    draw_page(path, on_the_map, lambda pen: _list(question, found, pen))


def _list(question: Question, found: Suspected, pen: Any) -> None:
    page, source = Page(pen, FINE), question.source
    page.lines(["where did it come from?"], 26)
    page.lines([question.region.title.get("en", question.region.name)], 17, GREY)
    page.lines(wrapped(f"{question.hazard.hazard} found at reach {source.reach} km {source.reach_km:g}", 56), 16)
    page.lines([f"on {moment(source.onset_at)} UTC; all times UTC; by the clock of {question.hazard.footprint}"], 16)
    page.rule()
    for number, one in enumerate(found.told[:_MOST], 1):
        page.badge(str(number), _shade(one, found))
        page.text(LEFT + 42, page.y - 2, one.reach, 19)
        page.right(likely(one.probability))
        told = (
            f"left there {moment(one.left_at[1])} ({moment(one.left_at[0])} to {moment(one.left_at[2])})" if one.left_at else "time unknown"
        )
        page.text(LEFT + 42, page.y + 21, told, 14, GREY)
        page.y += _ROW
    if found.others:
        page.lines([f"and {found.others} more reaches with together {likely(found.rest)}"], 16, GREY)
    page.y = max(page.y, 880.0)
    page.rule()
    page.lines(["river: straight between known places, no true course", "every kilometre of river is as likely beforehand"], 14, GREY)
    page.lines(["what is told says nothing about who did it"], 14, GREY)


def _drawn(question: Question) -> dict[str, Line]:
    return question.course.reaches() if question.course is not None else {}


def _shade(one: Suspect, found: Suspected) -> tuple[int, int, int]:
    """Dark for the likeliest, pale for what is next to nothing beside it."""
    part = one.probability / max(found.told[0].probability, 1e-12)
    red, green, blue = (round(pale + part * (dark - pale)) for pale, dark in zip(_PALE, _DARK, strict=True))
    return red, green, blue
