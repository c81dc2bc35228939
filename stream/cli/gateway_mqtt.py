"""`tocsin gateway mqtt`: from an MQTT broker into the doors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.options import MetricsPort, connection, given, naming
from stream.cli.spooling import keeping
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from stream.gateways.mqtt_broker import MqttBroker

PASSWORD = "TOCSIN_MQTT_PASSWORD"  # noqa: S105  (the variable's name)
PORT, PORT_TLS = 1883, 8883


def account(
    username: Annotated[
        str | None, typer.Option(help=f"The gateway's user at the broker; its password comes in {PASSWORD}, or in a file.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="A file with the password, and nothing else.", dir_okay=False, exists=True)
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option(help="Whose certificates the broker may have (PEM): encrypts.", dir_okay=False, exists=True)
    ] = None,
    cert_file: Annotated[Path | None, typer.Option(help="The gateway's own certificate (PEM).", dir_okay=False, exists=True)] = None,
    key_file: Annotated[Path | None, typer.Option(help="Its key (PEM).", dir_okay=False, exists=True)] = None,
) -> dict[str, Any]:
    """How the gateway shows itself to the broker."""
    if (cert_file is None) != (key_file is None) or (cert_file is not None and ca_file is None):
        msg = "a certificate needs --cert-file, --key-file and --ca-file"
        raise TocsinError(msg)
    if password_file is not None and username is None:
        msg = "a --password-file needs a --username"
        raise TocsinError(msg)
    password = None if username is None else os.environ.get(PASSWORD)
    if password_file is not None:
        password = password_file.read_text("utf-8").rstrip("\r\n")
    return {"username": username, "password": password, "ca_file": ca_file, "cert_file": cert_file, "key_file": key_file}


def broker_at(address: str, client_id: str, shown: dict[str, Any]) -> MqttBroker:
    """The broker at host:port, or at host and the usual port."""
    from stream.gateways.mqtt_broker import MqttBroker

    host, _, port = address.rpartition(":") if ":" in address else (address, "", str(PORT if shown["ca_file"] is None else PORT_TLS))
    if not host or not port.isdecimal():
        msg = f"--broker {address!r}: write host:port"
        raise TocsinError(msg)
    return MqttBroker(host, int(port), client_id, **shown)


@given(settings=connection, spool=keeping, shown=account)
def mqtt(
    settings: Settings,
    spool: tuple[Path | None, int],
    shown: dict[str, Any],
    *,
    client_id: Annotated[
        str,
        typer.Option(
            help="The broker keeps messages for this name: another for each gateway, the same after a restart.", show_default=False
        ),
    ],
    broker: Annotated[str, typer.Option(help="The MQTT broker, host:port.")] = f"127.0.0.1:{PORT}",
    mapping: Annotated[
        Path | None,
        typer.Option(help="gateway.toml: topics and their dialects, devices, datastreams. Default: tocsin/#.", dir_okay=False, exists=True),
    ] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Take measurements from an MQTT broker; each is acknowledged to it when Kafka or the spool has it. What is refused goes to `rejected`.

    At --metrics-port also: /v1/last-seen for whoever installs stations. deploy/mosquitto/ has a
    configuration with which the broker loses nothing. Exit codes: 0 after a clean stop, 1 the broker refuses it, 70 a bug.
    """
    from stream.gateways.mapping_file import load_mapping
    from stream.gateways.mqtt_process import MqttOptions, run_mqtt
    from stream.health.logs import set_up
    from stream.health.tracing import start

    set_up(settings, "gateway-mqtt", silent=["aiokafka"])
    start(settings, "gateway-mqtt")
    settings = naming(settings, metrics_port=metrics_port)
    raise typer.Exit(run_mqtt(settings, MqttOptions(broker_at(broker, client_id, shown), load_mapping(mapping), *spool)))
