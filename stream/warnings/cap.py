"""A city's warning as a CAP 1.2 alert (OASIS Common Alerting Protocol), the form other warning systems read.

One warning revision is one alert: identifier `warning_id-revision`, an info block in Chinese and one in English, the city's area, the
references to every earlier message of the same warning, and the incident it belongs to. A level is carried twice: as CAP severity, and
as China's four colours in the parameter `level` (CAP knows no colours).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

from stream.records.instants import from_text
from stream.records.warning import CityWarning, Lane, MsgType, Reason
from stream.warnings.cap_area import area_of
from stream.warnings.cap_templates import EVENT_LIST, event_code
from stream.warnings.cap_words import headline, instruction, response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.region.model import City, Hazard

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
STATUS = {Lane.LIVE: "Actual", Lane.EXERCISE: "Exercise", Lane.TEST: "Test"}
MSG_TYPE = {MsgType.ALERT: "Alert", MsgType.UPDATE: "Update", MsgType.ALL_CLEAR: "Update", MsgType.CANCEL: "Cancel"}
SEVERITY = {"red": "Extreme", "orange": "Severe", "yellow": "Moderate", "blue": "Minor"}
COLOUR = {"red": "Red", "orange": "Orange", "yellow": "Yellow", "blue": "Blue"}
CHINA = timezone(timedelta(hours=8))
SOON_MS = 3_600_000
"""CAP: "expected" means within the next hour."""


class Reference(NamedTuple):
    """An earlier alert, as CAP's `references` name it."""

    sender: str
    identifier: str
    sent: str


class Issuer(NamedTuple):
    """Who the alerts are from: `sender` (no space, comma, < or &) identifies, `name` is for people."""

    sender: str
    name: str


def instant(text: str) -> str:
    """An RFC 3339 UTC text as CAP takes it: whole seconds with an offset, never Z; in China's time.

    >>> instant("2005-11-24T16:00:00Z")
    '2005-11-25T00:00:00+08:00'
    """
    at = datetime.fromtimestamp(from_text(text) // 1000, UTC).astimezone(CHINA)
    return at.isoformat(timespec="seconds")


def identifier(warning: CityWarning) -> str:
    """The alert's identifier."""
    return f"{warning.warning_id}-{warning.revision}"


def references(issuer: Issuer, earlier: Iterable[CityWarning]) -> tuple[Reference, ...]:
    """References to the earlier revisions of one warning, oldest first, each once."""
    by_revision = {one.revision: one for one in earlier}
    return tuple(Reference(issuer.sender, identifier(one), instant(one.sent_at)) for _, one in sorted(by_revision.items()))


def episode(warning: CityWarning, earlier: Iterable[CityWarning]) -> tuple[CityWarning, ...]:
    """Of the earlier revisions of a warning those that a revision goes back to: from the newest alert on, none for an alert itself.

    A warning that had ended and begins anew is an alert again: what stood before is over, and nothing of it is replaced.
    """
    if warning.msg_type is MsgType.ALERT:
        return ()
    before = sorted({one.revision: one for one in earlier if one.revision < warning.revision}.values(), key=lambda one: one.revision)
    begins = max((at for at, one in enumerate(before) if one.msg_type is MsgType.ALERT), default=0)
    return tuple(before[begins:])


def alert(
    warning: CityWarning, city: City, hazard: Hazard, issuer: Issuer, earlier: Sequence[CityWarning] = (), related: Sequence[str] = ()
) -> bytes:
    """The alert as UTF-8 XML.

    `city` is whom it is for (`cap_recipient.recipient` also for administrations), `earlier` the revisions of the same warning published before
    this one, `related` the ids of incidents that belong together with its own (its cause, what it was merged or split from). Raises
    ValueError when an update has none before it: CAP does not allow an update of nothing, and a reader could not tell what it replaces.
    """
    chain = episode(warning, earlier)
    before = references(issuer, chain)
    if warning.msg_type is not MsgType.ALERT and not before:
        msg = f"{identifier(warning)} is an {warning.msg_type.value}: give the earlier revisions of {warning.warning_id} for its references"
        raise ValueError(msg)
    root = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})
    _add(root, "identifier", identifier(warning))
    _add(root, "sender", issuer.sender)
    _add(root, "sent", instant(warning.sent_at))
    _add(root, "status", STATUS[warning.lane])
    _add(root, "msgType", MSG_TYPE[warning.msg_type])
    _add(root, "source", f"Tocsin {warning.region} {warning.region_hash}")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", f"Operations centre of {city.names.get('en', city.city_id)}")
    if warning.lane is not Lane.LIVE:
        exercise = f"Exercise {warning.exercise_id} 演习. " if warning.exercise_id else ""
        _add(root, "note", f"{exercise}This is no real warning. 这不是真实预警。")
    if before:
        _add(root, "references", " ".join(",".join(reference) for reference in before))
    # A warning keeps its id when incidents are merged or split: all that it belonged to belong together.
    incidents = dict.fromkeys((warning.incident_id, *(one.incident_id for one in reversed(chain)), *related))
    _add(root, "incidents", " ".join(incidents))
    for language in LANGUAGES:
        _info(root, warning, city, hazard, (issuer, language))
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def urgency(warning: CityWarning) -> str:
    """CAP urgency from when the danger arrives, seen from `sent_at`."""
    if warning.msg_type in (MsgType.ALL_CLEAR, MsgType.CANCEL):
        return "Past"
    if warning.role == "coordinator":
        return "Immediate"
    if "same_place" in warning.paths:
        return "Immediate"
    if warning.arrives_at_p10 is None:
        return "Unknown"
    ahead = from_text(warning.arrives_at_p10) - from_text(warning.sent_at)
    return "Immediate" if ahead <= 0 else "Expected" if ahead <= SOON_MS else "Future"


def _info(root: etree._Element, warning: CityWarning, city: City, hazard: Hazard, said: tuple[Issuer, str]) -> None:
    issuer, language = said
    info = _add(root, "info")
    over = warning.msg_type in (MsgType.ALL_CLEAR, MsgType.CANCEL)
    name = hazard.texts.get(language, {}).get("name", hazard.hazard)
    place = city.names.get(language, city.city_id)
    _add(info, "language", LANGUAGES[language])
    _add(info, "category", hazard.category.upper() if hazard.category == "cbrne" else hazard.category.capitalize())
    _add(info, "event", name)
    _add(info, "responseType", response(warning, hazard))
    _add(info, "urgency", urgency(warning))
    _add(info, "severity", SEVERITY.get(warning.level, "Minor"))
    _add(info, "certainty", warning.certainty)
    if code := event_code(hazard):
        _named(info, "eventCode", EVENT_LIST, code)
    _add(info, "effective", instant(warning.sent_at))
    if warning.arrives_at_p50 is not None and not over:
        _add(info, "onset", instant(warning.arrives_at_p50))
    _add(info, "expires", instant(_expires(warning)))
    _add(info, "senderName", issuer.name)
    _add(info, "headline", headline(language, warning, place, name))
    _add(info, "description", warning.text.zh if language == "zh" else warning.text.en)
    _add(info, "instruction", instruction(language, warning, hazard, place))
    for key, value in _parameters(warning):
        _named(info, "parameter", key, value)
    _area(info, city, language)


def _expires(warning: CityWarning) -> str:
    """CAP needs an end after the beginning; what is over (or expired) ends an hour after it was said, so that a late reader still sees it."""
    if from_text(warning.expires_at) > from_text(warning.sent_at) and warning.reason is not Reason.EXPIRED:
        return warning.expires_at
    at = datetime.fromtimestamp((from_text(warning.sent_at) + SOON_MS) // 1000, UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parameters(warning: CityWarning) -> Iterable[tuple[str, str]]:
    yield "level", f"CN:{COLOUR[warning.level]}" if warning.level in COLOUR else "CN:None"
    yield "reason", warning.reason.value
    if warning.paths:
        yield "path", " ".join(warning.paths)
    yield "probability", f"{warning.probability:.2f}"
    for key in ("p10", "p50", "p90"):
        at = getattr(warning, f"arrives_at_{key}")
        if at is not None:
            yield f"arrives_at_{key}", instant(at)
    if warning.arrival_unknown_because:
        yield "arrival_unknown_because", warning.arrival_unknown_because
    yield "coverage", f"{warning.coverage.fresh}/{warning.coverage.total}"
    yield "role", warning.role
    if "unconfirmed" in warning.reasons:
        yield "confirmed", "no"
    if warning.exceedance:
        yield "exceedance", " ".join(f"{one.level}={one.probability:.2f}" for one in warning.exceedance)
    for name, value in (
        ("agreement", warning.agreement_id),
        ("coordinator", warning.coordinator),
        ("muted_by", " ".join(warning.muted_by)),
    ):
        if value:
            yield name, value
    if warning.acknowledge_by_at is not None:
        yield "acknowledge_by", instant(warning.acknowledge_by_at)


def _area(info: etree._Element, city: City, language: str) -> None:
    place = area_of(city)
    area = _add(info, "area")
    _add(area, "areaDesc", city.names.get(language, city.city_id))
    for polygon in place.polygons:
        _add(area, "polygon", polygon)
    if place.circle:
        _add(area, "circle", place.circle)
    if city.adcode:
        _named(area, "geocode", "GB/T 2260", city.adcode)


def _named(parent: etree._Element, element: str, name: str, value: str) -> None:
    """CAP's pair of a name and a value."""
    pair = _add(parent, element)
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = text
    return element
