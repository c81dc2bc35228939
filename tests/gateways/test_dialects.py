"""Every dialect there is, found by its file, against golden payloads in tests/gateways/dialects/<name>.

TOCSIN_GOLDEN=expected makes the expected anew; look at what changed.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from stream.accept.refusal import Fault, Refused
from stream.errors import TocsinError
from stream.gateways.dialect import Asked, dialect, dialect_of, names
from stream.gateways.judging import Judge
from stream.gateways.mapping import Mapping
from stream.gateways.mapping_file import load_mapping
from stream.gateways.verdict import Item, Wrong
from stream.settings import Settings
from tests.accept.regions import region

FOLDER = Path(__file__).parent / "dialects"
MAPPING = load_mapping(FOLDER / "gateway.toml")
PAYLOADS = sorted(path for path in FOLDER.glob("*/*") if path.suffix != ".toml" and not path.name.endswith(".expected"))
TOPICS = {"on_the_path_of_its_datastream": "v1.1/Datastreams('roof-pm')/Observations"}
NOW = 1_714_564_800_000


def read(payload: Path) -> list[Item | Wrong]:
    own = payload.with_suffix(".toml")
    mapping = load_mapping(own) if own.exists() else MAPPING
    return dialect(payload.parent.name).decode(payload.read_bytes(), Asked(TOPICS.get(payload.stem, ""), mapping))


def shown(one: Item | Wrong) -> dict[str, Any]:
    if isinstance(one, Wrong):
        return {"path": one.path, "refused": one.fault.reason.value, "detail": one.fault.detail}
    return {name: value for name, value in one._asdict().items() if value is not None and value is not False}


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_payload_is_read_as_it_was_read_before(payload):
    found = [shown(one) for one in read(payload)]
    expected = payload.with_name(payload.name + ".expected")
    if os.environ.get("TOCSIN_GOLDEN") == "expected":
        expected.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in found), "utf-8")
    assert found == [json.loads(line) for line in expected.read_text("utf-8").splitlines()]


def test_every_dialect_has_golden_payloads_some_good_and_some_not():
    kinds = {(path.parent.name, type(one)) for path in PAYLOADS for one in read(path)}
    assert kinds == {(name, kind) for name in names() for kind in (Item, Wrong)}


@pytest.mark.parametrize("name", names())
def test_a_dialect_is_named_as_its_file_and_says_which_content_types_are_its_own(name):
    one = dialect(name)
    assert name == one.NAME
    assert all(re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kind) for kind in one.CONTENT_TYPES)
    assert [dialect_of(f"{kind.upper()}; charset=utf-8") for kind in one.CONTENT_TYPES] == [one] * len(one.CONTENT_TYPES)


def test_an_unknown_dialect_and_an_unknown_content_type_are_said_so():
    with pytest.raises(TocsinError, match="no dialect 'telex'; there are chirpstack, csv_rows"):
        dialect("telex")
    assert dialect_of("image/png") is None


@pytest.mark.parametrize("name", names())
def test_without_a_mapping_nothing_is_taken_that_needs_one(name):
    for payload in PAYLOADS:
        if payload.parent.name == name and name not in {"tocsin_json", "csv_rows"}:
            found = dialect(name).decode(payload.read_bytes(), Asked("", Mapping()))
            assert found
            assert all(isinstance(one, Wrong) for one in found)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(
    "junk",
    [b"", b"\x00", b"\xff\xfe", b"null", b"[]", b"{}", b"[" * 100_000, b'{"object":' * 50_000, b"1" * 5_000, b'"\\ud800"', b",\n" * 1_000, b"\xef\xbb\xbf{}"],
    ids=repr,
)  # fmt: skip
def test_whatever_the_bytes_are_a_dialect_answers_with_faults_that_have_a_reason_and_a_place(name, junk):
    found = dialect(name).decode(junk, Asked("", MAPPING))
    assert found
    for one in found:
        assert isinstance(one, Wrong) or name == "tocsin_json", one
        if isinstance(one, Wrong):
            assert isinstance(one.fault, Fault)
            assert isinstance(one.fault.reason, Refused)
            assert one.path
            assert one.fault.detail.isprintable()


def test_what_a_golden_payload_holds_goes_through_the_doors_of_a_region():
    judge = Judge([region()], Settings())
    accepted = {}
    for payload in PAYLOADS:
        judged, records = judge.judge(read(payload), NOW)
        accepted[payload.parent.name] = accepted.get(payload.parent.name, 0) + sum(len(one.items) for one in records)
        assert len(judged) == len(read(payload))
    assert {name: count > 0 for name, count in accepted.items()} == dict.fromkeys(names(), True)


def test_what_could_be_about_a_person_is_quoted_nowhere():
    for name in ("counts.csv", "counts_with_a_person.csv"):
        text = " ".join(str(shown(one)) for one in read(FOLDER / "csv_rows" / name) if isinstance(one, Wrong))
        assert text
        assert "Li" not in text
        assert "yesterday" not in text
        assert "patient" not in text
