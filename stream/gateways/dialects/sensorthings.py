"""OGC SensorThings API 1.1: observations as its clients create them: one entity, or the data array extension (`CreateObservations`).

Which datastream is which series stands in the mapping. A datastream is named in the entity, or by the path it was posted or published to
(`v1.1/Datastreams(17)/Observations`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from stream.accept.decode import explain
from stream.accept.refusal import Fault, Refused, quoted
from stream.gateways.readings import ID_CHARS_MAX, measurement, scaled, time_of
from stream.gateways.verdict import Item, Wrong

if TYPE_CHECKING:
    from stream.gateways.dialect import Asked
    from stream.gateways.mapping import Mapping, Use

NAME = "sensorthings"
CONTENT_TYPES: tuple[str, ...] = ("application/vnd.ogc.sensorthings+json",)
_IN_PATH = re.compile(r"Datastreams\(('?)([^()']{1,128})\1\)/Observations$")
_any = msgspec.json.Decoder()
SHAPE = "send an Observation, or data arrays whose rows have a value for each of their components (OGC 18-088)"


def decode(payload: bytes, ask: Asked) -> list[Item | Wrong]:
    """The observations in a payload. Observed at the end of `phenomenonTime`, else at `resultTime`."""
    try:
        found = _any.decode(payload)
    except (ValueError, RecursionError) as error:
        return [Wrong("$", explain(payload, error, quote=True))]
    in_path = _IN_PATH.search(ask.topic)
    if isinstance(found, dict):
        return [_observation("$", found, _stream(found) or (in_path[2] if in_path else ""), ask.mapping)]
    if not isinstance(found, list) or not found:
        return [Wrong("$", Fault(Refused.WRONG_TYPE, "Expected an Observation, or an array of data arrays", SHAPE))]
    made: list[Item | Wrong] = []
    for at, one in enumerate(found):
        path = f"$[{at}]"
        if not isinstance(one, dict):
            made.append(Wrong(path, Fault(Refused.WRONG_TYPE, f"Expected object, got {type(one).__name__}")))
        elif "dataArray" in one:
            made += _data_array(path, one, ask.mapping)
        else:
            made.append(_observation(path, one, _stream(one) or (in_path[2] if in_path else ""), ask.mapping))
    return made


def _stream(entity: dict[str, object]) -> str:
    """The id of the datastream an entity names, as text."""
    named = entity.get("Datastream")
    found = named.get("@iot.id") if isinstance(named, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""


def _data_array(path: str, group: dict[str, object], mapping: Mapping) -> list[Item | Wrong]:
    """Rows of values in the order of `components`."""
    components, rows = group.get("components"), group.get("dataArray")
    if not isinstance(components, list) or not all(isinstance(one, str) for one in components) or not isinstance(rows, list) or not rows:
        return [Wrong(path, Fault(Refused.WRONG_TYPE, "components are an array of names, dataArray an array of rows", SHAPE))]
    stream = _stream(group)
    made: list[Item | Wrong] = []
    for at, row in enumerate(rows):
        place = f"{path}.dataArray[{at}]"
        if not isinstance(row, list) or len(row) != len(components):
            made.append(Wrong(place, Fault(Refused.WRONG_TYPE, f"a row has {len(components)} values, one for each of components", SHAPE)))
        else:
            made.append(_observation(place, dict(zip(components, row, strict=True)), stream, mapping))
    return made


def _observation(path: str, entity: dict[str, object], stream: str, mapping: Mapping) -> Item | Wrong:
    if not stream:
        return Wrong(
            f"{path}.Datastream",
            Fault(
                Refused.MISSING_FIELD,
                "no Datastream with an @iot.id, neither here nor in the path",
                "add it, or send to Datastreams(id)/Observations",
            ),
        )
    use = mapping.datastreams.get(stream)
    if use is None:
        return Wrong(f"{path}.Datastream", Fault(Refused.UNKNOWN_DEVICE, f"Datastream {quoted(stream)} is not in gateway.toml"))
    number = scaled(use, entity.get("result"))
    if isinstance(number, Fault):
        return Wrong(f"{path}.result", number)
    at = _at(entity, use)
    if isinstance(at, Fault):
        return Wrong(f"{path}.phenomenonTime", at)
    fields = measurement(use, number, at)
    quality, own = entity.get("resultQuality"), entity.get("@iot.id", entity.get("id"))
    if isinstance(quality, str) and 0 < len(quality) <= ID_CHARS_MAX:
        fields["quality"] = quality
    item_id = str(own) if isinstance(own, str | int) and not isinstance(own, bool) else None
    return Item(f"{path}.result", fields, item_id)


def _at(entity: dict[str, object], use: Use) -> str | float | Fault:
    """An interval is over when it ends."""
    phenomenon = entity.get("phenomenonTime") or entity.get("resultTime")
    if isinstance(phenomenon, str):
        return time_of(phenomenon.rpartition("/")[2], use.zone)
    return Fault(Refused.MISSING_FIELD, "neither phenomenonTime nor resultTime as text", "add one, as RFC 3339")
