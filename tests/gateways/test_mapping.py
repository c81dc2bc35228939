from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from stream.gateways.mapping import Columns, Device, Mapping, MappingError, Source, Use, matches
from stream.gateways.mapping_file import load_mapping, read_mapping

DEVICE = '[[devices]]\nid = "a1"\nstation = "upper"\n[devices.fields.level]\nquantity = "stage"\n'
SECOND = DEVICE.replace("a1", "b2")
STREAM = '[[datastreams]]\nid = 17\nstation = "upper"\nquantity = "stage"\n'
CSV = '[csv]\ndelimiter = ";"\n[csv.columns]\nobserved_at = "when"\n[csv.values.level]\nquantity = "stage"\n'
BROKEN = {  # text, line, field, word
    "no toml": ("[[devices]\n", 1, "", "is no TOML"),
    "not utf-8": ("# \udcff\n", 1, "", "is not UTF-8"),
    "an unknown table": ("[device]\n", 1, "device", 'the nearest known one is "devices"'),
    "no id": (DEVICE.replace('id = "a1"\n', ""), 1, "devices.id", "is missing"),
    "an id twice": (DEVICE + DEVICE.replace("a1", "A1"), 7, "devices.id", "stands there twice"),
    "no station": (DEVICE.replace('station = "upper"\n', ""), 3, "devices.fields.level.station", "is missing"),
    "no field": (DEVICE.partition("[devices.")[0], 1, "devices.fields", "nothing of this device is used"),
    "no quantity": (DEVICE.replace('quantity = "stage"', 'unit = "m"'), 4, "devices.fields.level.quantity", "is missing"),
    "an unknown key": (DEVICE + 'units = "m"\n', 6, "devices.fields.level.units", 'the nearest known one is "unit"'),
    "an unknown unit": (SECOND + DEVICE + 'unit = "furlongz"\n', 11, "devices.fields.level.unit", "no such unit"),
    "a tower of powers": (DEVICE + 'unit = "9**9**9**9"\n', 6, "devices.fields.level.unit", "no such unit"),
    "a scale of nothing": (DEVICE + "scale = 0\n", 6, "devices.fields.level.scale", "makes every value the same"),
    "a scale that is no number": (STREAM + "scale = inf\n", 5, "datastreams.scale", "is no finite number"),
    "an unknown zone": (STREAM + 'timezone = "Asia/Pekin"\n', 5, "datastreams.timezone", "no such time zone"),
    "a zone that leads out of its folder": (STREAM + 'timezone = "../../etc/passwd"\n', 5, "datastreams.timezone", "no such time zone"),
    "a datastream twice": (STREAM + STREAM.replace("17", '"17"'), 6, "datastreams.id", "stands there twice"),
    "a delimiter of two": (CSV.replace('";"', '";;"'), 2, "csv.delimiter", "separates no columns"),
    "a column that is none of ours": (CSV.replace("observed_at", "observed"), 4, "csv.columns.observed", "is no field"),
    "an unknown encoding": (CSV.replace("[csv]\n", '[csv]\nencoding = "klingon"\n'), 2, "csv.encoding", "no such encoding"),
    "an encoding that is none of text": (CSV.replace("[csv]\n", '[csv]\nencoding = "zlib"\n'), 2, "csv.encoding", "no such encoding"),
    "an encoding of two bytes": (CSV.replace("[csv]\n", '[csv]\nencoding = "utf-16"\n'), 2, "csv.encoding", "no such encoding"),
    "a form without its day": (CSV.replace("[csv]\n", '[csv]\ntime_format = "%H:%M"\n'), 2, "csv.time_format", "no form of a time"),
    "a form that is none": (CSV.replace("[csv]\n", '[csv]\ntime_format = "%Q"\n'), 2, "csv.time_format", "no form of a time"),
    "an unknown dialect": ('[[sources]]\ntopic = "a/#"\ndialect = "chirpstak"\n', 3, "sources.dialect", 'the nearest known one is "chirpstack"'),
    "a filter that is none": ('[[sources]]\ntopic = "a/#/b"\ndialect = "wis2"\n', 2, "sources.topic", "no topic filter"),
    "a filter with a stuck plus": ('[[sources]]\ntopic = "a/b+/c"\ndialect = "wis2"\n', 2, "sources.topic", "no topic filter"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_mapping_is_refused_with_file_line_and_field(kind):
    text, line, field, word = BROKEN[kind]
    with pytest.raises(MappingError) as raised:
        read_mapping("gateway.toml", text.encode("utf-8", "surrogateescape"))
    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.field) == ("gateway.toml", line, field)
    assert word in str(problem)
    assert problem.fix


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(MappingError) as raised:
        read_mapping("gateway.toml", (STREAM + "scale = 0\nextra = 1\n" + CSV.replace('";"', '""')).encode())
    assert [one.field for one in raised.value.problems] == ["datastreams.scale", "datastreams.extra", "csv.delimiter"]


def test_a_mapping_is_read_as_it_stands_there():
    text = (
        DEVICE.replace("a1", "A1").replace("[devices.", 'timezone = "Asia/Shanghai"\ntime = "meta.when"\n[devices.', 1)
        + 'unit = "cm"\nscale = 2\n'
    )
    made = read_mapping("g.toml", (text + STREAM + CSV + '[[sources]]\ntopic = "v3/#"\ndialect = "wis2"\n').encode())
    zone = ZoneInfo("Asia/Shanghai")
    assert made.devices == {"a1": Device("a1", ((("level",), Use("upper", "stage", "cm", 2.0, 0.0, zone)),), ("meta", "when"))}
    assert made.datastreams == {"17": Use("upper", "stage")}
    assert made.columns == Columns({"observed_at": "when"}, {"level": Use("", "stage")}, {}, ";")
    assert made.sources == (Source("v3/#", "wis2"),)


def test_without_a_file_there_is_an_empty_mapping_and_a_file_that_is_not_there_is_said_so(tmp_path):
    assert load_mapping(None) == Mapping()
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path / "gateway.toml")


@pytest.mark.parametrize(
    ("topic_filter", "topic", "fits"),
    [  # MQTT 5.0, 4.7.1
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("+/monitor/Clients", "$SYS/monitor/Clients", False),
        ("$SYS/#", "$SYS/monitor/Clients", True),
    ],
)
def test_filters_match_as_mqtt_says(topic_filter, topic, fits):
    assert matches(topic_filter, topic) is fits
