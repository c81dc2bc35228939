"""`tocsin gateway`: how measurements come in from those who do not speak Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stream.cli.gateway_keys import key, keys, sign, token
from stream.cli.gateway_mqtt import mqtt
from stream.cli.gateway_try import try_payload
from stream.cli.options import MetricsPort, connection, given, naming
from stream.cli.spooling import keeping
from stream.errors import TocsinError
from stream.settings import Settings

app = typer.Typer(
    name="gateway", help="Take measurements from those who do not speak Kafka.", no_args_is_help=True, pretty_exceptions_enable=False
)


def tls(
    tls_cert: Annotated[Path | None, typer.Option(help="The server's certificate (PEM).", dir_okay=False, exists=True)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).", dir_okay=False, exists=True)] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="What client certificates are checked against (PEM).", dir_okay=False, exists=True)
    ] = None,
) -> dict[str, Path | None] | None:
    """The files of TLS, None without."""
    if (tls_cert is None) != (tls_key is None) or (client_ca is not None and tls_cert is None):
        msg = "TLS needs --tls-cert and --tls-key; --client-ca needs both"
        raise TocsinError(msg)
    return None if tls_cert is None else {"certificate": tls_cert, "key": tls_key, "client_ca": client_ca}


@app.command("http")
@given(settings=connection, spool=keeping, tls_files=tls)
def http(
    settings: Settings,
    spool: tuple[Path | None, int],
    tls_files: dict[str, Path] | None,
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on. On others than loopback, only senders of gateways.toml are heard.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 = any free one, which is printed.")] = 8180,
    mapping: Annotated[
        Path | None, typer.Option(help="gateway.toml: names of columns, devices and datastreams.", dir_okay=False, exists=True)
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="TOML file with other limits than usual.", dir_okay=False, exists=True)] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Take measurements by HTTP: POST /v1/measurements, history by POST /v1/backfill; GET /openapi.json says how.

    Exit codes: 0 after a clean stop (SIGTERM or Ctrl-C), 1 it cannot listen, 70 a bug.
    """
    from stream.gateways.http_limits import load_limits
    from stream.gateways.http_process import Listening, Tls, run_http
    from stream.gateways.mapping_file import load_mapping
    from stream.health.logs import set_up
    from stream.health.tracing import start

    settings = naming(settings, metrics_port=metrics_port)
    set_up(settings, "gateway-http", silent=["aiokafka"])
    start(settings, "gateway-http", libraries=True)
    listening = Listening(host, port, *spool, None if tls_files is None else Tls(**tls_files), load_limits(limits), load_mapping(mapping))
    raise typer.Exit(run_http(settings, listening))


app.command("try")(try_payload)
app.command("mqtt")(mqtt)
app.command("token")(token)
app.command("key")(key)
app.command("keys")(keys)
app.command("sign")(sign)
