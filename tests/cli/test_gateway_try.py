from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli.main import app

ROOT = Path(__file__).parents[2]
runner = CliRunner()
HEADER = "series,observed_at,value,unit\n"
LONG_AGO = "hekou/stage,2020-01-01T08:00:00+08:00,312,cm\n"
MAPPING = """
[[devices]]
id = "a1"
station = "hekou"
[devices.fields.level]
quantity = "stage"
unit = "cm"

[[sources]]
topic = "application/#"
dialect = "chirpstack"
"""
UPLINK = {"time": "2020-01-01T00:00:00Z", "deviceInfo": {"devEui": "A1"}, "object": {"level": 312}}


def tried(*arguments: str, text: str | None = None) -> tuple[int, list[dict[str, object]]]:
    done = runner.invoke(app, ["gateway", "try", *arguments, "--region", "example", "--json"], input=text)
    return done.exit_code, [json.loads(line) for line in done.stdout.splitlines()]


def test_each_item_is_shown_with_station_unit_utc_time_domain_and_verdict(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + LONG_AGO + "hekou/stage,noon,3,m\nhekou/pm25,2020-01-01T00:00:00Z,3,kg\n", "utf-8")
    code, rows = tried(str(file))
    assert code == 1
    assert rows[0] == {
        "item": 0,
        "path": "line 2, column value",
        "series": "hekou/stage",
        "value": 3.12,
        "unit": "m",
        "observed_at": "2020-01-01T00:00:00Z",
        "domain": "lin-river",
        "verdict": "accepted",
        "note": "late: updates baselines, raises nothing live",
    }
    assert [one["verdict"] for one in rows] == ["accepted", "rejected", "rejected"]
    assert (rows[2]["series"], rows[2]["domain"]) == ("hekou/pm25", "lin-air")
    assert "cannot become" in str(rows[2]["note"])


def test_a_topic_chooses_the_dialect_and_the_mapping_names_the_station(tmp_path):
    mapping = tmp_path / "gateway.toml"
    mapping.write_text(MAPPING, "utf-8")
    code, rows = tried("-", "--mapping", str(mapping), "--topic", "application/1/device/a1/event/up", text=json.dumps(UPLINK))
    assert code == 0
    assert (rows[0]["path"], rows[0]["series"], rows[0]["value"]) == ("$.object.level", "hekou/stage", 3.12)
    code, rows = tried("-", "--dialect", "chirpstack", text=json.dumps(UPLINK))
    assert code == 1
    assert "gateway.toml" in str(rows[0]["note"])


def test_people_see_a_line_an_item_and_that_nothing_was_published(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text(HEADER + LONG_AGO, "utf-8")
    done = runner.invoke(app, ["gateway", "try", str(file), "--region", "example"])
    assert done.exit_code == 0
    assert "accepted" in done.stdout
    assert "hekou/stage  3.12 m  2020-01-01T00:00:00Z  in lin-river" in done.stdout
    assert "1 of 1 would be accepted; nothing was published" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "name a FILE"),
        (["-", "--listen"], "name a FILE"),
        (["nowhere.csv"], "cannot be read"),
        (["-", "--dialect", "telex"], "no dialect"),
    ],
)
def test_what_cannot_be_tried_is_said(arguments, word):
    done = runner.invoke(app, ["gateway", "try", *arguments, "--region", "example"], input="")
    assert done.exit_code == 1
    assert word in done.stderr


def test_what_is_posted_to_the_listener_is_answered_and_shown(tmp_path):
    mapping = tmp_path / "gateway.toml"
    mapping.write_text(MAPPING, "utf-8")
    command = [
        sys.executable,
        "-m",
        "stream.cli.main",
        "gateway",
        "try",
        "--listen",
        "--port",
        "0",
        "--region",
        "example",
        "--mapping",
        str(mapping),
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as one:
        try:
            assert one.stderr is not None
            assert one.stdout is not None
            said = one.stderr.readline()
            address = re.search(r"http://(127\.0\.0\.1:\d+)", said)
            assert address is not None, said
            body = (HEADER + LONG_AGO).encode()
            connection = http.client.HTTPConnection(address[1], timeout=20)
            connection.request("POST", "/v1/measurements", body, {"Content-Type": "text/csv; charset=utf-8"})
            rows = json.loads(connection.getresponse().read())
            connection.close()
            assert [row["series"] for row in rows] == ["hekou/stage"]
            assert json.loads(one.stdout.readline()) == rows[0]
        finally:
            one.terminate()
            one.wait(20)
