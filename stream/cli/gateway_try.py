"""`tocsin gateway try`: what the service makes of a payload, for whoever installs a gateway. Nothing is published, and Kafka need not run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stream.cli.gateway_mqtt import account, broker_at
from stream.cli.options import AsJson, given
from stream.errors import TocsinError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.gateways.dialect import Dialect
    from stream.gateways.judging import Judge
    from stream.gateways.mapping import Mapping
    from stream.gateways.mqtt_broker import MqttBroker
    from stream.gateways.trying import Tried

SUFFIXES = {".csv": "csv_rows"}
BODY_BYTES_MAX = 8 << 20
STYLE = {"accepted": "green", "duplicate": "yellow", "rejected": "red"}


@given(shown=account)
def try_payload(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A payload as it is sent; - = standard input.", show_default=False)
    ] = None,
    *,
    shown: dict[str, Any],
    region: Annotated[
        str, typer.Option(help="The region folder that has the stations, or the name of a shipped region.", show_default=False)
    ],
    mapping: Annotated[
        Path | None, typer.Option(help="gateway.toml: names of columns, devices and datastreams.", dir_okay=False, exists=True)
    ] = None,
    dialect: Annotated[str, typer.Option(help="How the payload is read. Default: by topic, content type or file name.")] = "",
    topic: Annotated[str, typer.Option(help="The MQTT topic or HTTP path it comes on.")] = "",
    listen: Annotated[
        bool, typer.Option("--listen", help="Take what is posted by HTTP on loopback, or with --broker by MQTT, until Ctrl-C.")
    ] = False,
    broker: Annotated[
        str | None,
        typer.Option(help="Listen to this MQTT broker (host:port), to --topic or the mapping's sources; it keeps every message."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 = any free one, which is printed.")] = 8181,
    as_json: AsJson = False,
) -> None:
    """Say of each item in a payload which station, unit, UTC time and domain it is, and whether it would be accepted. Nothing is published.

    Exit code 1 if an item would be rejected.
    """
    if listen == (file is not None) or (broker is not None and not listen):
        msg = "name a FILE, or - for standard input, or give --listen (and --broker, if by MQTT)"
        raise TocsinError(msg)
    judge, meant = _judge(region, mapping)
    show = _show_json if as_json else _show
    if broker is not None:
        _hear(broker_at(broker, "", shown), topic, _Trial(judge, meant, dialect, ""), show)
        return
    if file is None:
        _listen(port, _Trial(judge, meant, dialect, topic), show)
        return
    payload = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    reader = dialect or (meant.dialect_of(topic) if topic else SUFFIXES.get(file.suffix.lower(), "tocsin_json"))
    if not show(_Trial(judge, meant, reader, topic).of(payload)):
        raise typer.Exit(1)


def _judge(region: str, mapping: Path | None) -> tuple[Judge, Mapping]:
    from stream.cli.folders import region_folder
    from stream.gateways.judging import Judge
    from stream.gateways.mapping_file import load_mapping
    from stream.region.load import load_folder
    from stream.settings import Settings

    return Judge([load_folder(region_folder(region))], Settings()), load_mapping(mapping)


class _Trial:
    """All that stays the same from payload to payload. `reader`: the dialect asked for, "" = by topic or content type."""

    def __init__(self, judge: Judge, mapping: Mapping, reader: str, topic: str) -> None:
        self._judge = judge
        self.mapping = mapping
        self._reader = reader
        self._topic = topic

    def of(self, payload: bytes, content_type: str = "", path: str = "") -> list[Tried]:
        """What would become of a payload now. `path`: of HTTP, or the topic it came on where no `content_type` says how to read it."""
        from stream.gateways.dialect import Asked
        from stream.gateways.trying import tried
        from stream.runtime.clocks import wall_ms

        found = self._dialect(content_type, path).decode(payload, Asked(self._topic or path, self.mapping))
        return tried(self._judge, found, wall_ms())

    def _dialect(self, content_type: str, path: str) -> Dialect:
        from stream.gateways.dialect import dialect, dialect_of

        if self._reader:
            return dialect(self._reader)
        if self._topic or not content_type:
            return dialect(self.mapping.dialect_of(self._topic or path))
        return dialect_of(content_type) or dialect("tocsin_json")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise TocsinError(msg) from error


def _show(rows: Sequence[Tried]) -> bool:
    """A block an item; whether all would be accepted."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for one in rows:
        style = STYLE.get(one.verdict.value, "")
        value = "" if one.value is None else f"  {one.value:.6g} {one.unit}  {one.observed_at}"
        what = f"{one.series}{value}" + (f"  in {one.domain}" if one.domain else "")
        console.print(f"[{style}]{one.verdict.value:9}[/] {escape(f'{one.path}  {what}'.rstrip())}")
        if one.note:
            console.print(f"          {escape(one.note)}")
    good = sum(one.verdict.value != "rejected" for one in rows)
    console.print(f"{good} of {len(rows)} would be accepted; nothing was published")
    return good == len(rows)


def _show_json(rows: Sequence[Tried]) -> bool:
    """A line an item; whether all would be accepted."""
    import msgspec

    for one in rows:
        typer.echo(msgspec.json.encode(one._asdict()).decode())
    return all(one.verdict.value != "rejected" for one in rows)


def _hear(broker: MqttBroker, topic: str, trial: _Trial, show: Callable[[Sequence[Tried]], bool]) -> None:
    """Show what comes from an MQTT broker, until Ctrl-C."""
    from stream.gateways.mqtt_process import ALL_OF_OURS
    from stream.gateways.try_mqtt import listen

    meant = (topic,) if topic else tuple(one.topic for one in trial.mapping.sources) or ALL_OF_OURS
    said = f"listening to {broker.host}:{broker.port}: {', '.join(meant)}; nothing is published, and the broker keeps what it has"
    listen(broker, meant, lambda topic, payload: _shown(trial.of(payload, path=topic), show), lambda: typer.echo(said, err=True))


def _shown(rows: Sequence[Tried], show: Callable[[Sequence[Tried]], bool]) -> None:
    show(rows)
    sys.stdout.flush()


def _listen(port: int, trial: _Trial, show: Callable[[Sequence[Tried]], bool]) -> None:
    """Show what is posted, and answer with it, until Ctrl-C."""
    import asyncio

    import msgspec
    from aiohttp import web

    async def take(request: web.Request) -> web.Response:
        rows = trial.of(await request.read(), request.content_type, request.path)
        _shown(rows, show)
        return web.Response(body=msgspec.json.encode([one._asdict() for one in rows]), content_type="application/json")

    async def serve() -> None:
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_post("/{path:.*}", take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            bound = runner.addresses[0][1]
            typer.echo(f"listening on http://127.0.0.1:{bound}; nothing is published", err=True)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    try:
        asyncio.run(serve())
    except OSError as error:
        msg = f"port {port}: {error.strerror}"
        raise TocsinError(msg) from error
