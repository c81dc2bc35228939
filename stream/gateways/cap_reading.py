"""What a valid CAP 1.2 alert of a known sender says, in our words: which hazard, how bad, where, from when to when.

Of several info blocks the first is read; an alert whose blocks differ in more than their words is about several dangers and is refused, because one
report would drop all but the first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import shapely

from stream.accept.refusal import quoted
from stream.gateways.cap_refused import CapFault, CapRefused
from stream.records.instants import from_text
from stream.warnings.cap import NAMESPACE, STATUS
from stream.warnings.cap_area import polygon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from stream.records.lanes import Lane
    from stream.region.model import City, Region

_C = {"c": NAMESPACE}
TAKEN = frozenset({"Alert", "Update", "Cancel"})
LEVEL = {"Extreme": "red", "Severe": "orange", "Moderate": "yellow", "Minor": "blue"}
"""The other way round: `stream.warnings.cap.SEVERITY`."""
COLOURS = frozenset({"red", "orange", "yellow", "blue"})
KM_PER_DEGREE = 111.2
BY_CHARS_MAX = 100
SAME = ("category", "urgency", "severity", "certainty", "onset", "expires", "responseType", "eventCode", "area/c:polygon", "area/c:circle")
"""In what the blocks of one danger, one a language, are the same."""


class Named(NamedTuple):
    """An earlier alert that this one refers to; `sent_at` in ms."""

    sender: str
    identifier: str
    sent_at: int


class Alert(NamedTuple):
    """An alert as far as a report can say it. Instants in ms. `over`: it says AllClear. `observed`: somebody saw it (certainty Observed)."""

    sender: str
    identifier: str
    sent_at: int
    msg_type: str
    references: tuple[Named, ...]
    by: str
    over: bool
    hazard: str
    level: str
    observed: bool
    city: str
    latitude: float | None
    longitude: float | None
    starts_at: int
    expires_at: int | None
    text: str


def read_alert(root: etree._Element, hazards: Mapping[str, str], region: Region | None, lane: Lane) -> Alert | CapFault:
    """The alert, or the first thing that keeps it from being a report. `region`: the one whose domain the sender speaks of.

    ValueError for what passes CAP's schema and is no date, number or shape all the same.
    """
    status = _text(root, "status")
    if status != STATUS[lane]:
        return CapFault(CapRefused.OTHER_LANE, f"status {status} on lane {lane.value}")
    if _text(root, "msgType") not in TAKEN:
        return CapFault(CapRefused.NOT_FOR_ACTION, f"msgType {_text(root, 'msgType')}")
    infos = root.findall("c:info", _C)
    head = _head(root, infos)
    if head.msg_type == "Cancel" or head.over:
        return head
    if not infos:
        return CapFault(CapRefused.NOT_CAP, "an alert without info")
    differing = next((one for one in SAME if len({tuple(_texts(info, one)) for info in infos}) > 1), None)
    if differing is not None:
        return CapFault(CapRefused.NOT_CAP, f"its infos differ in {differing}: send one alert a danger")
    return _placed(_judged(head, infos, hazards), infos[0], region)


def _head(root: etree._Element, infos: list[etree._Element]) -> Alert:
    first = infos[0] if infos else None
    sent_at = from_text(_text(root, "sent"))
    onset, expires = (_text(first, one) if first is not None else "" for one in ("onset", "expires"))
    said = [_text(first, one) for one in ("headline", "description", "event")] if first is not None else [_text(root, "note")]
    name = _text(first, "senderName") if first is not None else ""
    return Alert(
        sender=_text(root, "sender"),
        identifier=_text(root, "identifier"),
        sent_at=sent_at,
        msg_type=_text(root, "msgType"),
        references=tuple(_named(one) for one in _text(root, "references").split()),
        by=(name or _text(root, "sender"))[:BY_CHARS_MAX],
        over=bool(infos) and all("AllClear" in _texts(info, "responseType") for info in infos),
        hazard="",
        level="",
        observed=False,
        city="",
        latitude=None,
        longitude=None,
        starts_at=min(from_text(onset), sent_at) if onset else sent_at,
        expires_at=from_text(expires) if expires else None,
        text=next((one for one in said if one), ""),
    )


def _named(reference: str) -> Named:
    sender, identifier, sent = reference.split(",")
    return Named(sender, identifier, from_text(sent))


def _judged(alert: Alert, infos: list[etree._Element], hazards: Mapping[str, str]) -> Alert | CapFault:
    """With the hazard and the level."""
    known = {name.casefold(): hazard for name, hazard in hazards.items()}
    called = [name for info in infos for part in ("eventCode/c:value", "event") for name in _texts(info, part)]
    hazard = next((known[name.casefold()] for name in called if name.casefold() in known), None)
    if hazard is None:
        return CapFault(CapRefused.UNKNOWN_HAZARD, f"event {', '.join(quoted(name) for name in called[:3])}")
    pairs = {_text(one, "valueName"): _text(one, "value") for one in infos[0].findall("c:parameter", _C)}
    colour = pairs.get("level", "").rpartition(":")[2].casefold()
    level = colour if colour in COLOURS else LEVEL.get(_text(infos[0], "severity"))
    if level is None:
        return CapFault(CapRefused.NO_LEVEL, f"severity {_text(infos[0], 'severity')}")
    return alert._replace(hazard=hazard, level=level, observed=_text(infos[0], "certainty") == "Observed")


def _placed(alert: Alert | CapFault, info: etree._Element, region: Region | None) -> Alert | CapFault:
    """With its place: a city by its adcode, else the one in the area that is nearest to its middle, else that middle (of the largest part)."""
    if isinstance(alert, CapFault):
        return alert
    codes = {code for area in info.findall("c:area", _C) for code in _texts(area, "geocode/c:value")}
    cities = region.cities if region is not None else ()
    city = next((one for one in cities if one.adcode and one.adcode in codes), None)
    if city is not None:
        return alert._replace(city=city.city_id)
    shapes = [shape for area in info.findall("c:area", _C) for shape in _shapes(area)]
    if not shapes:
        return CapFault(CapRefused.NO_PLACE, f"geocodes {', '.join(quoted(one) for one in sorted(codes)[:3])} are of no city of the region")
    point = max(shapes, key=lambda shape: shape.area).representative_point()
    inside = [one for one in cities if any(shape.covers(_point(one)) for shape in shapes)]
    if inside:
        return alert._replace(city=min(inside, key=lambda one: (_point(one).distance(point), one.city_id)).city_id)
    return alert._replace(latitude=round(point.y, 6), longitude=round(point.x, 6))


def _point(city: City) -> shapely.Point:
    return shapely.Point(city.place.longitude, city.place.latitude)


def _shapes(area: etree._Element) -> list[shapely.Geometry]:
    circles = []
    for text in _texts(area, "circle"):
        centre, _, radius_km = text.rpartition(" ")
        latitude, longitude = (float(one) for one in centre.split(","))
        if not all(math.isfinite(one) for one in (latitude, longitude, float(radius_km))):
            msg = f"circle {text[:80]!r} is nowhere"
            raise ValueError(msg)
        circles.append(shapely.Point(longitude, latitude).buffer(float(radius_km) / KM_PER_DEGREE))
    return [*(polygon(text) for text in _texts(area, "polygon")), *circles]


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(f"c:{name}", "", _C) or "").strip()


def _texts(parent: etree._Element, name: str) -> list[str]:
    return [" ".join(one.itertext()).strip() for one in parent.findall(f"c:{name}", _C)]
