"""What the topic `regions` tells of regions that were active: also of one that was so for a moment only."""

from __future__ import annotations

from stream.cluster import Cluster
from stream.runtime.follow import Followed
from stream.runtime.regions_feed import RegionsFeed, Replaced


def record(key: str, value: bytes, at: int) -> Followed:
    return Followed("regions", 0, at, at, key.encode(), value)


def fed(*active: str) -> RegionsFeed:
    """A feed that saw two bundles, and these hashes become active a second apart, the first at 1 s."""
    feed = RegionsFeed(Cluster("127.0.0.1:1"), "regions", lambda packed, _region_hash: packed)
    feed.take([record(f"bundle/danube/{one}/0", one.encode(), 0) for one in ("a", "b")])
    feed.take([record("active/danube", one.encode(), 1_000 * number) for number, one in enumerate(active, 1)])
    return feed


def test_a_region_that_was_active_for_a_moment_is_known_and_since_when_it_is_not():
    assert fed("a", "b", "a").replaced(0) == {"b": Replaced("danube", 3_000)}


def test_a_region_that_is_active_again_is_not_replaced():
    assert fed("a", "b", "a", "b").replaced(0) == {"a": Replaced("danube", 4_000)}


def test_a_region_that_is_named_again_replaces_nothing():
    assert fed("a", "a").replaced(0) == {}


def test_a_replaced_region_whose_bundle_is_not_at_hand_is_not_named():
    assert fed("c", "a").replaced(0) == {}


def test_a_region_that_was_replaced_long_ago_is_not_even_loaded():
    feed, loaded = fed("a", "b"), []
    feed._load = lambda _packed, region_hash: loaded.append(region_hash) or region_hash
    assert feed.replaced(2_000) == {}
    assert loaded == []
    assert feed.replaced(1_999) == {"a": Replaced("danube", 2_000)}
