"""Whether a command line of a deployment file is one that `tocsin` takes: the command exists, and so does every option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from stream.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Sequence


def parse(arguments: Sequence[str]) -> None:
    """Parse (and do nothing): AssertionError with the command line's own words when it would be refused. Files need not exist here."""
    command: Any = typer.main.get_command(app)
    known: list[str] = []
    while isinstance(command, TyperGroup):
        name = arguments[len(known)]
        assert name in command.commands, f"tocsin {' '.join(known)} has no command {name!r}"
        command = command.commands[name]
        known.append(name)
    options = {text: one for one in command.params for text in (*one.opts, *one.secondary_opts) if text.startswith("-")}
    rest, given = list(arguments[len(known) :]), set()
    while rest:
        text = rest.pop(0)
        if not text.startswith("-"):
            continue  # an argument
        assert text in options, f"tocsin {' '.join(known)} has no option {text}"
        given.add(options[text].name)
        if not options[text].is_flag:
            assert rest, f"{text} needs a value"
            rest.pop(0)
    missing = [one.name for one in options.values() if one.required and one.name not in given]
    assert not missing, f"{' '.join(arguments)}: lacks {', '.join(missing)}"
