"""Where an MQTT broker is and how we show ourselves to it; and in plain words why it will not have us."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from stream.errors import TocsinError

if TYPE_CHECKING:
    from pathlib import Path

    from paho.mqtt.reasoncodes import ReasonCode

ACCOUNT = {"Bad user name or password", "Not authorized"}
HOPELESS = ACCOUNT | {"Client identifier not valid", "Unsupported protocol version", "Banned"}
NO_TLS = {"WRONG_VERSION_NUMBER", "UNSUPPORTED_PROTOCOL", "RECORD_LAYER_FAILURE"}


class MqttRefused(TocsinError):
    """The broker will not have it, and trying again changes nothing."""


class MqttBroker(NamedTuple):
    """Where the broker is and who we are there. Without `ca_file` the connection is not encrypted."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port} as {self.client_id}"

    def client(self, *, manual_ack: bool) -> Client:
        """A client for it, not connected. TocsinError for files that cannot be used."""
        made = Client(CallbackAPIVersion.VERSION2, client_id=self.client_id, protocol=MQTTv5, manual_ack=manual_ack)
        if self.username is not None:
            made.username_pw_set(self.username, self.password)
        if self.ca_file is not None:
            certificate, key = (str(one) if one else None for one in (self.cert_file, self.key_file))
            try:
                made.tls_set(str(self.ca_file), certificate, key)
            except OSError as error:
                msg = f"TLS with {', '.join(str(one) for one in (self.ca_file, certificate, key) if one)}: {error}; give PEM files that belong together"
                raise TocsinError(msg) from error
        return made

    def refusal(self, reason: ReasonCode) -> str:
        """Why it refuses the connection, and what to do."""
        name = reason.getName()
        if name not in ACCOUNT:
            advice = {
                "Client identifier not valid": "use another --client-id",
                "Unsupported protocol version": "a broker that speaks MQTT 5 is needed",
                "Banned": "ask whoever runs it",
            }.get(name, "it is tried again")
        elif self.username is None:
            advice = "it wants to know who comes: name a --username"
        elif self.password is None:
            advice = f"no password was given for {self.username!r}: set TOCSIN_MQTT_PASSWORD, or name a --password-file"
        else:
            advice = f"look at the password of {self.username!r}, and whether the broker's password_file has that name"
        return f"{self} refuses the connection: {reason}; {advice}"

    def hopeless(self, error: OSError) -> str | None:
        """What is wrong for good with a connection that could not be made, None where it may be there later."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"{self}: its certificate is not trusted: {error.verify_message.rstrip('.')}; name the --ca-file that signed it, and the host that is in it"
        if isinstance(error, ssl.SSLError) and error.reason in NO_TLS:
            return f"{self} does not speak TLS at this port; name the port that does, or leave out --ca-file"
        return None

    def away(self, error: OSError) -> str:
        """What is said of a connection that could not be made and is tried again."""
        hint = "; does it speak TLS at this port?" if self.ca_file is not None and isinstance(error, ConnectionError) else ""
        return f"no MQTT broker answers at {self} ({error}){hint}; trying again"

    @property
    def silence(self) -> str:
        """What may be wrong with a port that takes a connection and ends it, or says nothing."""
        if self.ca_file is None:
            asked = "does it want TLS (--ca-file)"
        elif self.cert_file is None:
            asked = "does it want a certificate from its clients (--cert-file, --key-file)"
        else:
            asked = "does it trust the certificate of --cert-file"
        return f"{self} takes the connection and gives no answer: is this the port of an MQTT broker, and {asked}?"
