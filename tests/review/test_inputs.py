from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.accept.door import Accept, DoorRecord
from stream.errors import TocsinError
from stream.records.instants import HOUR, from_text
from stream.records.warning import Lane
from stream.review.inputs import DoorMessage, cut, in_feed_order, one_door_each, read_files
from stream.settings import Settings
from tests.accept.regions import region

if TYPE_CHECKING:
    from pathlib import Path

REGION = region()


def read(tmp_path: Path, name: str, text: str) -> list[DoorMessage]:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read_files(REGION, [path])


def test_a_csv_by_series_and_one_by_station_and_quantity_say_the_same(tmp_path: Path) -> None:
    by_series = read(tmp_path, "a.csv", "series,observed_at,value\nupper/stage,2005-11-13T13:45:00+08:00,1.5\n")
    by_station = read(tmp_path, "b.csv.gz", "station,quantity,observed_at,value\nupper,stage,2005-11-13T05:45:00Z,1.5\n")
    assert by_series == by_station
    assert by_series[0][:4] == (from_text("2005-11-13T05:45:00Z"), "upper/stage", "basin", "water")


def test_a_time_without_offset_is_local_time_of_the_station(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "a.csv", "series,observed_at,value,unit\nupper/stage,2005-11-13T13:45,150,cm\n")
    assert one.observed_at == from_text("2005-11-13T05:45:00Z")
    assert json.loads(one.value) == {"series": "upper/stage", "observed_at": "2005-11-13T05:45:00Z", "value": 150.0, "unit": "cm"}


def test_a_date_is_midnight_and_an_empty_value_is_no_measurement(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "a.csv", "series,observed_at,value\nlower/discharge,1980-01-01,220\nlower/discharge,1980-01-02,\n")
    assert one.observed_at == from_text("1979-12-31T23:00:00Z")


def test_case_counts_get_a_period(tmp_path: Path) -> None:
    text = "area,period_start_at,period_end_at,value\nnorth,2020-01-01T00:00:00Z,2020-01-02T00:00:00Z,7\n"
    (one,) = read(tmp_path, "a.csv", text)
    assert (one.family, one.observed_at) == ("health", from_text("2020-01-02T00:00:00Z"))
    (other,) = read(tmp_path, "b.csv", "series,observed_at,value\nnorth/cases,2020-01-02T00:00:00Z,7\n")
    interval_ms = round(REGION.series.interval_s[REGION.series.row_of["north/cases"]] * 1_000)
    assert from_text(json.loads(other.value)["period_start_at"]) == other.observed_at - interval_ms


def test_a_jsonl_line_is_sent_as_it_is_and_an_array_item_by_item(tmp_path: Path) -> None:
    item = b'{"series":"upper/stage",  "observed_at":1.5,"value":2,"note":"kept"}'
    found = read(tmp_path, "a.jsonl", f"{item.decode()}\n\n[{item.decode()},{item.decode()}]\n")
    assert [one.value for one in found] == [item] * 3
    assert found[0].observed_at == 1_500


def test_everything_wrong_is_said_at_once_and_nothing_is_sent(tmp_path: Path) -> None:
    text = (
        "series,observed_at,value\nupper/stage,yesterday,1\nnowhere/stage,1980-01-01,1\nupper/stage,1980-01-01,high\n"
        "upper/stage,1980-01-01,NaN\nworks/nitrobenzene,1980-01-01,1\nupper/stage,1980-01-01\nupper/stage,1980-01-01,1\n"
    )
    with pytest.raises(TocsinError) as caught:
        read(tmp_path, "a.csv", text)
    said = str(caught.value)
    for number, words in ((2, "is no time"), (3, "no series"), (4, "no number"), (5, "not finite"), (6, "no time zone"), (7, "no number")):
        assert any(f"a.csv:{number}: " in line and words in line for line in said.splitlines()), (number, said)
    assert "6 lines are wrong" in said


def test_a_broken_line_of_jsonl_is_named(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match=r"a\.jsonl:2: "):
        read(tmp_path, "a.jsonl", '{"series":"upper/stage","observed_at":1,"value":2}\n{"series":\n')


def test_a_header_without_what_is_needed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="no column observed_at or period_end_at, value"):
        read(tmp_path, "a.csv", "series,when\nupper/stage,1980-01-01\n")
    with pytest.raises(TocsinError, match="is no file"):
        read_files(REGION, [tmp_path / "absent.csv"])


def test_two_doors_of_one_domain_are_refused_for_a_replay() -> None:
    messages = [DoorMessage(1, "mixed/stage", "both", "water", b""), DoorMessage(1, "mixed/cases", "both", "health", b"")]
    with pytest.raises(TocsinError, match="two doors"):
        one_door_each(messages)


series = st.sampled_from(["upper/stage", "lower/discharge", "roof/pm25", "north/cases", "mixed/stage"])


@given(st.lists(st.tuples(st.integers(0, 50), series, st.integers(0, 9)), max_size=30))
def test_feed_order_is_by_instant_then_series_and_loses_nothing(rows: list[tuple[int, str, int]]) -> None:
    messages = [DoorMessage(at, name, "d", "water", str(value).encode()) for at, name, value in rows]
    ordered = in_feed_order(messages)
    assert sorted(ordered) == sorted(messages)
    assert [one[:2] for one in ordered] == sorted(one[:2] for one in messages)
    assert cut(ordered, 10, 20) == [one for one in ordered if 10 <= one.observed_at < 20]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), series, st.integers(0, 99)), min_size=1, max_size=20))
def test_accept_takes_every_message_and_sees_the_instant_it_is_ordered_by(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str, int]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    lines = [f"{name},{1970 + hour % 100}-03-01T{hour % 24:02d}:00:00Z,{value}\n" for hour, name, value in rows]
    path.write_text("series,observed_at,value\n" + "".join(lines), "utf-8")
    accept = Accept([REGION], Settings(prefix="t.", lane=Lane.TEST, clock="observed"), 4)
    for one in read_files(REGION, [path]):
        accepted = accept.accept(one.family, [DoorRecord(0, 0, one.observed_at, one.value)], one.observed_at)
        assert accepted.refused == []
        assert [entry.timestamp for entry in accepted.entries] == [one.observed_at]
        assert one.observed_at % HOUR == 0


def test_a_report_stands_at_the_instant_it_was_made_before_the_measurements_of_that_instant(tmp_path: Path) -> None:
    report = {
        "report": "intervention",
        "domain": "basin",
        "act": "delay",
        "reach": "r1",
        "km": 0,
        "starts_at": "2005-11-13T05:45:00Z",
        "by": "gate",
    }
    lines = [
        {"series": "upper/stage", "observed_at": "2005-11-13T05:45:00Z", "value": 1.5},
        report,
        report | {"reported_at": 1_131_860_701},
    ]
    found = in_feed_order(read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines))))
    at = from_text("2005-11-13T05:45:00Z")
    assert [one[:4] for one in found] == [
        (at, "", "basin", "water"),
        (at, "upper/stage", "basin", "water"),
        (at + 1000, "", "basin", "water"),
    ]
    assert json.loads(found[0].value) == report


def test_a_report_for_a_domain_that_the_region_does_not_have_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match=r"a\.jsonl:1: the region has no domain of family water called 'shed'"):
        read(tmp_path, "a.jsonl", json.dumps({"report": "intervention", "domain": "shed", "starts_at": 0}))
