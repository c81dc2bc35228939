"""Laws of order and place: what arrives twice, shuffled or on other partitions leads to the same end; nobody outside a footprint is warned."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stream.decide.fold import Fold
from stream.records.instants import DAY, HOUR, SECOND
from stream.records.journal import Columns, Command, Entry, Measurements, Tick, columns, decode, encode, measurements, partition_of
from stream.records.output import Kind, Output
from stream.records.warning import Lane

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.decide.partition import Partition
    from tests.decide.conftest import Story

LAWS = settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
STEP = HOUR
LATE = 6
"""A measurement may come so many steps late: six hours, as much as the hazard allows."""
BLUE = 2.0
WANTED = frozenset({"first", "worse", "surer", "earlier", "later"})
"""What is only held up names everything that was found in its incident."""
RUN_ASKED = 3
"""The stage detector clears after three samples in a row; that a run is longer changes nothing any more."""
DOMAINS = {"rill": ("upper", "middle", "lower"), "beck": ("left", "right", "below")}
BELOW = {
    "ava": ("upper",),
    "bor": ("upper", "middle"),
    "cam": ("upper", "middle", "lower"),
    "dee": ("left", "right", "below"),
    "elm": ("left",),
}
"""By city, the stations above it or in it: written down by hand, not computed from the region."""
STATIONS = """left,stage,beck,m,elm,31.0,111.0,left,0,3600,UTC,,,2,3,4,5
right,stage,beck,m,,31.0,111.2,right,0,3600,UTC,,,2,3,4,5
below,stage,beck,m,,30.7,111.1,stem,5,3600,UTC,,,2,3,4,5
"""
REACHES = "left,stem,1,36,1,,,\nright,stem,1,36,1,,,\nstem,,1,40,1,,,\n"


class Sample(NamedTuple):
    """One measurement: when it comes, of what station, from when, and what."""

    at: int
    station: str
    observed_at: int
    value: float


@pytest.fixture
def rivers(story, files):
    """The small river and a second one in a domain of its own, with a city at one of its two springs and one below where they meet."""
    cities = json.loads(files["cities.geojson"])
    for name, where, reach, km in (("dee", [111.1, 30.6], "stem", 20), ("elm", [111.0, 31.0], "left", 0)):
        properties = {
            "id": name,
            "name_zh": name,
            "name_en": name.title(),
            "level": "city",
            "radius_km": 5,
            "river": [{"reach": reach, "km": km}],
        }
        cities["features"].append({"type": "Feature", "geometry": {"type": "Point", "coordinates": where}, "properties": properties})
    flood = (
        files["hazards/flood.toml"]
        .replace("grid_step_s = 600", "grid_step_s = 3600")
        .replace("status_valid_s = 3600", "status_valid_s = 14400")
    )
    changed = {
        "hazards/flood.toml": flood,
        "region.toml": files["region.toml"] + '[domains.beck]\nfamilies = ["water"]\n',
        "stations.csv": files["stations.csv"].replace(",600,", ",3600,") + STATIONS,
        "reaches.csv": files["reaches.csv"] + REACHES,
        "cities.geojson": json.dumps(cities),
    }
    return story(changed)


def weather(seed: int, start: int, days: float = 2.0) -> list[Sample]:
    """Random rises and falls at all stations, with gaps; then five days at one value each, away from every limit."""
    rng = random.Random(seed)
    found = []
    for station in (name for names in DOMAINS.values() for name in names):
        level = 1.0
        for turn in range(round(days * DAY / STEP)):
            level = max(0.2, level + rng.gauss(0, 0.4) - 0.05 * (level - 1.5))
            if rng.random() < 0.9:
                at = start + turn * STEP
                found.append(Sample(at, station, at, round(level, 2)))
        last = rng.choice([1.5, 1.5, 2.5, 3.5, 4.5])
        first = start + round(days * DAY / STEP) * STEP
        found += [Sample(at, station, at, last) for at in range(first, first + 5 * DAY, 2 * HOUR)]
    return sorted(found)


def journal(tale: Story, samples: Iterable[Sample], seed: int = 0) -> list[Entry]:
    """One message a domain and time of arrival, a tick after each; the order within a message is random, too."""
    rng, series = random.Random(seed), tale.region.series
    by_time: dict[int, dict[str, list[Sample]]] = {}
    for sample in samples:
        domain = next(name for name, stations in DOMAINS.items() if sample.station in stations)
        by_time.setdefault(sample.at, {}).setdefault(domain, []).append(sample)
    entries = [Entry(0, min(by_time), encode(Command("activate", tale.region.name, tale.region.region_hash)))]
    for at, domains in sorted(by_time.items()):
        for domain, here in sorted(domains.items()):
            rng.shuffle(here)
            arrays = Columns(
                np.array([series.row_of[f"{one.station}/stage"] for one in here], "<i4"),
                np.array([one.observed_at for one in here], "<i8"),
                np.array([one.value for one in here], "<f8"),
                np.zeros(len(here), "u1"),
            )
            entries.append(Entry(len(entries), at, encode(measurements(domain, tale.region.region_hash, arrays))))
        entries.append(
            Entry(len(entries), at + SECOND, encode(Tick(at + SECOND, 5.0, at + SECOND, acknowledgements_written_at=at + SECOND)))
        )
    return entries


def run(tale: Story, entries: list[Entry], partitions: int = 1) -> tuple[list[Output], dict[str, Partition]]:
    """Every partition's outputs one after the other, and the state that holds each domain."""
    fold = Fold(tale.lookup, lane=Lane.TEST, clock="broker", partitions=partitions)
    outputs, states = [], {}
    for partition in sorted({partition_of(domain, partitions) for domain in DOMAINS}):
        mine = [domain for domain in DOMAINS if partition_of(domain, partitions) == partition]
        state = fold.initial(partition)
        kept = [one for one in entries if not isinstance(message := decode(one.value), Measurements) or message.domain in mine]
        outputs += fold.apply(state, [Entry(offset, one.timestamp, one.value) for offset, one in enumerate(kept)])
        states |= dict.fromkeys(mine, state)
    return outputs, states


def standing(states: dict[str, Partition]) -> set[tuple[str, str, int]]:
    """Who is warned of what at which level in the end."""
    return {
        (city, name, told.level)
        for domain, state in states.items()
        for name, hazard in state.core.domains[domain].hazards.items()
        for incident in hazard.incidents.values()
        for city, told in incident.told.items()
        if not told.ended
    }


def remembered(states: dict[str, Partition]) -> dict[str, list[object]]:
    """What detection remembers of every series: its history, its levels, every detector's record."""
    found: dict[str, list[object]] = {}
    for domain, state in states.items():
        bound = state.bounds["rill"]
        for row in bound.members[domain].tolist():
            records = [
                settled(use.state[use.compact[row]]) for hazard in bound.hazards for use in hazard.detectors if use.compact[row] >= 0
            ]
            found[bound.series(row)] = [
                bound.history[row].tobytes(),
                *(hazard.levels[:, row].tobytes() for hazard in bound.hazards),
                *records,
            ]
    return found


def settled(record: np.void) -> list[object]:
    """A detector's record; runs of samples in a row count as far as any rule asks for them."""
    names = record.dtype.names or ()
    return [np.minimum(record[name], RUN_ASKED).tolist() if name in ("above", "below") else record[name].tolist() for name in names]


def said(outputs: list[Output]) -> dict[str, list[Output]]:
    """Outputs by the domain they are about, in order."""
    found: dict[str, list[Output]] = {}
    for one in outputs:
        found.setdefault(json.loads(one.value or b"{}").get("domain", ""), []).append(one)
    return found


def warnings(outputs: list[Output]) -> list[dict]:
    return [body for one in outputs if one.kind is Kind.CITY and (body := json.loads(one.value or b"{}"))["type"] == "warning"]


@LAWS
@given(seed=st.integers(0, 10**6), partitions=st.sampled_from([2, 3, 5, 12]))
def test_on_other_partitions_every_domain_says_the_same(rivers, start, seed, partitions):
    entries = journal(rivers, weather(seed, start))
    one, states = run(rivers, entries)
    other, others = run(rivers, entries, partitions)

    assert warnings(one)
    assert said(other) == said(one)
    assert (standing(others), remembered(others)) == (standing(states), remembered(states))


@LAWS
@given(seed=st.integers(0, 10**6))
def test_shuffled_within_what_may_be_late_the_end_is_the_same(rivers, start, seed):
    """Ids and numbers of revisions may differ; what detection remembers and who is warned of what in the end do not."""
    rng = random.Random(seed)
    samples = weather(seed, start)
    until = start + 2 * DAY
    shuffled = [one._replace(at=one.at + rng.choice([0, 0, 0, 1, 3, LATE]) * STEP) if one.at < until else one for one in samples]
    out, states = run(rivers, journal(rivers, samples))
    _, others = run(rivers, journal(rivers, shuffled, seed))

    assert warnings(out)
    assert any(one.at != one.observed_at for one in shuffled)
    assert remembered(others) == remembered(states)
    assert standing(others) == standing(states)


@LAWS
@given(seed=st.integers(0, 10**6))
def test_what_is_delivered_again_later_changes_nothing(rivers, start, seed):
    """Not only at once: any of the last records may come again, as after a restart of a door's reader."""
    rng = random.Random(seed)
    entries = journal(rivers, weather(seed, start, days=1.0))
    again: list[Entry] = []
    for at, one in enumerate(entries):
        again.append(one)
        back = at - rng.randrange(1, 8)
        if rng.random() < 0.3 and back > 0 and isinstance(decode(entries[back].value), Measurements):
            again.append(entries[back]._replace(timestamp=one.timestamp))
    out, states = run(rivers, entries)
    twice, others = run(rivers, again)

    assert len(again) > len(entries)
    assert list(dict.fromkeys(twice)) == out
    assert (standing(others), remembered(others)) == (standing(states), remembered(states))


@LAWS
@given(seed=st.integers(0, 10**6))
def test_nobody_is_warned_who_is_not_below_what_was_found(rivers, start, seed):
    entries = journal(rivers, weather(seed, start))
    found: set[str] = set()
    highest = dict.fromkeys((name for names in DOMAINS.values() for name in names), 0.0)
    for entry in entries:
        message = decode(entry.value)
        if isinstance(message, Measurements):
            here = columns(message)
            for row, value in zip(here.rows.tolist(), here.value.tolist(), strict=True):
                station = rivers.region.series.station[row]
                highest[station] = max(highest[station], value)
    out, _ = run(rivers, entries)
    for body in warnings(out):
        found.add(body["city_id"])
        above = BELOW[body["city_id"]]
        if body["reason"] in WANTED:
            assert {one["series"].partition("/")[0] for one in body["evidence"]} <= set(above), body
        assert max(highest[station] for station in above) >= BLUE, body
    assert found


@LAWS
@given(seed=st.integers(0, 10**6), cut=st.floats(0.05, 0.3))
def test_once_everything_is_silent_nothing_clears_and_nothing_is_lowered(rivers, start, seed, cut):
    entries = journal(rivers, weather(seed, start))
    kept = entries[: max(2, round(cut * len(entries)))]
    out, states = run(rivers, kept)
    told = {(body["city_id"], body["warning_id"]): body["level"] for body in warnings(out)}
    fold = Fold(rivers.lookup, lane=Lane.TEST, clock="broker", partitions=1)
    state, at = states["rill"], kept[-1].timestamp
    noticed = at + 3 * HOUR
    later = [
        Entry(len(kept) + turn, one, encode(Tick(one, 600.0, one))) for turn, one in enumerate(range(at + STEP, at + 6 * DAY, 3 * STEP))
    ]
    silent = fold.apply(state, later)
    told |= {(body["city_id"], body["warning_id"]): body["level"] for body in warnings([one for one in silent if one.sent_at <= noticed])}
    for body in warnings([one for one in silent if one.sent_at > noticed]):
        assert body["reason"] in {"blind", "expired", "extended"}, body
        assert body["level"] == told[body["city_id"], body["warning_id"]]
    assert standing({"rill": state, "beck": state}) == set(), "in the end what nobody can see any more has expired"
    last = {(one["city_id"], one["domain"]): one["state"] for one in statuses(out, silent)}
    assert set(last.values()) <= {"unknown"}


def statuses(*many: list[Output]) -> list[dict]:
    return [json.loads(one.value or b"{}") for outputs in many for one in outputs if one.kind is Kind.CITY_STATUS]
