"""`tocsin gateway token`, `key`, `sign` and `keys`: what whoever installs a gateway does about its identity."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream.cli.options import AsJson, RegionArgument
from stream.errors import TocsinError
from stream.records.lanes import Lane

if TYPE_CHECKING:
    from stream.gateways.keys import KeyOf

DAYS = 365
SOON_DAYS = 30
PAYLOAD_BYTES_MAX = 1 << 20
Principal = Annotated[str, typer.Argument(help="The principal of gateways.toml.", show_default=False)]
KeyId = Annotated[str, typer.Option(help="What the key is called there. Default: k and today's date.")]
Days = Annotated[int, typer.Option(min=0, max=36_500, help="Days it is valid; 0 = until it is revoked.")]


def token(
    principal: Principal,
    key_id: KeyId = "",
    days: Days = DAYS,
    out: Annotated[
        Path | None, typer.Option(help="A new file for the token, that only you can read. Default: it is printed once.", dir_okay=False)
    ] = None,
) -> None:
    """Make a token for HTTP and print the lines for gateways.toml, which hold only its hash. It cannot be shown again."""
    from stream.gateways.keys import new_token, token_lines, write_secret

    key = _named(principal, key_id, days)
    made = new_token()
    if out is None:
        typer.echo(f"Give this to {principal}, and to nobody else; it is shown once:\n\n  Authorization: Bearer {made}\n", err=True)
    else:
        write_secret(out, made.encode() + b"\n")
    typer.echo(token_lines(made, key))


def key(
    principal: Principal,
    out: Annotated[Path, typer.Option(help="A new file for the private key (PEM), that only you can read.", dir_okay=False)],
    key_id: KeyId = "",
    days: Days = DAYS,
) -> None:
    """Make an Ed25519 key pair: the private key into a file, the lines with the public key for gateways.toml printed."""
    from stream.gateways.keys import new_private_key, pem, public_lines, write_secret

    named = _named(principal, key_id, days)
    made = new_private_key()
    write_secret(out, pem(made))
    typer.echo(public_lines(made, named))


def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What would be sent unsigned; - = standard input.", show_default=False)],
    *,
    principal: Annotated[str, typer.Option(help="Who signs: a principal of gateways.toml.", show_default=False)],
    key_id: Annotated[str, typer.Option(help="What its key is called there.", show_default=False)],
    private_key: Annotated[Path, typer.Option(help="The private key (PEM).", dir_okay=False)],
    audience: Annotated[str, typer.Option(help="For whom: the region, if gateways.toml says nothing else.", show_default=False)],
    family: Annotated[str, typer.Option(help="At which door: water, air or health.", show_default=False)],
    lane: Annotated[Lane, typer.Option(help="On which lane.")] = Lane.LIVE,
    sequence: Annotated[int | None, typer.Option(min=0, help="Its number: one more than the last; never one that was used.")] = None,
    counter: Annotated[
        Path | None, typer.Option(help="A file that keeps the last number: each call takes the next one.", dir_okay=False)
    ] = None,
) -> None:
    """Sign a batch of measurements; the envelope that is printed is what goes to the door, as it is."""
    from stream.gateways.keys import next_sequence, read_private_key, readable_by_others
    from stream.records.envelope import VERSION, Envelope, seal
    from stream.records.instants import to_text
    from stream.region.names import FAMILIES

    if (sequence is None) == (counter is None):
        msg = "give --counter FILE, which counts for you, or --sequence N"
        raise TocsinError(msg)
    if family not in FAMILIES:
        msg = f"--family {family!r}: one of {', '.join(sorted(FAMILIES))}"
        raise TocsinError(msg)
    named = _named(principal, key_id, 0)
    secret, payload = read_private_key(private_key), _payload(file)
    if readable_by_others(private_key):
        typer.echo(f"warning: others can read {private_key}; chmod 600", err=True)
    number = sequence if counter is None else next_sequence(counter)
    envelope = Envelope(VERSION, named.principal, key_id, number or 0, audience, lane.value, family, to_text(_now()), payload, b"")
    typer.echo(seal(envelope, secret).decode())


def keys(
    region: RegionArgument,
    soon: Annotated[int, typer.Option(min=0, help="What ends within so many days counts as ending soon.")] = SOON_DAYS,
    as_json: AsJson = False,
) -> None:
    """Until when each principal of a region can show who it is, the soonest first. Exit code 1 if one cannot, or not for long."""
    import msgspec

    from stream.cli.folders import region_folder
    from stream.records.instants import to_text
    from stream.region.key_expiry import endings
    from stream.region.load import load_folder

    loaded, now = load_folder(region_folder(region)), _now()
    found = endings(loaded.principals, now)
    for one in found:
        left = one.days_left(now)
        if as_json:
            facts = {"principal": one.principal_id, "key_id": one.key_id, "ends_at": to_text(one.ends_at), "days_left": round(left, 2)}
            typer.echo(msgspec.json.encode(facts).decode())
        else:
            when = f"{left:8.1f} days left, key {one.key_id} ends {to_text(one.ends_at)}" if one.key_id else "    no valid key"
            typer.secho(f"{one.principal_id:<24} {when}", fg="red" if left < soon else None)
    if not found and not as_json:
        typer.echo(f"{loaded.name}: {len(loaded.principals)} principals, no key of theirs ends")
    if any(one.days_left(now) < soon for one in found):
        raise typer.Exit(1)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _named(principal: str, key_id: str, days: int) -> KeyOf:
    from stream.gateways.keys import key_of

    return key_of(principal, key_id, _now(), days)


def _payload(file: Path) -> bytes:
    try:
        payload = sys.stdin.buffer.read(PAYLOAD_BYTES_MAX + 1) if str(file) == "-" else file.read_bytes()
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise TocsinError(msg) from error
    if not 0 < len(payload) <= PAYLOAD_BYTES_MAX:
        msg = f"{file}: {len(payload)} bytes; sign a batch that a door takes"
        raise TocsinError(msg)
    return payload
