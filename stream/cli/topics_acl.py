"""`tocsin topics acl`: who may what, as a table, as access control lists of this cluster, and how those differ from what they must be."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from stream.cli.options import AsJson, connection, given
from stream.errors import TocsinError
from stream.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.runtime.acls import Acl, Differences
    from stream.runtime.holders import Served

FIX = {"missing": "--apply adds it", "superfluous": "--apply --remove takes it away"}


class As(StrEnum):
    """How the lists are written."""

    TABLE = "table"
    COMMANDS = "commands"
    STRIMZI = "strimzi"


File = Annotated[
    Path | None,
    typer.Argument(metavar="[PRINCIPALS]", help="principals.toml: who has which role. Without it: the table of roles.", show_default=False),
]
Regions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[REGION]...", help="Regions that are about to be activated. The active ones count without being named.", show_default=False
    ),
]
Written = Annotated[As, typer.Option("--as", help="table, commands (lines for kafka-acls.sh) or strimzi (KafkaUser objects).")]


class Doing(NamedTuple):
    """What to do on the cluster: nothing, compare, add, take away."""

    check: bool = False
    apply: bool = False
    remove: bool = False


def doing(
    check: Annotated[
        bool, typer.Option("--check", help="Only list what is missing or superfluous on the cluster; exit code 1 if anything is.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Add what is missing.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="With --apply: also take away what nobody was promised.")] = False,
) -> Doing:
    """The options."""
    if remove and not apply:
        raise TocsinError("--remove goes with --apply; --check shows what it would take away")
    if check and apply:
        raise TocsinError("--check changes nothing, --apply does: give one of them")
    return Doing(check, apply, remove)


@given(settings=connection, on=doing)
def acl(
    settings: Settings, on: Doing, principals: File = None, regions: Regions = None, written: Written = As.TABLE, as_json: AsJson = False
) -> None:
    """Who may what on the cluster: print, compare (--check) or apply the access control lists of the principals in a file."""
    from stream.runtime import acl_admin, holders
    from stream.runtime.acls import compare, wanted

    if principals is None:
        if any(on):
            raise TocsinError("give the file that says who has which role (principals.toml); deploy/kubernetes/principals.toml is one")
        _roles(as_json=as_json)
        return
    needed = wanted(settings, holders.read(principals), _served(settings, regions, here=any(on)))
    if not any(on):
        _write(settings, needed, written, as_json=as_json)
        return
    found = compare(settings, needed, acl_admin.read(settings.cluster))
    _differences(found, as_json=as_json)
    if not on.apply:
        if any(found):
            raise typer.Exit(1)
        return
    acl_admin.add(settings.cluster, found.missing)
    if on.remove:
        acl_admin.remove(settings.cluster, found.superfluous)
    if not as_json:
        left = "removed" if on.remove else "left as they are (--remove takes them away)"
        typer.echo(f"{len(found.missing)} entries added, {len(found.superfluous)} superfluous ones {left}")


def _served(settings: Settings, regions: list[str] | None, *, here: bool) -> Served:
    """Who has topics of his own: by the regions given, and the active ones unless nothing of the cluster (`here`) is asked."""
    import asyncio

    from stream.cli.folders import region_folder
    from stream.cli.watching import active_regions, published_regions
    from stream.region.load import load_folder
    from stream.runtime.holders import Served

    named = [load_folder(region_folder(name)) for name in regions or ()]
    if named:
        return Served.by([*named, *(asyncio.run(published_regions(settings)) if here else ())])
    return Served.by(asyncio.run(active_regions(settings)))


def _write(settings: Settings, acls: Iterable[Acl], written: As, *, as_json: bool) -> None:
    import msgspec

    from stream.runtime.acls import commands, gathered, strimzi

    if as_json:
        for one in sorted(acls):
            typer.echo(msgspec.json.encode(_fields(one)).decode())
    elif written is As.COMMANDS:
        for line in commands(settings, acls):
            typer.echo(line)
    elif written is As.STRIMZI:
        for user in strimzi(acls):
            typer.echo("---\n" + msgspec.json.format(msgspec.json.encode(user), indent=2).decode())  # JSON is YAML
    else:
        for (principal, pattern), operations in gathered(acls).items():
            name = pattern.name + ("*" if pattern.prefixed else "")
            typer.echo(f"{principal:<28} {pattern.resource:<8} {name:<36} {', '.join(operations)}")


def _differences(found: Differences, *, as_json: bool) -> None:
    import msgspec

    for what, acls in zip(FIX, found, strict=True):
        for one in acls:
            if as_json:
                typer.echo(msgspec.json.encode({"difference": what, **_fields(one)}).decode())
                continue
            name = one.pattern.name + ("*" if one.pattern.prefixed else "")
            typer.echo(f"{what}: {one.permission} {one.principal} {one.operation} on {one.pattern.resource} {name}: {FIX[what]}")
    if not any(found) and not as_json:
        typer.echo("the cluster allows exactly this")


def _fields(acl: Acl) -> dict[str, str]:
    return {
        "principal": acl.principal,
        "resource": str(acl.pattern.resource),
        "name": acl.pattern.name,
        "pattern": "prefixed" if acl.pattern.prefixed else "literal",
        "operation": acl.operation,
        "permission": acl.permission,
        "host": acl.host,
    }


def _roles(*, as_json: bool) -> None:
    import msgspec

    from stream.runtime.role_table import rows

    for row in rows():
        typer.echo(msgspec.json.encode(row._asdict()).decode() if as_json else f"{row.role:<12} {row.what:<12} {', '.join(row.on)}")
