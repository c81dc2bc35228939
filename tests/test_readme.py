"""The README says what is there: every command, file, detector, footprint, topic and metric in it exists and is in it, and its Python runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from stream.cli.main import app
from stream.gateways.intake_metrics import IntakeMetrics
from stream.gateways.metrics import GatewayMetrics
from stream.health.canary_metrics import CanaryMetrics
from stream.health.metrics import Metrics
from stream.region.names import detector_names, footprint_names
from stream.runtime.topics import plan
from stream.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CODE: list[str] = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
DEMO = "python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/tocsin demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest -n 2"
FOLDERS = ("stream/", "detectors/", "topology/", "deploy/", "tests/")
REGION_FILES = ROOT / "deploy" / "regions" / "example"


def commands(group: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command of the command line by its words."""
    found: dict[tuple[str, ...], Any] = {}
    for name, command in group.commands.items():
        found |= commands(command, (*path, name)) if isinstance(command, TyperGroup) else {(*path, name): command}
    return found


COMMANDS = commands(typer.main.get_command(app))


def written() -> list[list[str]]:
    """The words of every command line in the README that begins with `tocsin`."""
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)) + "\n" + "\n".join(CODE)
    return [line.split() for line in re.findall(r"(?:^|bin/|`|\n)tocsin ([a-z][^\n`]*)", blocks)]


def command_of(words: list[str]) -> tuple[str, ...]:
    for count in (2, 1):
        if tuple(words[:count]) in COMMANDS:
            return tuple(words[:count])
    return ()


def test_the_two_commands_stand_there_as_they_are_run() -> None:
    assert DEMO in README
    assert TESTS in README


def test_every_command_in_the_readme_exists_with_its_options() -> None:
    assert len(written()) > 10
    for words in written():
        name = command_of(words)
        assert name, f"tocsin {' '.join(words)}"
        known = {option for one in COMMANDS[name].params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known, words


def test_every_command_is_in_the_readme() -> None:
    assert set(COMMANDS) == {command_of(words) for words in written()}


def test_options_named_alone_belong_to_some_command() -> None:
    known = {option for command in COMMANDS.values() for one in command.params for option in one.opts} | {"--help"}
    assert {code.split()[0] for code in CODE if code.startswith("--")} <= known


def test_every_file_in_the_readme_exists() -> None:
    named = [code for code in CODE if code.startswith(FOLDERS) and not set("<*") & set(code)]
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_files_of_a_region_are_the_ones_in_the_readme() -> None:
    top = {path.name for path in REGION_FILES.iterdir() if path.is_file()} - {"README.md", "LICENSE"}
    assert [name for name in top if f"`{name}`" not in README] == []


@pytest.mark.parametrize("name", [*detector_names(), *footprint_names()])
def test_every_detector_and_footprint_is_in_the_readme_with_its_file(name: str) -> None:
    folder = "detectors" if name in detector_names() else "topology"
    assert re.search(rf"^\| `{name}` \| `{folder}/{name}\.py` \|", README, flags=re.MULTILINE)


def test_every_topic_is_in_the_readme() -> None:
    topics = {topic.name for topic in plan(Settings(), ())} | {"warnings.<city>"}
    assert [name for name in sorted(topics) if f"`{name}`" not in README] == []


def test_every_metric_is_in_the_readme_and_no_other() -> None:
    made = (Metrics(per_city=True), GatewayMetrics(), IntakeMetrics(), CanaryMetrics())
    families = [family for one in made for family in one.registry.collect()]
    exposed = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    assert set(re.findall(r"`(tocsin_\w+)`", README)) == {name for name in exposed if name.startswith("tocsin_")}


def test_the_python_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 10


def test_links_between_headings_and_files_of_the_readme_lead_somewhere() -> None:
    links = [target for target in re.findall(r"\]\(([^)]+)\)", README) if not target.startswith("http")]
    assert [target for target in links if not (ROOT / target.partition("#")[0]).exists()] == []


def test_nothing_was_left_to_be_filled_in() -> None:
    assert re.findall(r"TODO|TBD|FIXME|XXX|@@|lorem", README) == []
