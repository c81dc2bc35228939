"""`gateways.toml`: who may hand in measurements, for which stations, and how each shows that it is the one it says it is.

A principal is a gateway, an agency or another city. Secrets are never in the file: of an HTTP token its SHA-256 (a token is 32 random bytes
or more, so that no salt and no slow hash is needed), of a certificate its SHA-256 fingerprint, of a signer its public key. Two keys of one
principal may be valid at a time, so that a new one can be brought in before the old one goes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.records.canary import PRINCIPAL
from stream.records.instants import EARLIEST_AT, LATEST_AT, from_text
from stream.records.lanes import Lane
from stream.region.fields import read_toml
from stream.region.names import FAMILIES, IDENTIFIER, IDENTIFIER_FIX
from stream.region.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from stream.region.fields import Fields
    from stream.region.problems import Findings

FILE = "gateways.toml"
OWN_DOOR = "kafka"
"""The kind of principals that have a door of their own."""
KEY_FIELD: Mapping[str, str] = {
    "http_token": "token_sha256",
    "mtls": "certificate_sha256",
    "ed25519": "public_key",
    OWN_DOOR: "",
}
"""Kinds of principals, and what a key of each is. `kafka` has none: its door `ingest.<id>` is its own by the broker's access control."""
DIGEST_BYTES = 32
VALID_AT_ONCE = 2
SIGNED_WITHIN_S = 3_600.0
_DAY_S = 86_400.0
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a principal: the hash of a token or certificate, or a public key (32 bytes each). Valid from `not_before` until before `not_after` (ms)."""

    key_id: str
    value: bytes
    not_before: int = EARLIEST_AT
    not_after: int = LATEST_AT
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """Who may speak for the stations of `stations` (a name, or a beginning of names with `*` after it) at the doors of `families`, on `lanes`.

    `audience`: for whom what it signs is meant. `signed_within_s`: so long after it was signed a batch may arrive. `signed_only`: what it speaks
    for is taken from a shared door only with its signature.
    """

    principal_id: str
    kind: str
    stations: tuple[str, ...]
    families: tuple[str, ...]
    lanes: tuple[str, ...]
    audience: str
    keys: tuple[Key, ...] = ()
    signed_within_s: float = SIGNED_WITHIN_S
    signed_only: bool = False
    revoked: bool = False

    def speaks_for(self, station: str) -> bool:
        """Whether it is bound to this station.

        >>> one = Principal("p", "kafka", ("rs-*", "vienna"), ("water",), ("live",), "danube")
        >>> one.speaks_for("rs-7"), one.speaks_for("vienna"), one.speaks_for("vienna2")
        (True, True, False)
        """
        return any(station.startswith(one[:-1]) if one.endswith(_ANY) else station == one for one in self.stations)

    def may(self, series: str, family: str) -> bool:
        """Whether it may hand in this series (`station/quantity`) at the door of this family."""
        return family in self.families and self.speaks_for(series.rpartition("/")[0])


def own_doors(principals: Iterable[Principal]) -> tuple[str, ...]:
    """Who has a door of his own, in the order of their ids."""
    return tuple(sorted(one.principal_id for one in principals if one.kind == OWN_DOOR))


def read_principals(data: bytes, region: str, stations: Collection[str], findings: Findings) -> tuple[Principal, ...]:
    """The principals of the file in the order of their ids; everything wrong with them is recorded. `stations`: those of the region."""
    top = read_toml(FILE, data, findings)
    if top is None:
        return ()
    found = []
    for principal_id in sorted(top.names()):
        table = top.sub(principal_id)
        if not IDENTIFIER.fullmatch(principal_id):
            top.problem(principal_id, f"{principal_id!r} is no principal id", IDENTIFIER_FIX)
        if principal_id == PRINCIPAL:
            top.problem(principal_id, f"{principal_id!r} is reserved: it would share the topic ingest.{principal_id}", "choose another id")
        if table is not None:
            found.append(_principal(principal_id, table, region, stations))
    if not found:
        findings.add(FILE, 0, "", "the file holds no principal", "add [<id>] with kind, stations and families, or remove the file")
    _no_key_twice(top, found)
    _no_contradiction(top, found, stations)
    return tuple(found)


def _principal(principal_id: str, table: Fields, region: str, stations: Collection[str]) -> Principal:
    kind = table.string("kind")
    if kind and kind not in KEY_FIELD:
        table.problem("kind", f"no such kind {kind!r}", nearest(kind, KEY_FIELD))
    within_s = table.number("signed_within_s", 1, 30 * _DAY_S)
    read = Principal(
        principal_id=principal_id,
        kind=kind,
        stations=_stations(table, stations),
        families=_families(table, kind),
        lanes=_lanes(table),
        audience=table.string("audience", otherwise=region),
        keys=_keys(table, kind),
        signed_within_s=SIGNED_WITHIN_S if within_s is None else within_s,
        signed_only=table.flag("signed_only"),
        revoked=table.flag("revoked"),
    )
    if kind != "ed25519" and (read.signed_only or within_s is not None):
        table.problem("kind", f"a principal of kind {kind!r} signs nothing", "remove signed_only and signed_within_s")
    table.no_more()
    return read


def _stations(table: Fields, known: Collection[str]) -> tuple[str, ...]:
    names = table.strings("stations")
    for name in names:
        if _ANY in name[:-1] or not any(one.startswith(name[:-1]) if name.endswith(_ANY) else one == name for one in known):
            table.problem(
                "stations",
                f"{name!r} names no station",
                f"write a station of stations.csv, or how some begin and *: {nearest(name, known)}",
            )
    return names


def _families(table: Fields, kind: str) -> tuple[str, ...]:
    families = table.strings("families")
    for family in families:
        if family not in FAMILIES:
            table.problem("families", f"no such family {family!r}", nearest(family, FAMILIES))
    if kind == "kafka" and len(families) > 1:
        table.problem("families", "its door carries one family", "make a principal, and so a door, for each family")
    return families


def _lanes(table: Fields) -> tuple[str, ...]:
    lanes = table.strings("lanes", needed=False) or (Lane.LIVE.value,)
    for lane in lanes:
        if lane not in tuple(Lane):
            table.problem("lanes", f"no such lane {lane!r}", nearest(lane, [one.value for one in Lane]))
    return lanes


def _keys(table: Fields, kind: str) -> tuple[Key, ...]:
    keys, name = table.sub("keys"), KEY_FIELD.get(kind, "")
    if not name:
        if keys is not None:
            table.problem(
                "keys", f"a principal of kind {kind!r} has no keys", "remove them: its door is its own by the broker's access control"
            )
        return ()
    if keys is None or not keys.names():
        table.problem("keys", "it can show nothing", f"add [{table.path[0]}.keys.<key id>] with {name}")
        return ()
    found = [_key(key_id, one, name) for key_id in sorted(keys.names()) if (one := keys.sub(key_id)) is not None]
    valid = [one for one in found if not one.revoked]
    for key in valid:
        if sum(one.not_before <= key.not_before < one.not_after for one in valid) > VALID_AT_ONCE:
            keys.problem(
                key.key_id, f"more than {VALID_AT_ONCE} keys are valid at a time", "let older ones end (not_after), or revoke them"
            )
            break
    return tuple(found)


def _key(key_id: str, table: Fields, name: str) -> Key:
    if not IDENTIFIER.fullmatch(key_id):
        table.problem("", f"{key_id!r} is no key id", IDENTIFIER_FIX)
    text = table.string(name)
    value = _bytes(text, is_hex=name != "public_key")
    if text and (value is None or len(value) != DIGEST_BYTES):
        how = "base64 of the 32 bytes of an Ed25519 public key" if name == "public_key" else "64 hex digits"
        table.problem(name, f"is not {DIGEST_BYTES} bytes", f"write {how}")
    not_before = _at(table, "not_before", EARLIEST_AT)
    not_after = _at(table, "not_after", LATEST_AT)
    if not_after <= not_before:
        table.problem("not_after", "it ends before it begins", "give an instant after not_before")
    revoked = table.flag("revoked")
    table.no_more()
    return Key(key_id, value or b"", not_before, not_after, revoked)


def _bytes(text: str, *, is_hex: bool) -> bytes | None:
    try:
        return bytes.fromhex(text) if is_hex else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _at(table: Fields, name: str, otherwise: int) -> int:
    text = table.string(name, otherwise="")
    if not text:
        return otherwise
    try:
        return from_text(text)
    except ValueError as error:
        table.problem(name, f"is no instant: {error}", f'write {name} = "2026-01-01T00:00:00Z"')
        return otherwise


def _no_key_twice(top: Fields, found: list[Principal]) -> None:
    """Who holds a key is one principal; and what signs exercises must not be able to sign live data."""
    owner: dict[bytes, str] = {}
    for principal in found:
        for key in principal.keys:
            before = owner.setdefault(key.value, principal.principal_id)
            if key.value and before != principal.principal_id:
                top.problem(principal.principal_id, f"its key {key.key_id} is {before}'s, too", "give each principal keys of its own")


def _no_contradiction(top: Fields, found: list[Principal], stations: Collection[str]) -> None:
    """What is taken only signed cannot come through a gateway that signs nothing."""
    only = [one for one in found if one.signed_only]
    for other in found:
        if other.kind not in ("http_token", "mtls"):
            continue
        both = [(one, name) for one in only for name in stations if one.speaks_for(name) and other.speaks_for(name)]
        if both:
            one, name = both[0]
            top.problem(
                other.principal_id,
                f"{one.principal_id} has {name} taken only signed",
                "take the station from one of them, or signed_only away",
            )
