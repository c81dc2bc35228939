"""Alerts of an invented agency upstream, signed with keys made here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stream.warnings.cap_sign import signed

SENDER = "alerts@upstream.example"
POLYGON = "<polygon>29.95,109.95 29.95,110.05 30.05,110.05 30.05,109.95 29.95,109.95</polygon>"


def moment(at: int) -> str:
    """Milliseconds as CAP writes an instant, in China's time."""
    return datetime.fromtimestamp(at // 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "-00:00")


@cache
def keyed(name: str, first_day: int, days: int) -> tuple[bytes, bytes]:
    """A key and its certificate, valid for `days` from `first_day` (days since 1970)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=first_day)
    certificate = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    certificate = certificate.serial_number(x509.random_serial_number()).not_valid_before(begins)
    made = certificate.not_valid_after(begins + timedelta(days=days)).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, made.public_bytes(serialization.Encoding.PEM)


def written(identifier: str, sent_at: int, **said: str | int) -> bytes:
    """An alert without a signature. `said`: msg_type, status, references, severity, response, certainty, area, event, expires_at, sender, extra."""
    references = f"<references>{said['references']}</references>" if said.get("references") else ""
    expires = moment(int(said.get("expires_at", sent_at + 6 * 3_600_000)))
    info = f"""<info><language>en-US</language><category>Met</category><event>{said.get("event", "Flood")}</event>
<responseType>{said.get("response", "Prepare")}</responseType><urgency>Immediate</urgency><severity>{said.get("severity", "Severe")}</severity>
<certainty>{said.get("certainty", "Observed")}</certainty><eventCode><valueName>OET:v1.2</valueName><value>{said.get("code", "081")}</value></eventCode>
<effective>{moment(sent_at)}</effective><expires>{expires}</expires><senderName>Upstream agency</senderName>
<headline>{said.get("headline", "The dam at the upper gauge gives way")}</headline><description>Water is rising.</description><instruction>Leave.</instruction>
{said.get("extra", "")}<area><areaDesc>Upper valley</areaDesc>{said.get("area", POLYGON)}</area></info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{said.get("sender", SENDER)}</sender><sent>{moment(sent_at)}</sent><status>{said.get("status", "Test")}</status>
<msgType>{said.get("msg_type", "Alert")}</msgType><scope>Public</scope>{references}{info if said.get("info", 1) else ""}</alert>""".encode()


def alert(identifier: str, sent_at: int, **said: str | int) -> bytes:
    """A signed alert."""
    return signed(written(identifier, sent_at, **said), *keyed("upstream", sent_at // 86_400_000 - 1, 30))


def reference(identifier: str, sent_at: int) -> str:
    return f"{SENDER},{identifier},{moment(sent_at)}"
