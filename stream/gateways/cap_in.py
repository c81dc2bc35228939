"""Another city's or agency's CAP 1.2 alert becomes a report of whoever it speaks for, as if an officer had stated it by hand.

An alert is a report; an update corrects it (level, place, end); an update that says AllClear ends it; a cancel takes it back as wrong. One alert is one
report at one place: the city of the region whose adcode it names, else the one nearest to the middle of its area, else that middle. What is red is orange until a person of the region
stands behind it, as with every report.

An alert is known by sender, identifier and sent (CAP 1.2, 3.2.1), and a danger by the first identifier of its references. Both are remembered for the
last `KNOWN_MOST` alerts; after a restart they are not, and nothing depends on it: ids of statements follow from identifiers, so the fold drops what it
has, and an update whose predecessor is not known here brings its report along.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec
import shapely
from lxml import etree

from stream.accept.refusal import Fault, quoted
from stream.accept.statements import Stated, judge
from stream.gateways.cap_reading import Alert, read_alert
from stream.gateways.cap_refused import CapFault, CapRefused
from stream.gateways.cap_trust import vouched
from stream.records.instants import MINUTE, to_text
from stream.records.statement import Statement, statement_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.records.lanes import Lane
    from stream.region.model import Region

Key = TypeVar("Key")
Value = TypeVar("Value")
KNOWN_MOST = 10_000
AHEAD_MOST_MS = 5 * MINUTE
TEXT_CHARS_MAX = 400
OVER_IN_MS = MINUTE
"""A report ends so long after its AllClear was read: an end in the past cannot be stated."""


class CapSource(NamedTuple):
    """One sender of alerts: its certificates (PEM; two while they change), for whom it speaks, about which domain, and what it calls our hazards.

    `hazards`: from its event codes, or its names of events (in any language of its alerts), to hazards of the region.
    """

    sender: str
    city_id: str
    domain: str
    certificates: tuple[bytes, ...]
    hazards: Mapping[str, str]


class CapDuplicate(NamedTuple):
    """The very same alert was taken before."""

    identifier: str


class Taken(NamedTuple):
    """What an alert becomes: statements for `acknowledgements.<city_id>`, in this order."""

    city_id: str
    statements: tuple[Statement, ...]


class _Known(NamedTuple):
    digest: bytes
    root: str


class CapIn:
    """Takes alerts, one after the other. Pure: the clock is an argument; nothing is raised whatever the bytes are."""

    def __init__(self, sources: Sequence[CapSource], regions: Sequence[Region], lane: Lane) -> None:
        self._sources = {one.sender: one for one in sources}
        self._pinned = {one.sender: one.certificates for one in sources}
        self._regions = regions
        self._lane = lane
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def take(self, xml: bytes, now: int) -> Taken | CapDuplicate | CapFault:
        """What the alert becomes, at `now` (ms)."""
        try:
            return self._take(xml, now)
        except (ValueError, TypeError, OverflowError, msgspec.ValidationError, shapely.errors.ShapelyError) as error:
            # The schema lets through what is no date, no number or no shape, and texts longer than a statement's.
            return CapFault(CapRefused.NOT_CAP, str(error))

    def _take(self, xml: bytes, now: int) -> Taken | CapDuplicate | CapFault:
        root = vouched(xml, self._pinned, now)
        if isinstance(root, CapFault):
            return root
        digest = sha256(etree.tostring(root, method="c14n")).digest()
        source = self._sources[root.findtext("{*}sender", "")]
        region = next((one for one in self._regions if any(domain.domain_id == source.domain for domain in one.domains)), None)
        alert = read_alert(root, source.hazards, region, self._lane)
        if isinstance(alert, CapFault):
            return alert
        known = self._known.get((alert.sender, alert.identifier))
        if known is not None:
            same = known.digest == digest
            return CapDuplicate(alert.identifier) if same else CapFault(CapRefused.CONFLICT, quoted(alert.identifier))
        if alert.sent_at > now + AHEAD_MOST_MS:
            return CapFault(CapRefused.TIME, f"sent at {to_text(alert.sent_at)}, which is in the future")
        if alert.expires_at is not None and alert.expires_at <= now:
            return CapFault(CapRefused.TIME, f"it expired at {to_text(alert.expires_at)}")
        return self._made(source, alert, digest, now)

    def _made(self, source: CapSource, alert: Alert, digest: bytes, now: int) -> Taken | CapFault:
        before = [one for one in alert.references if one.sender == alert.sender]
        if alert.msg_type != "Alert" and not before:
            return CapFault(CapRefused.REFERENCES, f"{alert.msg_type} of nothing that {quoted(alert.sender)} said")
        if alert.msg_type == "Alert":
            before = []
        found = next((one for each in before if (one := self._known.get((alert.sender, each.identifier))) is not None), None)
        first = found.root if found is not None else min(before, key=lambda one: one.sent_at).identifier if before else alert.identifier
        newest = self._newest.get((alert.sender, first), 0)
        if alert.sent_at < newest:
            return CapFault(CapRefused.SUPERSEDED, f"one sent at {to_text(newest)} was taken")
        taken = Taken(source.city_id, tuple(self._statements(source, alert, (first, found is None), now)))
        for said in taken.statements:
            judged = judge(Stated(said, source.city_id, now, self._lane), self._regions)
            if isinstance(judged, Fault):
                return CapFault(CapRefused.NOT_A_REPORT, judged.what)
        _remember(self._known, (alert.sender, alert.identifier), _Known(digest, first))
        _remember(self._newest, (alert.sender, first), alert.sent_at)
        return taken

    def _statements(self, source: CapSource, alert: Alert, of: tuple[str, bool], now: int) -> list[Statement]:
        first, unknown = of
        about = statement_id(source.city_id, _id(alert.sender, first))
        text = alert.text[:TEXT_CHARS_MAX] or alert.identifier[:TEXT_CHARS_MAX]
        if alert.msg_type == "Cancel":
            return [self._said(source, alert, act="withdraw", about=about, text=text)]
        if alert.over:
            return [self._said(source, alert, act="correct", about=about, text=text, ends_at=(now + OVER_IN_MS) / 1000)]
        what = {
            "hazard": alert.hazard,
            "level": alert.level,
            "confirmed": alert.observed,
            "city": alert.city,
            "latitude": alert.latitude,
            "longitude": alert.longitude,
            "starts_at": alert.starts_at / 1000,
            "ends_at": None if alert.expires_at is None else alert.expires_at / 1000,
            "text": text,
        }
        report = self._said(source, alert, act="report", id=_id(alert.sender, first), **what)
        if alert.msg_type == "Alert":
            return [report]
        correct = self._said(source, alert, act="correct", about=about, **what)
        return [report, correct] if unknown else [correct]

    def _said(self, source: CapSource, alert: Alert, **fields: object) -> Statement:
        common = {"domain": source.domain, "by": alert.by, "id": _id(alert.sender, alert.identifier), "lane": self._lane}
        said = {name: value for name, value in (common | fields).items() if value is not None}
        return msgspec.convert(said | {"type": "statement"}, Statement)


def _id(sender: str, identifier: str) -> str:
    """The id of a statement made of an alert: of sender and identifier alone, so that it is the same after a restart.

    >>> len(_id("a@b", "x" * 500))
    44
    """
    return "cap-" + sha256(f"{sender}\x1f{identifier}".encode()).hexdigest()[:40]


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KNOWN_MOST:
        kept.popitem(last=False)
