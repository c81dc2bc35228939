from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.records.journal import partition_of
from stream.region.load import load_folder
from stream.region.model import Domain
from stream.runtime.domain_load import loads
from tests.runtime.lane import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

import numpy as np

PARTITIONS = 4


def region(intervals: Mapping[str, list[float]], pins: Mapping[str, int] | None = None) -> Any:
    """Only what a load is made of: domains, and for each the intervals of its series."""
    domains = [Domain(name, ("water",), (pins or {}).get(name)) for name in intervals]
    of_series = [index for index, found in enumerate(intervals.values()) for _ in found]
    series = SimpleNamespace(
        domain=np.array(of_series, "i4"), interval_s=np.array([s for found in intervals.values() for s in found], float)
    )
    return SimpleNamespace(domains=domains, series=series)


def test_the_load_of_a_partition_is_what_the_intervals_of_its_series_say() -> None:
    found = loads([region({"a": [60, 30], "b": [600]}, {"a": 1, "b": 1})], PARTITIONS)
    assert [one.per_min for one in found] == [0, pytest.approx(3.1), 0, 0]
    assert list(found[1].domains) == ["a", "b"]
    assert found[1].fair_shares == pytest.approx(3.1 / 3)
    assert not any(one.uneven for one in found)


def test_domains_that_crowd_on_one_partition_are_told_and_pins_mend_it() -> None:
    crowd = {f"d{number}": [60.0] for number in range(4)}
    crowded = loads([region(crowd, dict.fromkeys(crowd, 2))], PARTITIONS)
    assert [one.partition for one in crowded if one.uneven] == [2]
    assert crowded[2].fair_shares == 4
    pinned = loads([region(crowd, {name: number for number, name in enumerate(crowd)})], PARTITIONS)
    assert [one.fair_shares for one in pinned] == [1, 1, 1, 1]


def test_a_single_large_domain_is_not_uneven_for_nothing_would_mend_it() -> None:
    assert not any(one.uneven for one in loads([region({"only": [1.0] * 50})], 12))


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.lists(st.sampled_from([1.0, 60.0, 600.0]), max_size=5), max_size=12))
def test_nothing_of_the_load_is_lost_and_every_domain_is_where_the_journal_has_it(intervals: dict[str, list[float]]) -> None:
    found = loads([region(intervals)], PARTITIONS)
    assert sum(one.per_min for one in found) == pytest.approx(sum(60 / s for series in intervals.values() for s in series))
    assert all(partition_of(domain, PARTITIONS) == one.partition for one in found for domain in one.domains)


def test_a_shipped_region_has_its_load() -> None:
    found = loads([load_folder(ROOT / "deploy" / "regions" / "beijing")], 12)
    assert [len(one.domains) for one in found if one.domains] == [1]
    assert sum(one.per_min for one in found) > 0


def test_no_region_is_no_load() -> None:
    assert [one.fair_shares for one in loads([], 3)] == [0, 0, 0]
