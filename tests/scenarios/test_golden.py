"""A recorded journal and what follows from it, kept: every change of behaviour shows as a difference of lines.

`golden/` holds the region as it was published (`region.bundle`), the journal of five days of the example (`journal.bin`), and what they lead to
(`expected.jsonl`): every warning, incident, piece of evidence and change of a status, and at last the digest of all outputs with their headers and
times (heartbeats, and `warnings`, which repeats the city topics, are only in the digest). After a wanted change of behaviour

    TOCSIN_GOLDEN=expected python -m pytest tests/scenarios/test_golden.py

writes `expected.jsonl` anew, and its difference belongs in the same commit; `TOCSIN_GOLDEN=all` also takes region and journal anew, from
`deploy/regions/example`: only needed when old journals or regions cannot be read any more, or do not show something that should be kept.
"""

from __future__ import annotations

import csv
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.records.output import Kind, Output
from stream.records.warning import Lane
from stream.region.bundle import bundle, pack, unpack
from stream.region.load import load
from stream.review import inputs, journal_file, replay
from stream.settings import Settings
from tests.region.shared import REGIONS, write_feed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GOLDEN = Path(__file__).parent / "golden"
EXPECTED, JOURNAL, REGION = GOLDEN / "expected.jsonl", GOLDEN / "journal.bin", GOLDEN / "region.bundle"
FROM, TO = "2024-05-06", "2024-05-11"
JOURNAL_BYTES_MOST = 200_000


def decided() -> list[Output]:
    region = load(unpack(REGION.read_bytes()))
    return list(replay.decide([region], journal_file.read_header(JOURNAL), journal_file.read(JOURNAL)))


def lines(outputs: Iterable[Output]) -> Iterator[bytes]:
    """What is kept of the outputs: one JSON object a line, their digest last."""
    digest, count, states = sha256(), 0, {}
    for output in outputs:
        count += 1
        digest.update(repr((output.kind.value, output.city_id, output.key, output.value, output.sent_at, output.headers)).encode() + b"\n")
        if output.kind is Kind.WARNINGS or (output.kind is Kind.CITY and not output.warning_id):
            continue
        if output.kind is Kind.CITY_STATUS:
            body = json.loads(output.value or b"{}")
            state = (body["state"], body["level"])
            if states.get(output.key) == state:
                continue
            states[output.key] = state
        yield replay.line(output) + b"\n"
    yield json.dumps({"outputs": count, "sha256": digest.hexdigest()}).encode() + b"\n"


def remake(work: Path, *, everything: bool) -> None:
    """Write the golden files anew (see above)."""
    GOLDEN.mkdir(exist_ok=True)
    if everything:
        with (REGIONS / "example" / "history.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["series"].endswith("/cases") or FROM <= row["observed_at"] < TO]
        feed = write_feed(work / "feed.csv", ((row["series"], row["observed_at"], row["value"]) for row in rows))
        bundled = bundle(REGIONS / "example")
        region = load(bundled)
        settings = Settings(prefix="golden.", lane=Lane.TEST, clock="observed", partitions=2)
        made = replay.journal_of([region], inputs.in_feed_order(inputs.read_files(region, [feed])), settings)
        assert made.refused == []
        REGION.write_bytes(pack(bundled))
        journal_file.write(JOURNAL, journal_file.Header(settings.lane, settings.clock, settings.partitions), made.records)
    EXPECTED.write_bytes(b"".join(lines(decided())))


@pytest.fixture(scope="module", autouse=True)
def _remade(tmp_path_factory: pytest.TempPathFactory) -> None:
    if wanted := os.environ.get("TOCSIN_GOLDEN"):
        assert wanted in {"expected", "all"}, "TOCSIN_GOLDEN is `expected` or `all`"
        remake(tmp_path_factory.mktemp("golden"), everything=wanted == "all")


def test_the_recorded_journal_leads_to_the_kept_outputs_byte_for_byte() -> None:
    found, expected = list(lines(decided())), EXPECTED.read_bytes().splitlines(keepends=True)
    for number, (one, kept) in enumerate(zip(found, expected, strict=False), 1):
        assert one == kept, f"{EXPECTED.name}:{number} differs; if this is wanted, make it anew (see the top of this file)"
    assert len(found) == len(expected)


def test_what_is_kept_shows_all_hazards_and_stays_small() -> None:
    kept = [json.loads(line) for line in EXPECTED.read_bytes().splitlines()[:-1]]
    assert {one["value"]["hazard"] for one in kept if one["warning_id"]} == {"flood", "pollutant", "air", "outbreak"}
    assert {one["kind"] for one in kept} == {"city", "city_status", "incidents", "evidence", "postures", "station_health"}
    assert {one["value"]["reason"] for one in kept if one["warning_id"]} >= {"first", "worse", "better", "cleared", "extended"}
    assert JOURNAL.stat().st_size < JOURNAL_BYTES_MOST
