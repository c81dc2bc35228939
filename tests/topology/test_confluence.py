from __future__ import annotations

import pytest
from hypothesis import given

from tests.topology.places import all_ways, rivers
from topology.base import Arrival, CityPlace, Places, Reach
from topology.confluence import overlap, passes
from topology.network import build_network


@pytest.mark.parametrize("splits", [False, True])
def test_which_place_the_water_passes_is_what_walking_every_path_finds(splits):
    @given(rivers(splits=splits))
    def law(river):
        places, reach, km = river
        spots = [(reach, km), *dict.fromkeys(spot for city in places.cities for spot in city.river)]
        found = passes(build_network(places.reaches), spots)
        hours = {row.reach: 1.0 for row in places.reaches}
        for i, upper in enumerate(spots):
            cities = tuple(CityPlace(str(j), 0.0, 0.0, 1.0, 0, (spot,)) for j, spot in enumerate(spots))
            reached = all_ways(Places(cities, places.reaches), *upper, hours)
            assert [bool(one) for one in found[i]] == [str(j) in reached for j in range(len(spots))]

    law()


def test_a_place_that_is_not_on_the_network_passes_only_itself():
    network = build_network([Reach("r", "", 5.0)])
    assert passes(network, [("r", 0.0), ("gone", 0.0), ("r", 9.0)]).tolist() == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_windows_overlap_when_they_share_an_instant():
    one = Arrival(10, 15, 20)
    assert [overlap(one, Arrival(*at)) for at in ((0, 5, 10), (0, 5, 9), (12, 13, 14), (20, 30, 40), (21, 30, 40))] == [
        True, False, True, True, False,
    ]  # fmt: skip
