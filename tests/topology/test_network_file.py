from __future__ import annotations

import random
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.topology.places import rivers
from topology.base import Reach, TopologyError
from topology.network import build_network, downstream, jurisdictions
from topology.network_arrays import arrays_of
from topology.network_file import load_network, network_hash, save_network

FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(rivers(splits=True))
def test_a_network_comes_back_from_its_file_as_it_was(tmp_path, river) -> None:
    places, reach, km = river
    network = build_network(places.reaches)
    found = save_network(network, tmp_path / "river.npz")
    again = load_network(tmp_path / "river.npz")
    assert found == network_hash(network) == network_hash(again)
    assert arrays_of(network).keys() == arrays_of(again).keys()
    for name, array in arrays_of(network).items():
        assert array.dtype == arrays_of(again)[name].dtype
        np.testing.assert_array_equal(array, arrays_of(again)[name])
    assert downstream(again, reach, km) == downstream(network, reach, km)


@FEW
@given(rivers(splits=True))
def test_the_order_of_the_rows_changes_neither_the_network_nor_its_hash(river) -> None:
    rows = list(river[0].reaches)
    found = network_hash(build_network(rows))
    random.Random(1).shuffle(rows)
    assert network_hash(build_network(rows)) == found


def test_the_real_network_is_the_same_after_a_round_trip_and_its_file_after_another_writing(texas, tmp_path) -> None:
    network = build_network(texas)
    save_network(network, tmp_path / "one.npz")
    save_network(load_network(tmp_path / "one.npz"), tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert network_hash(build_network(random.Random(3).sample(texas, len(texas)))) == network_hash(network)


def test_arrays_of_a_file_are_mapped_aligned_and_cannot_be_written(texas, tmp_path) -> None:
    save_network(build_network(texas), tmp_path / "river.npz")
    network = load_network(tmp_path / "river.npz")
    assert not network.length_km.flags.owndata
    for array in arrays_of(network).values():
        if array.size:
            assert array.ctypes.data % 64 == 0
            assert not array.flags.writeable
    with np.load(tmp_path / "river.npz") as plain:
        np.testing.assert_array_equal(plain["length_km"], network.length_km)


def test_banks_and_text_of_any_script_survive(tmp_path) -> None:
    rows = (Reach("松花江", "黑龙江", 10.0, left="jia"), Reach("黑龙江", "", 5.0, left="cn", right="ru"))
    save_network(build_network(rows), tmp_path / "river.npz")
    network = load_network(tmp_path / "river.npz")
    assert list(network.reaches) == ["黑龙江", "松花江"]
    assert jurisdictions(network, "黑龙江") == ("cn", "ru")
    assert jurisdictions(network, "松花江") == ("jia",)


def damaged(path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_damaged_file_is_refused_by_its_hash(texas, tmp_path) -> None:
    path = tmp_path / "river.npz"
    network = build_network(texas)
    save_network(network, path)
    at = path.read_bytes().index(network.length_km.tobytes())
    damaged(path, at + 1000)
    with pytest.raises(TopologyError, match="does not match its hash"):
        load_network(path)
    assert load_network(path, check=False).length_km.tolist() != network.length_km.tolist()


def test_what_is_no_network_file_is_refused_in_words(tmp_path) -> None:
    path = tmp_path / "river.npz"
    path.write_bytes(b"")
    for content in (b"", b"reach,downstream\n", b"PK\x05\x06" + bytes(18)):
        path.write_bytes(content)
        with pytest.raises(TopologyError, match="no network file"):
            load_network(path)
    np.savez(path, ids=np.array([b"a"]))
    with pytest.raises(TopologyError, match="no network file"):
        load_network(path)
    save_network(build_network((Reach("a", "", 1.0),)), path)
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    with pytest.raises(TopologyError, match="is compressed"):
        load_network(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("network.json", kept["network.json"].replace(b"network-1", b"network-9"))
    with pytest.raises(TopologyError, match="format 'tocsin-network-9'"):
        load_network(path)
