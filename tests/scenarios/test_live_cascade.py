"""A chain of dangers through the real service: what one domain passes on arrives in the other's journal, survives kills, and ends where it must."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from confluent_kafka import Producer

from stream.decide.fold import Fold
from stream.records.instants import to_text
from stream.records.journal import Linked, decode, partition_of
from stream.records.output import Kind
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.review.inputs import in_feed_order, read_files
from stream.review.journal_file import Header, Recorded
from stream.review.linked_replay import decide_together
from stream.review.replay import decide, journal_of
from stream.runtime.topics import Topics
from stream.settings import Settings
from tests.decide.chains import QUIET
from tests.region.shared import REGIONS
from tests.runtime.lane import Worker, journal_entries, read_all
from tests.scenarios.played import Place, play, tocsin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from stream.region.model import Region
    from stream.runtime.broker import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
FOLDER = REGIONS / "cascades"
PARTITIONS = 5
WAIT_S = 60.0
Standing = dict[tuple[str, str, str], tuple[str, str]]
"""By city, hazard and domain: state and level."""


class Lived(NamedTuple):
    """What a live lane came to: its journal, and everything on its topics."""

    region: Region
    journal: list[Recorded]
    topics: Mapping[str, list[Any]]


class LiveLane:
    """A live lane of the region of chains, with one worker."""

    def __init__(self, broker: Broker, prefix: str, work: Path) -> None:
        # So seldom is a state saved that after every kill everything is decided, and said, once more.
        quick = {"tick_s": 0.5, "checkpoint_s": 60.0, "partitions": PARTITIONS}
        self.settings = Settings(bootstrap=broker.bootstrap, prefix=prefix, lane=Lane.TEST, **quick)
        self.topics = Topics(prefix)
        self._work = work
        lane = work / "lane.toml"
        lane.write_text(f'bootstrap = "{broker.bootstrap}"\nprefix = "{prefix}"\nlane = "test"\npartitions = {PARTITIONS}\n', "utf-8")
        tocsin("region", "activate", str(FOLDER), "--settings", str(lane))
        self._doors = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True, "linger.ms": 5})
        self.worker = self._start()

    def _start(self) -> Worker:
        worker = Worker(self.settings, self._work / "worker.log", module="tests.accept.product_worker")
        worker.wait_ready(60)
        return worker

    def kill(self) -> None:
        """SIGKILL, and another start."""
        self.worker.kill()
        self.worker = self._start()

    def measure(self, values: Mapping[str, float], at: int | None = None) -> int:
        """Values by series into their doors, observed now; the instant."""
        at = round(time.time() * 1000) // 1000 * 1000 if at is None else at
        for series, value in values.items():
            door = "air" if series.endswith("/pm25") else "water"
            body = {"series": series, "observed_at": to_text(at), "value": value}
            self._doors.produce(f"{self.settings.prefix}measurements.{door}", json.dumps(body).encode())
        assert self._doors.flush(20) == 0
        return at

    def said(self, city: str, hazard: str) -> list[dict[str, Any]]:
        bodies = [json.loads(one.value()) for one in read_all(self.settings.bootstrap, self.topics.city(city))[0]]
        return [one for one in bodies if one["type"] == "warning" and one["hazard"] == hazard]

    def until(self, what: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not what():
            assert time.monotonic() < end, self.worker.tail()
            time.sleep(0.3)


def quiet() -> dict[str, float]:
    return {series: value for series, value in QUIET.items() if not series.endswith("/diarrhoea")}


@pytest.fixture(scope="module")
def lived(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A flood that turns out to be a mistake, and a spill that is none; the worker is killed while what follows is under way."""
    assert partition_of("lan-river", PARTITIONS) != partition_of("lan-clinics", PARTITIONS)
    lane = LiveLane(broker, "cascade.", tmp_path_factory.mktemp("cascade"))
    lane.measure(quiet())
    time.sleep(1.5)
    flood_at = lane.measure({"shuikou/stage": 5.5})
    lane.until(lambda: lane.said("shuikou", "flood") != [])
    lane.kill()
    lane.until(lambda: lane.said("hecheng", "waterborne") != [])
    lane.measure({"shuikou/ammonia": 6.0})
    lane.kill()
    lane.until(lambda: lane.said("hecheng", "intake") != [])
    lane.measure({"shuikou/stage": 2.0}, at=flood_at)
    lane.until(lambda: lane.said("hecheng", "waterborne")[-1]["msg_type"] == "cancel")
    time.sleep(4)
    assert lane.worker.stop() == 0, lane.worker.tail()
    region, bootstrap = load_folder(FOLDER), lane.settings.bootstrap
    journal = [
        Recorded(partition, *entry)
        for partition, entries in enumerate(journal_entries(bootstrap, lane.settings.prefix, PARTITIONS))
        for entry in entries
    ]
    names = {lane.topics.city_status, lane.topics.incidents, *(lane.topics.city(one.city_id) for one in region.cities)}
    single = {lane.topics.city(one.city_id) for one in region.cities}
    topics = {
        name.removeprefix(lane.settings.prefix): [
            json.loads(one.value())
            for some in read_all(bootstrap, name, 1 if name in single else PARTITIONS)
            for one in some
            if one.value()
        ]
        for name in names
    }
    return Lived(region, journal, topics)


def standing(bodies: list[dict[str, Any]]) -> Standing:
    return {(one["city_id"], one["hazard"], one["domain"]): (one["state"], one["level"]) for one in bodies}


def test_what_follows_was_told_in_the_other_domain_after_kills_and_taken_back(lived: Lived) -> None:
    told = [one for one in lived.topics["warnings.hecheng"] if one["type"] == "warning" and one["hazard"] == "waterborne"]
    first, last = told[0], told[-1]
    assert (first["domain"], first["level"], first["certainty"], first["path"]) == ("lan-clinics", "blue", "Possible", "linked")
    assert [one["revision"] for one in told] == sorted(one["revision"] for one in told)
    assert last["msg_type"] == "cancel"
    assert len({one["warning_id"] for one in told}) == 1


def test_a_link_that_came_more_than_once_counts_once(lived: Lived) -> None:
    links = [message for one in lived.journal if isinstance(message := decode(one.value), Linked)]
    assert {one.to_hazard for one in links} == {"waterborne", "intake"}
    assert {partition_of(one.to_domain, PARTITIONS) for one in links} == {
        one.partition for one in lived.journal if isinstance(decode(one.value), Linked)
    }
    assert len(links) > len({(one.link_id, one.revision) for one in links})
    assert len({one.link_id for one in links}) == len({(one.rule, one.to_domain) for one in links})
    print(f"\n{len(links)} links in the journals, {len({(one.link_id, one.revision) for one in links})} of them different")


def test_offline_all_domains_decided_together_come_to_the_same_state(lived: Lived) -> None:
    fold = Fold(lambda _: lived.region, lane=Lane.TEST, clock="broker", partitions=PARTITIONS)
    together = list(decide_together(fold, Header(Lane.TEST, "broker", PARTITIONS), lived.journal))
    statuses = [json.loads(one.value) for one in together if one.kind is Kind.CITY_STATUS and one.value]
    live = standing(lived.topics["city_status"])
    assert standing(statuses) == live
    assert live["hecheng", "intake", "lan-river"][0] == "warned"
    incidents = {one["incident_id"]: one for body in together if body.kind is Kind.INCIDENTS for one in [json.loads(body.value)]}
    lived_ones = {one["incident_id"]: one for one in lived.topics["incidents"]}
    assert {key: (one["state"], one["level"], one["linked_to"]) for key, one in incidents.items()} == {
        key: (one["state"], one["level"], one["linked_to"]) for key, one in lived_ones.items()
    }
    assert [one for one in lived_ones.values() if one["linked_to"]] != []


def test_a_replay_through_the_service_comes_to_what_the_files_come_to_without_it(broker: Broker, tmp_path: Path) -> None:
    rows = [
        f"{series},2024-05-{1 + hour // 24:02d}T{hour % 24:02d}:00:00Z,{5.5 if series == 'shuikou/stage' and 12 <= hour < 40 else 2.0}"
        for hour in range(48)
        for series in ("hecheng/stage", "haimen/stage", "shuikou/stage")
    ]
    feed = tmp_path / "flood.csv"
    feed.write_text("\n".join(["series,observed_at,value", *rows]) + "\n", "utf-8")
    played = play((broker.bootstrap, "cascade-replay.", tmp_path), FOLDER, feed, partitions=PARTITIONS)
    messages = in_feed_order(read_files(played.region, [feed]))
    journal = journal_of([played.region], messages, played.settings)
    header = Header(played.settings.lane, "observed", PARTITIONS)
    together = [
        json.loads(one.value) for one in decide([played.region], header, journal.records, together=True) if one.kind is Kind.CITY_STATUS
    ]

    live = standing([json.loads(one.value) for one in played.topics[Place(Kind.CITY_STATUS, "")]])
    assert live == standing(together)
    assert live["shuikou", "waterborne", "lan-clinics"] == ("warned", "blue")
