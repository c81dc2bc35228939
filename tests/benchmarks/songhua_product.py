"""The service itself on `deploy/regions/songhua`: what each city was told about its arrival, revision by revision.

The history is what bulletins published, a value or two a day. A passage here is the first trace that was published of a section, found since
the value before it, or within a day where there is none; a first value that is high already only says that the front came no later. The
benchmark beside it also knows Harbin's and Jiamusi's fronts, which came without a value; and the region keeps its own settings.
"""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.bundle import bundle
from stream.region.load import load
from stream.review import inputs, journal_file, replay
from stream.settings import Settings
from tests.region.shared import REGIONS

FOLDER = REGIONS / "songhua"
HOUR_S = 3600.0


class Told(NamedTuple):
    """One change of a city's arrival: when it was said, the window, and what corrected it ("" = the prior alone)."""

    city: str
    said: datetime
    p10: datetime
    p50: datetime
    p90: datetime
    by: str


def arrivals() -> list[Told]:
    """Every arrival by river that a city was told while it was still ahead, in the order of the warnings; repetitions left out."""
    region = load(bundle(FOLDER))
    settings = Settings(prefix="songhua.", lane=Lane.TEST, clock="observed", partitions=1)
    made = replay.journal_of([region], inputs.in_feed_order(inputs.read_files(region, [FOLDER / "history.csv"])), settings)
    header = journal_file.Header(settings.lane, settings.clock, settings.partitions)
    found: dict[str, list[Told]] = {}
    for output in replay.decide([region], header, made.records):
        if output.kind is not Kind.CITY or not output.warning_id or not output.value:
            continue
        body = json.loads(output.value)
        if body["path"] != "river" or not body["arrives_at_p50"]:
            continue
        by = " ".join(word for word in body["reasons"] if word.startswith(("from:", "legs", "passage_doubted")))
        times = (datetime.fromisoformat(body[key]) for key in ("sent_at", "arrives_at_p10", "arrives_at_p50", "arrives_at_p90"))
        one = Told(body["city_id"], *times, by)
        known = found.setdefault(one.city, [])
        if one.said < one.p90 and (not known or known[-1].p50 != one.p50):
            known.append(one)
    return [one for told in found.values() for one in told]


def table() -> list[str]:
    """The arrivals beside the published first detections (`observed.csv`), where there is one."""
    with (FOLDER / "observed.csv").open(encoding="utf-8") as lines:
        seen = {row["city_id"]: datetime.fromisoformat(row["arrived_at"]) for row in csv.DictReader(lines)}
    china = timezone(timedelta(hours=8))
    rows = ["| city | said | P10 | P50 | P90 | first detection | error h | by |", "|---" * 8 + "|"]
    for one in arrivals():
        at = seen.get(one.city)
        texts = [f"{moment.astimezone(china):%d %b %H:%M}" for moment in (one.said, one.p10, one.p50, one.p90)]
        observed = "" if at is None else f"{at:%d %b %H:%M}"
        error = "" if at is None else f"{(one.p50 - at).total_seconds() / HOUR_S:+.1f}"
        rows.append(f"| {one.city} | {' | '.join(texts)} | {observed} | {error} | {one.by or 'prior'} |")
    return rows
