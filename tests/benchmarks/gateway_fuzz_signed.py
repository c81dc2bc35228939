"""Fuzzed CAP alerts and signed envelopes: python -m tests.benchmarks.gateway_fuzz_signed [--small] [--alerts N] [--envelopes N] [--seed S].

Sound ones are cut, flipped and spliced after they were signed, and their fields changed before (then they are signed anew, so that what is behind the
signature is reached). An alert goes through `CapIn`, whose statements the fold's door must take; an envelope through ACCEPT. It fails at the
first for which anything is raised, a refusal has no reason, one is neither taken nor refused, or something is taken though its bytes are not what was
signed. Printed: how many a second, what became of them, the slowest.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lxml import etree

from stream.accept import statements
from stream.accept.door import DoorRecord
from stream.accept.refusal import Refused
from stream.gateways.cap_in import CapDuplicate, CapIn, CapSource, Taken
from stream.gateways.cap_refused import CapFault, CapRefused
from stream.records.instants import DAY, HOUR
from stream.records.journal import Statement
from stream.records.lanes import Lane
from stream.region.load import load
from stream.warnings.cap_sign import signed as cap_signed
from tests.accept import signers
from tests.benchmarks.gateway_fuzz import FRAGMENTS, ODD
from tests.decide.conftest import FILES, START, make_bundle
from tests.gateways.cap_alerts import SENDER, keyed, reference, written

if TYPE_CHECKING:
    from collections.abc import Callable

SLOW_S = 1.0
SOUND = 64
"""So many sound alerts and envelopes are made; the others are made of them."""
ANEW = 0.05
"""The share that is changed before it is signed: signing is what costs most here."""
XML = (
    *FRAGMENTS, b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#0;", b"&x;", b"<!DOCTYPE a [<!ENTITY x 'y'>]>", b"<?x?>",
    b"xmlns=''", b"<info>", b"<area>", b"<polygon>", b"9" * 400, b"2024-02-30T25:61:61+99:99", b"<Signature/>", b"UTF-16",
)  # fmt: skip
SAID: dict[str, tuple[Any, ...]] = {
    "msg_type": ("Alert", "Update", "Cancel", "Ack", "Error", "None"),
    "status": ("Test", "Actual", "Exercise", "System", "Draft", ""),
    "severity": ("Extreme", "Severe", "Moderate", "Minor", "Unknown", "Orange"),
    "response": ("AllClear", "Prepare", "None", "?"),
    "references": ("", "a b", "a,b,c", reference("a1", START), reference("a1", START) * 50),
    "code": ("081", "999", ""),
    "area": ("", "<polygon>1,2 3</polygon>", "<polygon>91,181 0,0 1,1 91,181</polygon>", "<circle>0,0 0</circle>", "<circle>nan,inf 1e9</circle>"),
    "expires_at": (0, START - DAY, START + 400 * DAY, 253_402_300_799_000),
    "sender": ("", "else@where", SENDER + " "),
    "headline": ("", "x" * 5000, "\u202e", "&lt;b&gt;"),
    "info": (0, 1),
}  # fmt: skip


def damaged(draw: random.Random, sound: bytes, other: bytes, pieces: tuple[bytes, ...]) -> bytes:
    """Bytes with a part cut out, changed, put in, or taken from another."""
    for _ in range(draw.choice((1, 1, 2, 8))):
        a, b = sorted((draw.randrange(len(sound) + 1), draw.randrange(len(sound) + 1)))
        b = min(b, a + 60)
        made = (
            sound[:a], sound[:a] + sound[b:], sound[:a] + draw.choice(pieces) + sound[a:], sound[:b] + sound[a:], sound[:a] + other[a:],
            sound[:a] + bytes([draw.randrange(256)]) + sound[a + 1 :],
        )  # fmt: skip
        sound = draw.choice(made)
    return sound


class Alerts:
    """Alerts, and the door that takes them."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        with TemporaryDirectory() as folder:
            self._region = load(make_bundle(FILES, Path(folder)))
        self._key = keyed("upstream", START // DAY - 1, 30)
        self._source = CapSource(SENDER, "ava", "rill", (self._key[1],), {"081": "flood"})
        self._sound = [self._signed({"identifier": f"a{number}"}) for number in range(SOUND)]
        self._genuine = set(map(_text, self._sound))
        self._taking = CapIn([self._source], [self._region], Lane.TEST)

    def _signed(self, said: dict[str, Any]) -> bytes:
        made = dict(said)
        return cap_signed(written(str(made.pop("identifier")), START, **made), *self._key)

    def payload(self) -> bytes:
        draw = self._draw
        if draw.random() < ANEW:
            fields = draw.sample(sorted(SAID), draw.choice((1, 2, 3)))
            said = {name: draw.choice(SAID[name]) for name in fields} | {"identifier": draw.choice(["a1", "n1", f"n{draw.random()}"])}
            try:
                made = self._signed(said)
            except (ValueError, etree.LxmlError):  # what cannot be signed cannot come
                return damaged(draw, draw.choice(self._sound), self._sound[0], XML)
            self._genuine.add(_text(made))
            return made
        sound = draw.choice(self._sound)
        return sound if draw.random() < ANEW else damaged(draw, sound, draw.choice(self._sound), XML)

    def take(self, payload: bytes) -> str:
        """What became of it; AssertionError if a promise is broken."""
        found = self._taking.take(payload, START + HOUR)
        if isinstance(found, CapFault):
            assert isinstance(found.reason, CapRefused)
            assert found.detail.isprintable()
            return found.reason.value
        assert _text(payload) in self._genuine, "taken, and nobody had signed it"
        if isinstance(found, CapDuplicate):
            return "duplicate"
        assert isinstance(found, Taken)
        for one in found.statements:
            judged = statements.judge(statements.Stated(one, found.city_id, START + HOUR, Lane.TEST), [self._region])
            assert isinstance(judged, Statement), judged
        return "taken"


def _text(xml: bytes) -> tuple[str, ...]:
    """What an alert says, whatever stands around its elements: what may differ without anybody having changed it is left out."""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True, recover=True))
    return tuple(f"{one.tag}={(one.text or '').strip()}" for one in root.iter() if "xmldsig" not in str(one.tag))


class Envelopes:
    """Envelopes, and ACCEPT that takes them."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._sound = [signers.signed(sequence=number, payload=signers.payload(signers.stage(value=number / 8))) for number in range(SOUND)]
        self._genuine = {_canonical(one) for one in self._sound}

    def payload(self) -> bytes:
        draw = self._draw
        sound = draw.choice(self._sound)
        chance = draw.random()
        if chance < ANEW:
            return sound
        if chance < 2 * ANEW:
            items = [
                signers.stage(**{draw.choice(["series", "value", "unit", "observed_at", "id", "lane", "x"]): draw.choice(ODD)})
                for _ in range(2)
            ]
            body = json.dumps(items).encode() if draw.random() < 0.5 else damaged(draw, signers.payload(*items), sound, FRAGMENTS)
            made = signers.signed(draw.choice(["now", "now", "old", "lost"]), payload=body, sequence=draw.randrange(99))
            self._genuine.add(_canonical(made))
            return made
        if chance < 0.5:
            tree = json.loads(sound)
            tree[draw.choice(list(tree))] = draw.choice(ODD)
            return json.dumps(tree).encode()
        return damaged(draw, sound, draw.choice(self._sound), FRAGMENTS)

    def take(self, payload: bytes) -> str:
        """What became of it; AssertionError if a promise is broken."""
        # The time of its append is given, as a broker would say it.
        out = signers.accept().accept("measurements.water", [DoorRecord(1, 5, signers.NOW, payload)], signers.NOW)
        assert out.accepted or out.refused, "neither taken nor refused"
        assert all(isinstance(one.reason, Refused) for one in out.refused)
        if out.accepted:
            assert _canonical(payload) in self._genuine, "taken, and nobody had signed it"
            return "taken"
        return out.refused[0].reason.value


def _canonical(value: bytes) -> str:
    """An envelope without the spaces between its fields."""
    return json.dumps(json.loads(value), sort_keys=True)


def fuzz(name: str, kind: Callable[[random.Random], Alerts | Envelopes], number: int, seed: int) -> Counter[str]:
    """What became of so many; AssertionError with its number and bytes at the first that breaks a promise."""
    source = kind(random.Random(seed))
    became: Counter[str] = Counter()
    slowest, slow, spent = 0.0, b"", 0.0
    for at in range(number):
        payload = source.payload()
        start = time.thread_time()
        try:
            became[source.take(payload)] += 1
        except Exception as error:
            msg = f"{name}, seed {seed}, number {at}: {payload!r}"
            raise AssertionError(msg) from error
        took = time.thread_time() - start
        spent += took
        if took > slowest:
            slowest, slow = took, payload
    assert slowest < SLOW_S, f"{len(slow)} bytes took {slowest:.1f} s: {slow[:200]!r}"
    print(f"{number} {name} (seed {seed}), {number / spent:.0f} a second, slowest {slowest * 1000:.1f} ms")
    print("  " + ", ".join(f"{what} {count}" for what, count in became.most_common()))
    return became


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="2,000 alerts and 10,000 envelopes")
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--envelopes", type=int, default=300_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    fuzz("alerts", Alerts, 2_000 if given.small else given.alerts, given.seed)
    fuzz("envelopes", Envelopes, 10_000 if given.small else given.envelopes, given.seed)


if __name__ == "__main__":
    main()
