"""What closes the embedded broker: certificates, the first user, and the properties that refuse everything nobody was allowed.

Everything lies in one folder that only its owner reads. Two authorities: one for the node itself (its controller listener trusts no other),
one for clients. Both ways in are open on loopback: a password (SCRAM-SHA-512, with or without TLS) or a certificate.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stream.errors import BrokerError

if TYPE_CHECKING:
    from pathlib import Path

INSTALLER = "installer"
"""The first user: may do everything, as long as nobody else may do anything."""
NODE = "broker"
ITERATIONS = 8_192
TIMEOUT_S = 15.0
DAYS = 3_650
PROTOCOLS = {"SASL_SSL": "SASL_SSL", "SSL": "SSL", "SASL_PLAINTEXT": "SASL_PLAINTEXT", "CONTROLLER": "SSL"}
"""The listeners of a secured broker, by name, with their protocol."""


class Issued(NamedTuple):
    """A certificate with its private key, both PEM files."""

    certificate: Path
    key: Path


class Security:
    """The secrets of one embedded broker, in a folder that is made when missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / "node.pem").exists():
            self._found()

    @property
    def ca_file(self) -> Path:
        """Who vouches for the broker: what clients trust."""
        return self._folder / "node-ca.pem"

    def certificate(self, common_name: str) -> Issued:
        """A client's certificate, principal `User:CN=<common_name>`; made at the first call. BrokerError for the node's own name."""
        if common_name == NODE:
            msg = f"{NODE!r} is the name of the node itself, whom nothing is refused: take another one"
            raise BrokerError(msg)
        issued = Issued(self._folder / f"client-{common_name}.pem", self._folder / f"client-{common_name}-key.pem")
        if not issued.certificate.exists():
            _issue(issued, common_name, self._authority("clients-ca"))
        return issued

    def login(self, user: str) -> dict[str, str]:
        """Settings of a process that comes with a password over TLS; the user's password must have been set."""
        return {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password_file": str(self.password_file(user)),
            "ssl_ca_file": str(self.ca_file),
        }

    def certificate_login(self, common_name: str) -> dict[str, str]:
        """Settings of a process that comes with a certificate."""
        issued = self.certificate(common_name)
        files = {"ssl_cert_file": str(issued.certificate), "ssl_key_file": str(issued.key)}
        return {"security_protocol": "SSL", "ssl_ca_file": str(self.ca_file), **files}

    def password_file(self, user: str) -> Path:
        """Where the user's password stands."""
        return self._folder / f"password-{user}"

    def set_password(self, address: str, user: str) -> Path:
        """Give the user a new random password (the one before ends) and write it down; BrokerError when the broker does not take it.

        `address`: the broker's listener for certificates.
        """
        password = secrets.token_urlsafe(24)
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        change = UserScramCredentialUpsertion(user, info, password.encode())
        admin = self.admin(address)  # kept until the answer is there: without its owner a request is given up
        try:
            admin.alter_user_scram_credentials([change])[user].result(TIMEOUT_S)
        except KafkaException as error:
            msg = f"the password of {user} was not taken by the broker at {address}: {error.args[0].str()}"
            raise BrokerError(msg) from error
        _write(self.password_file(user), password.encode())
        return self.password_file(user)

    def admin(self, address: str) -> AdminClient:
        """An administrator in the node's own name, whom nothing is refused. `address`: the listener for certificates."""
        node = self._folder / "node.pem"
        return AdminClient(
            {
                "bootstrap.servers": address,
                "security.protocol": "SSL",
                "ssl.ca.location": str(self.ca_file),
                "ssl.certificate.location": str(node),
                "ssl.key.location": str(node),
                "reconnect.backoff.max.ms": 200,
                "log_level": 0,
            }
        )

    def lets_in(self, address: str) -> bool:
        """Whether a broker answers on its listener for certificates and knows at least itself."""
        try:
            return bool(self.admin(address).list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def properties(self) -> dict[str, object]:
        """The broker's settings for all of this. What no access control list allows is refused."""
        pem = {"ssl.keystore.type": "PEM", "ssl.truststore.type": "PEM", "ssl.keystore.location": self._folder / "node.pem"}
        return {
            **pem,
            "ssl.truststore.location": self._folder / "trusted.pem",
            "listener.name.ssl.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "listener.name.controller.ssl.truststore.type": "PEM",
            "listener.name.controller.ssl.truststore.location": self.ca_file,
            "inter.broker.listener.name": "SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": _SCRAM,
            "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": _SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:CN={NODE};User:{INSTALLER}",
        }

    def _found(self) -> None:
        """Both authorities, then the node's own certificate; what all listeners but the controller's trust is both."""
        for name in ("node-ca", "clients-ca"):
            _issue(Issued(self._folder / f"{name}.pem", self._folder / f"{name}-key.pem"), f"tocsin {name}", None)
        both = [(self._folder / f"{name}.pem").read_bytes() for name in ("node-ca", "clients-ca")]
        _write(self._folder / "trusted.pem", b"".join(both))
        node = Issued(self._folder / "node-certificate.pem", self._folder / "node-key.pem")
        _issue(node, NODE, self._authority("node-ca"))
        _write(self._folder / "node.pem", node.key.read_bytes() + node.certificate.read_bytes())

    def _authority(self, name: str) -> _Authority:
        certificate = x509.load_pem_x509_certificate((self._folder / f"{name}.pem").read_bytes())
        key = load_pem_private_key((self._folder / f"{name}-key.pem").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            msg = f"{self._folder / name}-key.pem is not a key that was made here: use an empty folder"
            raise BrokerError(msg)
        return _Authority(certificate, key)


_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class _Authority(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _issue(files: Issued, common_name: str, authority: _Authority | None) -> None:
    """Write a certificate for loopback and its key; without an authority it is one, and signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
    )
    if authority is not None:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    certificate = builder.sign(authority.key if authority else key, SHA256())
    _write(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write(files.certificate, certificate.public_bytes(Encoding.PEM))


def _write(path: Path, content: bytes) -> None:
    """A file only its owner reads, there completely or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
