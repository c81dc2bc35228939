"""How our clients reach Kafka and show who they are: one value that every client of ours is made from.

It names files, never what stands in them, so that no printout, log or error can show a password. Files are read when a client is made: after a
rotation the next client uses what stands there then.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stream.errors import TocsinError

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
OTHERS = 0o077
"""Mode bits of a file by which its group and others may do anything with it."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Brokers (`host:port`, comma-separated) and what is shown to them. The fields have the names they have in the settings.

    >>> Cluster("kafka:9092").aiokafka()
    {'bootstrap_servers': 'kafka:9092', 'security_protocol': 'PLAINTEXT'}
    """

    bootstrap: str
    security_protocol: Protocol = "PLAINTEXT"
    sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password_file: str = ""
    ssl_ca_file: str = ""
    """Certificates that the broker's must be signed by; without it those the system trusts."""
    ssl_cert_file: str = ""
    ssl_key_file: str = ""
    ssl_key_password_file: str = ""

    def __post_init__(self) -> None:
        """TocsinError for a field that is missing, or that this protocol would leave unused in silence."""
        sasl = {"sasl_username": self.sasl_username, "sasl_password_file": self.sasl_password_file}
        tls = {name: getattr(self, name) for name in ("ssl_ca_file", "ssl_cert_file", "ssl_key_file", "ssl_key_password_file")}
        self._whole("SASL_", sasl, needed=sasl)
        pair = {name: tls[name] for name in ("ssl_cert_file", "ssl_key_file")}
        self._whole("SSL", tls, needed=pair if any(pair.values()) else {})
        if self.ssl_key_password_file and not self.ssl_key_file:
            msg = "ssl_key_password_file without ssl_key_file: there is no key that it could open"
            raise TocsinError(msg)

    def _whole(self, part: str, given: dict[str, str], needed: dict[str, str]) -> None:
        if part in self.security_protocol:
            if missing := [name for name in needed if not given[name]]:
                msg = f"security_protocol {self.security_protocol} needs {' and '.join(missing)}"
                raise TocsinError(msg)
        elif unused := [name for name, value in given.items() if value]:
            kinds = "SASL_PLAINTEXT or SASL_SSL" if part == "SASL_" else "SSL or SASL_SSL"
            msg = f"{' and '.join(unused)} with security_protocol {self.security_protocol} would not be used: set it to {kinds}"
            raise TocsinError(msg)

    @property
    def identity(self) -> str:
        """Who the broker is told we are, for messages.

        >>> Cluster("kafka:9092").identity
        'nobody in particular (security_protocol PLAINTEXT)'
        """
        if self.sasl:
            return f"user {self.sasl_username!r}"
        if self.ssl_cert_file:
            return f"the certificate {self.ssl_cert_file}"
        return f"nobody in particular (security_protocol {self.security_protocol})"

    @property
    def closed(self) -> bool:
        """Whether the broker may know who we are, and hide from us what others see."""
        return self.security_protocol != "PLAINTEXT"

    @property
    def sasl(self) -> bool:
        """Whether a user and a password are shown."""
        return self.security_protocol.startswith("SASL_")

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.security_protocol.endswith("SSL")

    def aiokafka(self) -> dict[str, Any]:
        """Arguments of aiokafka's producers, consumers and administration client; TocsinError names the file that cannot be used."""
        made: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security_protocol}
        if self.sasl:
            made |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.sasl_username,
                "sasl_plain_password": secret("sasl_password_file", self.sasl_password_file),
            }
        if self.tls:
            made["ssl_context"] = self.ssl_context()
        return made

    def librdkafka(self) -> dict[str, Any]:
        """Configuration of confluent-kafka's clients, quiet: what goes wrong is raised by the call that it concerns."""
        made: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "log_level": 0, "security.protocol": self.security_protocol}
        if self.sasl:
            made |= {
                "sasl.mechanisms": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": secret("sasl_password_file", self.sasl_password_file),
            }
        if self.tls:
            self.ssl_context()  # says more clearly which file is wrong
            files = {
                "ssl.ca.location": self.ssl_ca_file,
                "ssl.certificate.location": self.ssl_cert_file,
                "ssl.key.location": self.ssl_key_file,
            }
            made |= {name: path for name, path in files.items() if path}
        if self.ssl_key_password_file:
            made["ssl.key.password"] = secret("ssl_key_password_file", self.ssl_key_password_file)
        return made

    def ssl_context(self) -> ssl.SSLContext:
        """A context that checks the broker's name and certificate and shows ours if there is one; TocsinError names the file that is wrong."""
        for name in ("ssl_ca_file", "ssl_cert_file", "ssl_key_file"):
            if (path := getattr(self, name)) and not Path(path).is_file():
                msg = f"{name}: there is no file {path}"
                raise TocsinError(msg)
        password = secret("ssl_key_password_file", self.ssl_key_password_file) if self.ssl_key_password_file else ""
        try:
            context = ssl.create_default_context(cafile=self.ssl_ca_file or None)
            if self.ssl_cert_file:
                private("ssl_key_file", Path(self.ssl_key_file))
                # A password in any case: without one OpenSSL would ask the terminal for it.
                context.load_cert_chain(self.ssl_cert_file, self.ssl_key_file, password)
        except (ssl.SSLError, OSError) as error:
            files = ", ".join(path for path in (self.ssl_ca_file, self.ssl_cert_file, self.ssl_key_file) if path)
            fix = "PEM files are needed, the key must be the certificate's, and an encrypted key needs its ssl_key_password_file"
            msg = f"ssl_ca_file, ssl_cert_file or ssl_key_file ({files}) cannot be used: {error}; {fix}"
            raise TocsinError(msg) from error
        return context


def secret(name: str, path: str) -> str:
    """What stands in the file that setting `name` gives, without the end of its line; TocsinError says what is wrong with it, never its content."""
    file = Path(path)
    if not file.is_absolute():
        # Not shown: it may be the password itself, written where its file belongs.
        msg = f"{name}: an absolute path is needed (what was given is not shown, in case it is the secret itself)"
        raise TocsinError(msg)
    private(name, file)
    try:
        text = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        msg = f"{name}: {path} cannot be read: {why}; it must be readable for the user that runs this process"
        raise TocsinError(msg) from None
    if not text:
        msg = f"{name}: {path} is empty; write the secret into it, on one line"
        raise TocsinError(msg)
    return text


def private(name: str, file: Path) -> None:
    """TocsinError when the file is missing, or is our own and its group or others may read it.

    A file of another owner was handed to us by who may (Kubernetes, Docker and systemd mount secrets as root's) and could not be read otherwise;
    so could one in a Kubernetes volume, whose modes are the pod's business.
    """
    try:
        found = file.stat()
    except OSError as error:
        msg = f"{name}: {file} cannot be read: {error.strerror}; write the secret into it with mode 0600"
        raise TocsinError(msg) from None
    mounted = (file.parent / "..data").exists()
    if found.st_uid == os.geteuid() and found.st_mode & OTHERS and not mounted:
        msg = f"{name}: {file} is open to others (mode {found.st_mode & 0o777:04o}); chmod 600 {file}"
        raise TocsinError(msg)
