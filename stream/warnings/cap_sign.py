"""Signing an alert, and trusting one: XML signatures (W3C, enveloped, ECDSA or RSA with SHA-256) against *pinned* certificates.

A signature proves nothing by itself: whoever forges an alert can sign it. It counts only when it was made with a certificate that the
reader pinned for this sender beforehand; no authority is asked, and a certificate inside the alert is never trusted for being there.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml import SignatureConfiguration, SignatureMethod, VerifyResult, XMLSigner, XMLVerifier
from signxml.exceptions import SignXMLException

from stream.warnings.cap import NAMESPACE
from stream.warnings.cap_rules import parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_EXPECTED = SignatureConfiguration(
    location="./",
    signature_methods=frozenset(
        {
            SignatureMethod.ECDSA_SHA256,
            SignatureMethod.ECDSA_SHA384,
            SignatureMethod.ECDSA_SHA512,
            SignatureMethod.RSA_SHA256,
            SignatureMethod.RSA_SHA384,
            SignatureMethod.RSA_SHA512,
        }
    ),
)
"""One signature, directly in the alert, by a key pair: no shared secrets."""


class Trust(StrEnum):
    """What a signature is worth."""

    TRUSTED = "trusted"
    UNSIGNED = "unsigned"
    UNKNOWN_SENDER = "unknown_sender"
    """No certificate is pinned for this sender."""
    BROKEN = "broken"
    """The alert was changed, or signed with a certificate that is not pinned for its sender."""


def signed(xml: bytes, key_pem: bytes, certificate_pem: bytes) -> bytes:
    """The alert with an enveloped signature. `key_pem`: an unencrypted private key (EC or RSA), `certificate_pem`: its certificate."""
    elliptic = isinstance(load_pem_private_key(key_pem, None), EllipticCurvePrivateKey)
    method = SignatureMethod.ECDSA_SHA256 if elliptic else SignatureMethod.RSA_SHA256
    root = XMLSigner(signature_algorithm=method).sign(parse(xml), key=key_pem, cert=certificate_pem.decode())
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def trust(xml: bytes, pinned: Mapping[str, Sequence[bytes]]) -> Trust:
    """Whether the alert was signed with one of the certificates (PEM) pinned for its sender, and is what was signed."""
    root = parse(xml)
    if root.find("{http://www.w3.org/2000/09/xmldsig#}Signature") is None:
        return Trust.UNSIGNED
    certificates = pinned.get(root.findtext(f"{{{NAMESPACE}}}sender", ""), ())
    if not certificates:
        return Trust.UNKNOWN_SENDER
    return Trust.TRUSTED if any(signed_part(xml, one) is not None for one in certificates) else Trust.BROKEN


def signed_part(xml: bytes, certificate_pem: bytes, at: datetime | None = None) -> etree._Element | None:
    """The alert that this certificate's key signed, as it was signed (without its signature, without comments); None if there is none.

    `at`: when the certificate has to be valid (None: now, by the machine's clock).

    Read this and not the document it came in: around a genuine signed part anything may have been put (signature wrapping). A signature over
    an inner part of an alert is none.
    """
    try:
        result = XMLVerifier().verify(
            parse(xml), x509_cert=certificate_pem.decode(), expect_config=replace(_EXPECTED, verification_time=at)
        )
    except (SignXMLException, UnsupportedAlgorithm, ValueError, LookupError, etree.LxmlError):  # whatever a hostile signature makes of it
        return None
    if not isinstance(result, VerifyResult):
        return None
    part = result.signed_xml
    return part if part is not None and part.tag == f"{{{NAMESPACE}}}alert" else None
