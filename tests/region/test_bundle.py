"""A folder as one value: what is in it, its hash, and the way through bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import TocsinError
from stream.region.bundle import Bundle, bundle, pack, region_hash, unpack
from stream.region.load import load
from tests.region.same import same
from tests.region.sound import FILES, bundled

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
folders = st.dictionaries(names, st.binary(max_size=40), min_size=1, max_size=5)


@given(files=folders, data=st.data())
def test_the_hash_changes_with_any_byte_and_any_name(files, data):
    name = data.draw(st.sampled_from(sorted(files)))
    before, content = region_hash(files), files[name]
    at = data.draw(st.integers(0, len(content)))
    assert region_hash({**files, name: content[:at] + b"x" + content[at:]}) != before
    if content:
        at = data.draw(st.integers(0, len(content) - 1))
        assert region_hash({**files, name: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]}) != before
    renamed = {(one + "z" if one == name else one): text for one, text in files.items()}
    assert region_hash(renamed) != before


@given(files=folders)
def test_the_hash_does_not_depend_on_the_order_of_files(files):
    assert region_hash(dict(reversed(files.items()))) == region_hash(files)


@given(files=folders)
def test_packing_and_unpacking_gives_the_same_bundle(files):
    one = Bundle("b", region_hash(files), files)
    assert unpack(pack(one)) == one
    assert pack(one) == pack(Bundle("b", one.region_hash, dict(reversed(files.items()))))


def test_a_region_loaded_from_an_unpacked_bundle_is_equal():
    one = bundled(FILES)
    assert same(load(unpack(pack(one))), load(one))


def test_a_folder_is_bundled_without_its_history_and_hidden_files(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    plain = bundle(tmp_path / "here")
    assert plain == bundled(FILES)
    for name in ("history.csv", "observed.csv", "README.md", ".DS_Store"):
        (tmp_path / "here" / name).write_text("anything")
    assert bundle(tmp_path / "here") == plain
    (tmp_path / "here" / "hazards" / "more.toml").write_text("")
    assert bundle(tmp_path / "here").region_hash != plain.region_hash


def test_no_folder_and_an_empty_one_are_refused(tmp_path):
    with pytest.raises(TocsinError, match="is no folder"):
        bundle(tmp_path / "nowhere")
    with pytest.raises(TocsinError, match="holds no files"):
        bundle(tmp_path)


def test_a_bundle_that_swells_beyond_measure_is_refused(monkeypatch):
    monkeypatch.setattr("stream.region.bundle.UNPACKED_BYTES_MAX", 1_000)
    swollen = pack(Bundle("b", "", {"a": bytes(2_000)}))
    assert len(swollen) < 1_000
    with pytest.raises(TocsinError, match="unpacks to more than"):
        unpack(swollen)
