"""From bytes nobody vouches for to the part of an alert that a pinned certificate signed, and to nothing else of it.

Limits come first, on the bytes: size, encoding, no document type (so there are no entities to resolve or to blow up), depth. Then who it says it is
from, which only selects the certificates to check with. What is read afterwards is what the signature covers, never the document around it: a
genuine alert wrapped into a forged one yields the genuine one or nothing, and comments that split a text are gone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.x509 import load_pem_x509_certificate
from lxml import etree

from stream.accept.refusal import quoted
from stream.gateways.cap_refused import CapFault, CapRefused
from stream.warnings.cap import NAMESPACE
from stream.warnings.cap_rules import CapRule, findings, parse
from stream.warnings.cap_sign import signed_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BYTES_MAX = 262_144
DEPTH_MAX = 16
"""CAP needs 5 levels, a signature with its certificate 6."""
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_STRICT = frozenset({CapRule.SCHEMA, CapRule.IDENTIFIER, CapRule.REFERENCES, CapRule.SCOPE, CapRule.TIMES, CapRule.AREA})
"""What makes an alert unreadable or untrue. How well it is written (length of a headline, languages) is its sender's affair."""


def vouched(xml: bytes, pinned: Mapping[str, Sequence[bytes]], now: int) -> etree._Element | CapFault:
    """The signed alert, valid CAP 1.2, from a sender with a pinned certificate (PEM) that is valid at `now` (ms); or why there is none."""
    root = readable(xml)
    if isinstance(root, CapFault):
        return root
    sender = root.findtext(f"{{{NAMESPACE}}}sender", "")
    if not pinned.get(sender):
        return CapFault(CapRefused.UNKNOWN_SENDER, f"sender {quoted(sender)}")
    if root.find(_SIGNATURE) is None:
        return CapFault(CapRefused.UNSIGNED, f"from {quoted(sender)}")
    at = datetime.fromtimestamp(now / 1000, UTC)
    valid = [one for one in pinned[sender] if _valid(one, at)]
    if not valid:
        return CapFault(CapRefused.CERTIFICATE_NOT_VALID, f"no certificate of {quoted(sender)} is valid now")
    return _checked(xml, valid, sender, at)


def _checked(xml: bytes, certificates: Sequence[bytes], sender: str, at: datetime) -> etree._Element | CapFault:
    found = next((part for one in certificates if (part := signed_part(xml, one, at)) is not None), None)
    if found is None:
        return CapFault(CapRefused.SIGNATURE_BROKEN, f"from {quoted(sender)}")
    if found.findtext(f"{{{NAMESPACE}}}sender", "") != sender:
        return CapFault(CapRefused.SIGNATURE_BROKEN, "the signed part is of another sender than the alert")
    broken = next((one for one in findings(etree.tostring(found)) if one.rule in _STRICT), None)
    return found if broken is None else CapFault(CapRefused.NOT_CAP, f"{broken.rule}: {broken.detail}")


def readable(xml: bytes) -> etree._Element | CapFault:
    """The root of what is within the limits. Never raises, whatever the bytes are.

    >>> readable(b"<!DOCTYPE alert []><alert/>").reason.value, readable(b"<a>" * 17 + b"</a>" * 17).reason.value
    ('document_type', 'too_deep')
    """
    fault = _unsafe(xml)
    if fault is not None:
        return fault
    try:
        root = parse(xml)
    except etree.XMLSyntaxError as error:
        return CapFault(CapRefused.TOO_DEEP if "depth" in str(error) else CapRefused.NOT_XML, str(error))
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            return CapFault(CapRefused.TOO_DEEP, f"more than {DEPTH_MAX} elements inside each other")
    return root


def _unsafe(xml: bytes) -> CapFault | None:
    """What no parser should be given."""
    if len(xml) > BYTES_MAX:
        return CapFault(CapRefused.TOO_LARGE, f"{len(xml)} bytes")
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError as error:
        return CapFault(CapRefused.NOT_UTF8, f"byte {error.start}")
    named = _ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
    if named is not None and named[1].lower() not in {b"utf-8", b"us-ascii"}:
        return CapFault(CapRefused.NOT_UTF8, f"it says that it is {quoted(named[1].decode())}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return CapFault(CapRefused.DOCUMENT_TYPE, "")
    return None


def _valid(certificate_pem: bytes, at: datetime) -> bool:
    certificate = load_pem_x509_certificate(certificate_pem)
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
