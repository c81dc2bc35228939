"""Who may hand in measurements: what is read, and every rule it can break, one at a time."""

from __future__ import annotations

import base64
import hashlib

import pytest

from stream.records.instants import from_text
from tests.region.sound import FILES, examined

TOKEN = hashlib.sha256(b"first").hexdigest()
NEXT = hashlib.sha256(b"second").hexdigest()
KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = f"""\
[upton-works]
kind = "http_token"
stations = ["a"]
families = ["water"]
[upton-works.keys.old]
token_sha256 = "{TOKEN}"
not_after = "2026-06-01T00:00:00Z"
[upton-works.keys.new]
token_sha256 = "{NEXT}"
not_before = "2026-05-01T00:00:00Z"
[downton-signs]
kind = "ed25519"
stations = ["b*"]
families = ["water", "air"]
lanes = ["live", "test"]
signed_only = true
signed_within_s = 900
[downton-signs.keys.k1]
public_key = "{KEY}"
revoked = true
[own-door]
kind = "kafka"
stations = ["s"]
families = ["air"]
"""

BROKEN: dict[str, tuple[str, str, str, str]] = {
    "the canary's id": ("[downton-signs]", "[canary]", "canary", "ingest.canary"),
    "no_toml": ("[own-door]", "[own-door", "", "no TOML"),
    "no_id": ("[own-door]", '["Own"]\nkind = "kafka"\nstations = ["s"]\nfamilies = ["air"]\n[own-door]', "Own", "no principal id"),
    "no_kind": ('kind = "kafka"\n', "", "own-door.kind", "is missing"),
    "unknown_kind": ('"kafka"', '"kafca"', "own-door.kind", 'nearest known one is "kafka"'),
    "unknown_station": ('["a"]', '["aa"]', "upton-works.stations", "names no station"),
    "a_beginning_that_no_station_has": ('["b*"]', '["x*"]', "downton-signs.stations", "names no station"),
    "a_star_inside": ('["b*"]', '["*b"]', "downton-signs.stations", "names no station"),
    "no_station": ('["s"]', "[]", "own-door.stations", "no list of texts"),
    "unknown_family": ('["air"]', '["fire"]', "own-door.families", "no such family"),
    "a_door_of_two_families": ('["air"]', '["air", "water"]', "own-door.families", "one family"),
    "unknown_lane": ('"test"]', '"tests"]', "downton-signs.lanes", 'nearest known one is "test"'),
    "keys_of_a_door": ('["air"]\n', f'["air"]\n[own-door.keys.k]\npublic_key = "{KEY}"\n', "own-door.keys", "has no keys"),
    "no_key": (f'[downton-signs.keys.k1]\npublic_key = "{KEY}"\nrevoked = true\n', "", "downton-signs.keys", "can show nothing"),
    "no_key_id": ("keys.old]", "keys.Old]", "upton-works.keys.Old.", "no key id"),
    "another_kinds_key": ("public_key", "token_sha256", "downton-signs.keys.k1.public_key", "is missing"),
    "a_token_in_clear": (TOKEN, "hunter2", "upton-works.keys.old.token_sha256", "64 hex digits"),
    "half_a_key": (KEY, KEY[:16], "downton-signs.keys.k1.public_key", "not 32 bytes"),
    "no_instant": ("2026-06-01T00:00:00Z", "June", "upton-works.keys.old.not_after", "no instant"),
    "an_instant_without_offset": ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00", "upton-works.keys.old.not_after", "no offset"),
    "ends_before_it_begins": (
        'not_before = "2026-05-01T00:00:00Z"\n',
        'not_before = "2026-05-01T00:00:00Z"\nnot_after = "2026-04-01T00:00:00Z"\n',
        "upton-works.keys.new.not_after",
        "ends before it begins",
    ),
    "three_at_a_time": (
        "[downton-signs]",
        f'[upton-works.keys.third]\ntoken_sha256 = "{"0" * 64}"\nnot_before = "2026-05-02T00:00:00Z"\n[downton-signs]',
        "upton-works.keys.third",
        "more than 2 keys",
    ),
    "one_key_of_two": (
        "[own-door]",
        f'[other]\nkind = "ed25519"\nstations = ["a"]\nfamilies = ["water"]\n[other.keys.k]\npublic_key = "{KEY}"\n[own-door]',
        "other",
        "downton-signs's, too",
    ),
    "signed_only_and_by_token": ('["a"]', '["a", "b"]', "upton-works", "taken only signed"),
    "signs_nothing": ('["air"]', '["air"]\nsigned_only = true', "own-door.kind", "signs nothing"),
    "arrives_never": ("= 900", "= 0", "downton-signs.signed_within_s", "out of range"),
    "unknown_key": ("signed_only", "signed_always", "downton-signs.signed_always", "no such key"),
    "nobody": (GOOD, "", "", "no principal"),
}


def read(text: str):
    return examined({**FILES, "gateways.toml": text})


def test_principals_are_read_as_they_stand():
    region, findings = read(GOOD)
    assert region is not None, findings.problems
    signs, own, works = region.principals
    assert (signs.principal_id, own.principal_id, works.principal_id) == ("downton-signs", "own-door", "upton-works")
    assert (signs.audience, signs.lanes, signs.signed_only, signs.signed_within_s) == ("small", ("live", "test"), True, 900)
    assert signs.keys[0].value == bytes(range(32))
    assert signs.keys[0].revoked
    assert [one.key_id for one in works.keys] == ["new", "old"]
    assert works.keys[1].value.hex() == TOKEN
    assert works.keys[1].not_after == from_text("2026-06-01T00:00:00Z")
    assert signs.may("b/stage", "water")
    assert not signs.may("b/stage", "health")
    assert not signs.may("a/stage", "water")


def test_a_region_without_the_file_has_no_principals():
    region, _ = examined(FILES)
    assert region is not None
    assert region.principals == ()


@pytest.mark.parametrize("name", BROKEN)
def test_every_mistake_is_named_with_its_field_and_what_to_do(name):
    before, after, field, says = BROKEN[name]
    assert before in GOOD
    region, findings = read(GOOD.replace(before, after, 1))
    assert region is None
    found = [one for one in findings.sorted_problems() if one.file == "gateways.toml" and one.field == field]
    assert any(says in f"{one.problem} {one.fix}" for one in found), findings.problems
