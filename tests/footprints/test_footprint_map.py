from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from PIL import ImageFont

from stream.footprints.answer import answer
from stream.footprints.asked import Asked
from stream.footprints.course import course_of
from stream.footprints.fonts import CHINESE, built_in, font_for, writes, written
from stream.footprints.map_frame import Box, frame_of
from stream.footprints.map_words import CHANCES, colour_of, in_chinese
from stream.footprints.question import question
from stream.footprints.spread import cut_at_meridian, on_earth
from stream.region.load import load_folder
from tests.topology.places import source
from topology.geodesy import distance_km

REGIONS = Path(__file__).parents[2] / "deploy" / "regions"
NOON = 1_132_848_000_000


@pytest.fixture(scope="module")
def songhua():
    return load_folder(REGIONS / "songhua")


def test_letters_that_a_font_does_not_have_are_seen() -> None:
    assert writes(built_in(20), "Harbin 45.5° N, 14 Nov 22:13 (10 %)")
    assert not writes(built_in(20), CHINESE)


def test_a_name_that_would_be_boxes_is_left_out_and_one_the_machine_can_write_is_there(songhua) -> None:
    harbin = songhua.cities[songhua.city_index["harbin"]]
    assert in_chinese(harbin) == ("" if font_for(CHINESE, 20) is None else "哈尔滨")
    assert written("哈 a", 20).text in {"哈 a", "? a"}
    assert font_for(CHINESE, 20, ("no such font.ttf",)) is None


def test_a_font_without_chinese_letters_is_not_taken_for_one(tmp_path) -> None:
    font = built_in(20)
    if not isinstance(font, ImageFont.FreeTypeFont):
        pytest.skip("this Pillow was built without FreeType")
    plain = tmp_path / "plain.ttf"
    plain.write_bytes(font.font_bytes)
    assert font_for(CHINESE, 20, (str(plain),)) is None
    assert font_for("Harbin", 20, (str(plain),)) is font


def test_places_lie_inside_the_frame_and_kilometres_are_true_in_every_direction() -> None:
    box = Box(0, 0, 1000, 600)
    latitude, longitude = np.array([45.0, 48.0, 46.0]), np.array([126.0, 132.0, 128.0])
    frame = frame_of(latitude, longitude, box)
    pixels = frame.pixels(latitude, longitude)
    assert ((pixels > 0) & (pixels < [1000, 600])).all()
    drawn_km = np.hypot(*(pixels[0] - pixels[1])) / frame.pixels_per_km
    assert drawn_km == pytest.approx(float(distance_km(45.0, 126.0, 48.0, 132.0)), rel=0.005)
    back = frame.degrees(pixels[:, 0], pixels[:, 1])
    assert np.allclose(back[0], latitude, atol=1e-6)
    assert np.allclose(back[1], longitude, atol=1e-6)


def test_neighbours_across_the_180th_meridian_are_drawn_as_neighbours() -> None:
    frame = frame_of(np.array([-17.0, -17.0]), np.array([179.5, -179.5]), Box(0, 0, 1000, 600))
    pixels = frame.pixels(np.array([-17.0, -17.0]), np.array([179.5, -179.5]))
    assert pixels[1, 0] > pixels[0, 0]
    assert (pixels[1, 0] - pixels[0, 0]) / frame.pixels_per_km == pytest.approx(106.5, rel=0.01)


def test_a_single_place_is_drawn_too() -> None:
    assert frame_of(np.array([30.0]), np.array([110.0]), Box(0, 0, 100, 100)).pixels(30.0, 110.0)[0] == pytest.approx([50, 50])


def test_a_circle_across_the_meridian_is_cut_into_two_and_keeps_its_size() -> None:
    shape = on_earth(shapely.Point(0, 0).buffer(50.0, quad_segs=32), source(latitude=-17.0, longitude=179.9))
    assert shape.bounds[0] == -180.0
    assert shape.bounds[2] == 180.0
    assert len(shapely.get_parts(shape)) == 2
    km2 = shape.area * 110.66 * 111.32 * math.cos(math.radians(17.0))
    assert km2 == pytest.approx(math.pi * 50.0**2, rel=0.01)
    assert cut_at_meridian(shapely.Point(10, 10)).equals(shapely.Point(10, 10))


def test_a_kilometre_lies_between_the_known_places_on_either_side(songhua) -> None:
    course = course_of(songhua, question(songhua, Asked("sujiatun", "", NOON)).hazard.graph.cities.network)
    known = course.known["songhua"]
    assert [km for km, *_ in known] == sorted(km for km, *_ in known)
    middle = (known[0][0] + known[1][0]) / 2
    assert course.position("songhua", middle) == pytest.approx(tuple((known[0][i] + known[1][i]) / 2 for i in (1, 2)))
    assert course.position("songhua", known[0][0]) == known[0][1:]
    assert math.isnan(course.position("nowhere", 0.0)[0])


def test_the_river_below_the_source_begins_at_it_and_what_lies_above_is_told_apart() -> None:
    region = load_folder(REGIONS / "example")
    found = answer(question(region, Asked("lin-middle:20", "flood", NOON)))
    below = [line for line in found.lines if line.below]
    above = [line for line in found.lines if not line.below]
    assert below[0].points[0] == (found.question.source.latitude, found.question.source.longitude)
    assert above
    reached = {impact.city_id for impact in found.impacts}
    places = {point for line in below for point in line.points}
    for city_id in reached:
        place = region.cities[region.city_index[city_id]].place
        assert min(float(distance_km(place.latitude, place.longitude, *point)) for point in places) < 20.0


def test_colours_go_with_the_chance() -> None:
    assert [colour_of(chance) for chance in (0.9, 0.75, 0.6, 0.3, 0.0)] == [CHANCES[i][1] for i in (0, 0, 1, 2, 3)]
