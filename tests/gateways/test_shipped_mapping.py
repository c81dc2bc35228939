from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.gateways.dialect import names
from stream.gateways.mapping_file import OUR_COLUMNS, load_mapping

FILE = Path(__file__).parents[2] / "deploy" / "gateways" / "gateway.toml"
LOGGER = {
    "end_device_ids": {"device_id": "hekou-logger"},
    "uplink_message": {"decoded_payload": {"nh3n": 0.4, "measured_at": "2020-01-01 08:00"}},
}
SENSORTHINGS = {"phenomenonTime": "2020-01-01T00:00:00Z", "result": 2.6}
CSV = "站码;时间;水位;PM2.5\r\n60106980;2020-01-01 08:00;2.6;--\r\n"


@pytest.mark.parametrize(
    ("payload", "options", "expected"),
    [
        ((FILE.parent / "uplink.json").read_bytes(), ["--topic", "application/7/device/0004a30b001c0530/event/up"], [("hekou/stage", 2.6), ("hekou/pm25", 80)]),
        (json.dumps(LOGGER).encode(), ["--topic", "v3/app1/devices/hekou-logger/up"], [("hekou/ammonia", 0.4)]),
        (json.dumps(SENSORTHINGS).encode(), ["--topic", "v1.1/Datastreams(17)/Observations"], [("hekou/stage", 2.6)]),
        (CSV.encode("gb18030"), ["--dialect", "csv_rows"], [("hekou/stage", 2.6)]),
    ],
)  # fmt: skip
def test_the_mapping_that_is_shipped_reads_what_its_comments_say(tmp_path, payload, options, expected):
    file = tmp_path / "payload"
    file.write_bytes(payload)
    done = CliRunner().invoke(app, ["gateway", "try", str(file), "--region", "example", "--mapping", str(FILE), "--json", *options])
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 0, done.output
    assert [(row["series"], pytest.approx(row["value"])) for row in rows] == expected
    assert {row["observed_at"] for row in rows} == {"2020-01-01T00:00:00Z"}


def test_it_shows_every_kind_of_entry():
    mapping = load_mapping(FILE)
    assert {one.dialect for one in mapping.sources} == set(names()) - {"tocsin_json", "csv_rows"}
    assert mapping.devices
    assert mapping.datastreams
    assert mapping.columns.values
    assert set(mapping.columns.names) <= set(OUR_COLUMNS)
    assert not re.search(r"TODO|FIXME", FILE.read_text("utf-8"))
