from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import msgspec
import pytest
from typer.testing import CliRunner

from stream.cli import folders
from stream.cli.main import app
from stream.cli.options import connection
from stream.cli.schema import schemas
from stream.decide.fold import Fold
from stream.errors import TocsinError
from stream.records.warning import Lane

runner = CliRunner()
HELP_S = 0.3
TRIES = 20
ROOT = Path(__file__).parents[2]


def tocsin(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream.cli.main", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT, env={**os.environ, **(environment or {})}
    )


def test_help_is_there_in_under_a_third_of_a_second() -> None:
    # Processor time: on a machine busy with other tests the clock on the wall says how busy it is. At rest both are about the same.
    taken: list[float] = []
    while len(taken) < TRIES and (not taken or min(taken) >= HELP_S):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        assert tocsin("--help").returncode == 0
        wall_s = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(min(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    print(f"tocsin --help: {min(taken):.3f} s (best of {len(taken)})")
    assert min(taken) < HELP_S


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from stream.cli.main import app; CliRunner().invoke(app, ['--help']); "
        "print([name for name in ('numpy', 'aiokafka', 'faust', 'shapely', 'pint', 'confluent_kafka') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [command.name for command in app.registered_commands])
def test_every_command_explains_itself(name: str) -> None:
    done = runner.invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_a_wrong_option_is_a_usage_error() -> None:
    done = runner.invoke(app, ["version", "--nonsense"])
    assert done.exit_code == 2


def test_what_we_raise_on_purpose_is_a_message_and_no_traceback() -> None:
    done = tocsin("validate", "atlantis")
    assert done.returncode == 1
    assert "no region 'atlantis'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broker_that_does_not_answer_is_named() -> None:
    commands = (["tail", "wuhan"], ["status"], ["topics", "check"], ["journal", "save", "--out", os.devnull])
    with ThreadPoolExecutor(len(commands)) as threads:  # all of them wait for some seconds
        every = list(threads.map(lambda command: tocsin(*command, "--bootstrap", "127.0.0.1:1"), commands))
    for command, done in zip(commands, every, strict=True):
        assert done.returncode == 1, command
        assert "127.0.0.1:1" in done.stderr, command
        assert "Traceback" not in done.stderr, command


def test_version_for_scripts_is_one_json_object() -> None:
    done = runner.invoke(app, ["version", "--json"])
    said = json.loads(done.output)
    assert set(said) == {"tocsin", "fold", "faust-streaming", "aiokafka", "numpy", "python"}
    assert said["fold"] == Fold.VERSION, "what `tocsin upgrade` is told"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["archive", "--out", "a", "--head", "abc"], "--head is compared with --verify only"),
        (["archive", "--out", "a", "--verify", "--since", "2026-01-01T00:00:00Z"], "--verify adds nothing"),
        (["rebuild", "--partitions", "3", "--since", "2026-01-01T00:00:00Z"], "are for --check"),
        (["rebuild", "--abandon", "--archive", "a"], "are for --check"),
        (["topics", "acl", "principals.toml", "--check", "--apply"], "give one of them"),
    ],
)
def test_an_option_that_would_be_left_unread_is_refused(words: list[str], said: str) -> None:
    done = runner.invoke(app, words)
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())


def test_a_paragraph_of_help_breaks_only_where_the_terminal_ends() -> None:
    shown = runner.invoke(app, ["worker", "--help"], env={"COLUMNS": "240"}).output
    assert "76 another fold version is in force: start the new code" in shown


@pytest.mark.parametrize("name", sorted(schemas()))
def test_every_schema_is_a_valid_json_schema(name: str) -> None:
    done = runner.invoke(app, ["schema", name])
    assert done.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(done.output))


def test_an_unknown_schema_is_told_the_known_ones() -> None:
    done = runner.invoke(app, ["schema", "nonsense"])
    assert done.exit_code == 1
    assert "city_warning" in done.output


def test_settings_come_from_file_then_environment_then_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tocsin.toml"
    file.write_text('bootstrap = "file:1"\npartitions = 3\nprefix = "p."\nlane = "test"\n', "utf-8")
    assert (connection(file).bootstrap, connection(file).partitions) == ("file:1", 3)
    monkeypatch.setenv("TOCSIN_BOOTSTRAP", "environment:1")
    assert connection(file).bootstrap == "environment:1"
    assert connection(file, bootstrap="option:1").bootstrap == "option:1"


def test_a_prefix_alone_never_means_the_live_lane() -> None:
    assert connection(prefix="demo.").lane is Lane.TEST
    assert connection(prefix="exercise.").lane is Lane.EXERCISE
    assert connection().lane is Lane.LIVE
    with pytest.raises(TocsinError, match="no prefix"):
        connection(prefix="demo.", lane=Lane.LIVE)


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.toml"
    file.write_text('bootsrap = "file:1"\n', "utf-8")
    done = runner.invoke(app, ["topics", "check", "--settings", str(file)])
    assert done.exit_code == 1
    assert "bootsrap" in done.output


def test_without_the_source_tree_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(folders, "SHIPPED", tmp_path)
    with pytest.raises(TocsinError, match="install from the source tree"):
        folders.region_folder("songhua")


def test_schemas_stand_for_the_records_that_are_decoded() -> None:
    measurement = schemas()["measurement"]
    assert set(measurement["required"]) == {"observed_at", "value"}
    assert msgspec.json.encode(measurement)
