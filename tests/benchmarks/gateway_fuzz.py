"""Fuzzed payloads over all dialects: python -m tests.benchmarks.gateway_fuzz [--small] [--payloads N] [--seed S] [--out FOLDER].

Golden payloads are cut, flipped, spliced, and their JSON trees changed; each goes through a dialect (mostly its own) and the judge. It fails at the first
payload for which anything is raised, an item has no verdict, a refusal has no reason, an item goes to no door or to two, or a door
refuses what the gateway let through. Printed: payloads a second, verdicts and reasons by dialect, the slowest payload.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

from stream.accept.door import Accept, DoorRecord
from stream.accept.refusal import Refused
from stream.gateways.dialect import Asked, dialect, names
from stream.gateways.judging import Judge, Seen
from stream.gateways.mapping_file import load_mapping
from stream.gateways.verdict import Item, Verdict, Wrong
from stream.settings import Settings
from tests.accept.regions import region

GOLDEN = Path(__file__).parents[1] / "gateways" / "dialects"
NOW = 1_714_564_800_000
SLOW_S = 1.0
TOGETHER = 200
"""Payloads judged together."""
TOPICS = ("", "v1.1/Datastreams(17)/Observations", "v1.1/Datastreams('roof-pm')/Observations", "application/1/device/x/event/up")
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -1e-320, 10**30, 2**63, 1714561200, 1714561200000, "", "1e999", "NaN", "ſ", "\x00", "\ud7ff\U0010ffff", "\u202e",
    "2024-05-01T11:00:00", "2024-05-01T11:00:00+99:99", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-02-30", "24:00", "W01-1",
    "a" * 300, [], {}, [[]], [None], {"": None}, "upper", "roof", "stage", "pm25", "north", "cases", 17, "roof-pm", "m", "cm", "9**9**9", "exercise",
)  # fmt: skip
FRAGMENTS = (
    b"\x00",
    b"\xff",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r",
    b";",
    b"\\u",
    b"1e400",
    b"NaN",
    b"\xef\xbb\xbf",
    b'"report":',
    b"null",
)


class Fuzz:
    """Payloads drawn from the golden ones by a seed."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        paths = [path for path in sorted(GOLDEN.glob("*/*")) if path.suffix in {".json", ".ndjson", ".csv"}]
        self._golden = [(path.parent.name, path.read_bytes()) for path in paths]
        self._trees = {payload: tree for _, payload in self._golden if (tree := _tree(payload)) is not None}
        self._dialects = names()

    def payload(self) -> tuple[str, str, bytes]:
        """A dialect, a topic, and bytes."""
        draw = self._draw
        name, payload = draw.choice(self._golden)
        tree = self._trees.get(payload)
        if tree is not None and draw.random() < 0.6:
            tree = json.loads(json.dumps(tree))
            for _ in range(draw.choice((1, 1, 2, 4))):
                tree = self._changed(tree)
            payload = json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode()
        if tree is None or draw.random() < 0.4:
            for _ in range(draw.choice((1, 1, 2, 8))):
                payload = self._damaged(payload)
        return draw.choice(self._dialects) if draw.random() < 0.1 else name, draw.choice(TOPICS), payload

    def _changed(self, tree: Any) -> Any:
        """A tree with one node dropped, doubled, nested or replaced by something odd."""
        draw = self._draw
        if not isinstance(tree, dict | list) or not tree or draw.random() < 0.15:
            return deepcopy(draw.choice(ODD))
        key: Any = draw.choice(list(tree)) if isinstance(tree, dict) else draw.randrange(len(tree))
        what = draw.random()
        if what < 0.15:
            del tree[key]
        elif what < 0.25 and isinstance(tree, list):
            tree.insert(key, tree[key])
        elif what < 0.3:
            tree[key] = [tree[key]]
        elif what < 0.35 and isinstance(tree, dict):
            tree[draw.choice(("report", "area", "lane", "unit", "id", "patient", "result", "value"))] = tree[key]
        else:
            tree[key] = self._changed(tree[key])
        return tree

    def _damaged(self, payload: bytes) -> bytes:
        """Bytes with a part cut out, changed, doubled, or something put in."""
        draw = self._draw
        a, b = sorted((draw.randrange(len(payload) + 1), draw.randrange(len(payload) + 1)))
        b = min(b, a + 40)
        what = draw.randrange(6)
        if what == 0:
            return payload[:a]
        if what == 1:
            return payload[:a] + payload[b:]
        if what == 2:
            return payload[:a] + draw.choice(FRAGMENTS) + payload[a:]
        if what == 3:
            return payload[:b] + payload[a:]
        if what == 4:
            return payload[:a] + bytes([draw.randrange(256)]) + payload[a + 1 :]
        return payload[:a] + draw.choice(self._golden)[1][a:]


def _tree(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None


class Doors:
    """The gateway's judge, and the doors that must let in all it lets through."""

    def __init__(self) -> None:
        self.mapping = load_mapping(GOLDEN / "gateway.toml")
        self._judge = Judge([region()], Settings(), Seen(20))
        self._accept = Accept([region()], Settings(), 1)
        self.verdicts: Counter[tuple[str, str]] = Counter()
        self.reasons: Counter[str] = Counter()

    def read(self, name: str, topic: str, payload: bytes) -> list[Item | Wrong]:
        """What a dialect finds; AssertionError if it promises less than an item or a fault with its reason and place."""
        found = dialect(name).decode(payload, Asked(topic, self.mapping))
        assert found, "no item and no fault"
        for one in found:
            if isinstance(one, Wrong):
                assert isinstance(one.fault.reason, Refused)
                assert one.path
                self.reasons[one.fault.reason.value] += 1
            else:
                assert isinstance(one, Item)
        return found

    def judge(self, of: list[str], found: list[Item | Wrong]) -> None:
        """What many payloads held, through the judge and the doors; `of`: the dialect of each item. AssertionError if a promise is broken."""
        judged, records = self._judge.judge(found, NOW)
        assert [one.item for one in judged] == list(range(len(found)))
        assert all(one.error for one in judged if one.verdict is Verdict.REJECTED)
        through = sorted(item for record in records for item in record.items)
        assert through == [one.item for one in judged if one.verdict is Verdict.ACCEPTED]
        for record in records:
            out = self._accept.accept(record.family, [DoorRecord(0, 0, NOW, record.value)], NOW)
            assert (out.refused, out.accepted) == ([], len(record.items))
        self._judge.remember(records[::2])
        for name, one in zip(of, judged, strict=True):
            self.verdicts[name, one.verdict.value] += 1


def fuzz(payloads: int, seed: int) -> dict[str, Any]:
    """The figures of so many payloads; AssertionError with the payload's number at the first that breaks a promise."""
    source, doors = Fuzz(seed), Doors()
    slowest, slow = 0.0, b""
    began = time.perf_counter()
    for first in range(0, payloads, TOGETHER):
        of: list[str] = []
        found: list[Item | Wrong] = []
        drawn = [source.payload() for _ in range(min(TOGETHER, payloads - first))]
        try:
            for name, topic, payload in drawn:
                start = time.thread_time()
                some = doors.read(name, topic, payload)
                if (took := time.thread_time() - start) > slowest:
                    slowest, slow = took, payload
                found += some
                of += [name] * len(some)
            doors.judge(of, found)
        except Exception as error:
            msg = f"seed {seed}, payloads {first} to {first + len(drawn) - 1}, read as far as {(name, topic, payload)!r}"
            raise AssertionError(msg) from error
    took = time.perf_counter() - began
    assert slowest < SLOW_S, f"a payload of {len(slow)} bytes took {slowest:.1f} s: {slow[:200]!r}"
    verdicts = {name: {kind: doors.verdicts[name, kind] for kind in ("accepted", "duplicate", "rejected")} for name in names()}
    reasons = dict(doors.reasons.most_common())
    return {
        "payloads": payloads,
        "seed": seed,
        "per_s": payloads / took,
        "slowest_ms": slowest * 1000,
        "verdicts": verdicts,
        "reasons": reasons,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="20,000 payloads")
    parser.add_argument("--payloads", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    figures = fuzz(20_000 if given.small else given.payloads, given.seed)
    print(
        f"{figures['payloads']} payloads (seed {figures['seed']}), {figures['per_s']:.0f} a second, slowest {figures['slowest_ms']:.1f} ms"
    )
    for name, row in figures["verdicts"].items():
        print(f"  {name:14}" + "".join(f"{kind} {count:8}  " for kind, count in row.items()))
    print("  reasons of dialects: " + ", ".join(f"{reason} {count}" for reason, count in figures["reasons"].items()))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "gateway_fuzz.json").write_text(json.dumps(figures, indent=2), "utf-8")


if __name__ == "__main__":
    main()
