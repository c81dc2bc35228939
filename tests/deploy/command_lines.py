"""Whether a command line of a deployment file is one that `tocsin` takes: the command exists, and so does every option."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import typer

from stream.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(arguments: Sequence[str]) -> None:
    """Parse (and do nothing): AssertionError with click's own words when it would be refused. Files need not exist here."""
    command = typer.main.get_command(app)
    context = click.Context(command, info_name="tocsin")
    rest = list(arguments)
    while isinstance(command, click.Group):
        name = rest.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"tocsin has no command {name!r} (of {' '.join(arguments)})"
        command, context = found, click.Context(found, parent=context, info_name=name)
    try:
        values, _, _ = command.make_parser(context).parse_args(rest)
    except click.UsageError as error:
        msg = f"{' '.join(arguments)}: {error.format_message()}"
        raise AssertionError(msg) from error
    missing = [one.name for one in command.params if one.required and one.name not in values]
    assert not missing, f"{' '.join(arguments)}: lacks {', '.join(map(str, missing))}"
