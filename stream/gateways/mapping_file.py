"""Reading `gateway.toml`: everything wrong with it is named at once, with file, line and field."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from stream.gateways.dialect import names
from stream.gateways.mapping import Columns, Device, Mapping, MappingError, Source, Use
from stream.region.fields import read_toml
from stream.region.problems import Findings, nearest
from stream.region.quantities import QUANTITIES, unit_is_known

if TYPE_CHECKING:
    from pathlib import Path

    from stream.gateways.mapping import Place
    from stream.region.fields import Fields

FAR = 1e12
_FILTER = re.compile(r"(?:\+|[^+#/]*)(?:/(?:\+|[^+#/]*))*(?:/#)?|#")
_SAMPLE = datetime(2005, 11, 13, 13)  # noqa: DTZ001  only its form is asked
OUR_COLUMNS = (
    "series", "station", "quantity", "value", "unit", "quality", "id", "observed_at",
    "area", "period_start_at", "period_end_at",
)  # fmt: skip


def load_mapping(path: Path | None) -> Mapping:
    """The mapping in a file, an empty one without a file; MappingError lists all that is wrong."""
    if path is None:
        return Mapping()
    try:
        data = path.read_bytes()
    except OSError as error:
        findings = Findings()
        findings.add(str(path), 0, "", f"cannot be read: {error.strerror}", "name a file")
        raise MappingError(findings.problems) from error
    return read_mapping(path.name, data)


def read_mapping(file: str, data: bytes) -> Mapping:
    r"""The mapping in these bytes; MappingError lists all that is wrong with them.

    >>> read_mapping("gateway.toml", b'[[datastreams]]\nid = 17\nstation = "roof"\nquantity = "pm25"\n').datastreams["17"].station
    'roof'
    """
    findings = Findings()
    top = read_toml(file, data, findings)
    made = Mapping()
    if top is not None:
        devices: dict[str, Device] = {}
        for one in top.subs("devices"):
            device = _device(one)
            _once(one, device.device_id, devices)
            devices[device.device_id] = device
        datastreams: dict[str, Use] = {}
        for one in top.subs("datastreams"):
            name = _id(one)
            _once(one, name, datastreams)
            datastreams[name] = _use(one, "", None)
            one.no_more()
        made = Mapping(devices, datastreams, _columns(top.sub("csv")), tuple(_source(one) for one in top.subs("sources")))
        top.no_more()
    if findings.problems:
        raise MappingError(findings.sorted_problems())
    return made


def _once(table: Fields, name: str, known: dict[str, Device] | dict[str, Use]) -> None:
    if name and name in known:
        table.problem("id", f"{name!r} stands there twice", "write each id once, with all of its fields")


def _id(table: Fields) -> str:
    """An id, which others may write as a number."""
    value = table.table.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        table.whole("id", 0, int(FAR))
        return str(value)
    return table.string("id")


def _device(table: Fields) -> Device:
    device_id = _id(table).lower()
    station, zone = table.string("station", otherwise=""), _zone(table)
    time = _place(table.string("time", otherwise=""))
    uses: list[tuple[Place, Use]] = []
    fields = table.sub("fields")
    if fields is None or not fields.names():
        table.problem("fields", "nothing of this device is used", 'add [devices.fields.<name in its object>] with quantity = "..."')
    else:
        for name in fields.names():
            one = fields.sub(name)
            if one is not None:
                uses.append((_place(name), _use(one, station, zone)))
                one.no_more()
    table.no_more()
    return Device(device_id, tuple(uses), time)


def _use(table: Fields, station: str, zone: ZoneInfo | None) -> Use:
    """What a value is; `station` and `zone`: of its device, where it names no other."""
    own = table.string("station", otherwise=station)
    if not own:
        table.problem("station", "is missing", 'add station = "..." as in stations.csv')
    quantity, unit = table.string("quantity"), table.string("unit", otherwise="")
    if quantity and quantity not in QUANTITIES:
        table.note("quantity", f"{quantity!r} is none of the common quantities", nearest(quantity, QUANTITIES))
    if unit and not unit_is_known(unit):
        table.problem("unit", f"no such unit {unit!r}", "write it as in stations.csv, or leave it out")
    scale, offset = table.number("scale", -FAR, FAR), table.number("offset", -FAR, FAR)
    if scale == 0:
        table.problem("scale", "0 makes every value the same", "give the factor from what is sent to the unit")
    return Use(own, quantity, unit, 1.0 if scale is None else scale, offset or 0.0, _zone(table) or zone)


def _zone(table: Fields) -> ZoneInfo | None:
    name = table.string("timezone", otherwise="")
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        table.problem("timezone", f"no such time zone {name!r}", 'write it as in the IANA database, such as "Asia/Shanghai"')
        return None


def _place(text: str) -> Place:
    """Keys with dots between them; digits are a position in a list.

    >>> _place("sensors.0.level")
    ('sensors', 0, 'level')
    """
    return tuple(int(part) if part.isdecimal() and len(part) < 6 else part for part in text.split(".")) if text else ()  # noqa: PLR2004


def _source(table: Fields) -> Source:
    topic, dialect = table.string("topic"), table.string("dialect")
    if topic and not _FILTER.fullmatch(topic):
        table.problem("topic", f"{topic!r} is no topic filter", "+ stands for a whole level, # alone or last after a slash")
    if dialect and dialect not in names():
        table.problem("dialect", f"no dialect {dialect!r}", nearest(dialect, names()))
    table.no_more()
    return Source(topic, dialect)


def _columns(table: Fields | None) -> Columns:
    if table is None:
        return Columns()
    named = _texts(table, "columns", OUR_COLUMNS)
    values: dict[str, Use] = {}
    found = table.sub("values")
    for name in found.names() if found is not None else ():
        one = found.sub(name) if found is not None else None
        if one is not None:
            values[name] = _of_column(one)
            one.no_more()
    delimiter, encoding = table.string("delimiter", otherwise=","), table.string("encoding", otherwise="utf-8")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        table.problem("delimiter", f"{delimiter!r} separates no columns", 'write one character, such as ";" or "\\t"')
    try:
        text = bytes(range(32, 127)).decode(encoding)
    except (LookupError, ValueError):
        text = ""
    if not text.isascii() or len(text) != 95:  # noqa: PLR2004  delimiters and digits must mean themselves
        table.problem("encoding", f"no such encoding of text {encoding!r}", 'write "utf-8" or "gb18030"')
    time_format, zone = table.string("time_format", otherwise=""), _zone(table)
    if time_format and not _is_format(time_format):
        table.problem("time_format", f"{time_format!r} is no form of a time", 'write it as strptime has it, such as "%Y-%m-%d %H:%M"')
    missing = frozenset(table.strings("missing", needed=False)) | {""}
    stations = _texts(table, "stations")
    table.no_more()
    return Columns(named, values, stations, delimiter, encoding, time_format, zone, missing)


def _is_format(text: str) -> bool:
    """Whether an instant written so reads back with its day and hour."""
    try:
        return datetime.strptime(_SAMPLE.strftime(text), text).replace(tzinfo=None, minute=0) == _SAMPLE  # noqa: DTZ007  only its form is asked
    except ValueError:
        return False


def _of_column(table: Fields) -> Use:
    """What stands in a column; its station may be that of the row."""
    if table.table.get("station"):
        return _use(table, "", None)
    use = _use(table, "*", None)
    return Use("", use.quantity, use.unit, use.scale, use.offset, use.zone)


def _texts(table: Fields, key: str, known: tuple[str, ...] = ()) -> dict[str, str]:
    """A table of texts; its keys are some of `known`, if there are any."""
    below = table.sub(key)
    if below is None:
        return {}
    for name in below.names():
        if known and name not in known:
            below.problem(name, "is no field of a measurement", nearest(name, known))
    return {name: below.string(name) for name in below.names()}
