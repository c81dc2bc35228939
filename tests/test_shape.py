"""The shape of the code: small files, short functions, names that say what a thing is, nothing of the machine it was written on."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("stream", "detectors", "topology", "tests", "deploy", ".ci")
LEFT_BEHIND = ("__pycache__", ".egg-info", ".hypothesis")
BINARY = (".png", ".gz", ".bin", ".so", ".pyc", ".coverage")
LINES_MAX = 300
FUNCTION_LINES_MAX = 50
PARAMETERS_MAX = 6
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|handlers?|misc|stuff)(_|$)|^common$")
EMPTY_CLASS = re.compile(r"(Manager|Helper|Handler|Utils?|Processor)$")
# Written so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile("|".join(["/" + "work/", "/" + "root/", "/" + "opt/", "/" + "home/[a-z]", "/" + "tmp/[a-z]", "C:" + r"\\\\"]))
PATHS_ALLOWED = {"deploy/": ("/" + "opt/tocsin", "/" + "opt/kafka"), "tests/deploy/": ("/" + "opt/tocsin",)}
"""Where a deployment puts us, and where Kafka's image has its programs."""


def written() -> list[str]:
    """Every file of the project below its known folders and at its top, without what tools leave behind."""
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()]
    names = [path.relative_to(ROOT).as_posix() for path in [*below, *(path for path in ROOT.iterdir() if path.is_file())]]
    return sorted(name for name in names if not any(one in name for one in LEFT_BEHIND) and not name.endswith(BINARY))


FILES = written()
CODE = [name for name in FILES if name.endswith(".py")]
PRODUCT = [name for name in CODE if not name.startswith("tests/")]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def functions(file: str) -> list[Function]:
    return [node for node in ast.walk(tree(file)) if isinstance(node, Function)]


def parameters(function: Function) -> int:
    names = [one.arg for one in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]]
    return len([name for name in names if name not in {"self", "cls"}])


def is_command(function: Function, file: str) -> bool:
    """A command of the command line: its parameters are its options."""
    return file.startswith("stream/cli/") and any(
        "typer." in ast.unparse(one) for one in ast.walk(function.args) if isinstance(one, ast.expr)
    )


def test_files_are_small():
    lines = {file: len((ROOT / file).read_text("utf-8").splitlines()) for file in CODE}
    assert {file: count for file, count in lines.items() if count > LINES_MAX} == {}


def test_functions_are_short():
    lines = {(file, one.name): (one.end_lineno or 0) - one.lineno + 1 for file in CODE for one in functions(file)}
    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES_MAX} == {}


def test_functions_take_few_parameters():
    many = {(file, one.name): parameters(one) for file in PRODUCT for one in functions(file) if not is_command(one, file)}
    assert {name: count for name, count in many.items() if count > PARAMETERS_MAX} == {}


def test_names_say_what_a_thing_is():
    classes = [(file, one.name) for file in PRODUCT for one in ast.walk(tree(file)) if isinstance(one, ast.ClassDef)]
    assert [file for file in PRODUCT if EMPTY_NAMES.search(Path(file).stem)] == []
    assert [name for name in classes if EMPTY_CLASS.search(name[1])] == []
    assert [(file, one.name) for file in PRODUCT for one in functions(file) if EMPTY_NAMES.search(one.name)] == []


def test_every_module_says_why_it_exists():
    assert [file for file in PRODUCT if not ast.get_docstring(tree(file))] == []


def test_there_is_no_package_below_tests():
    # With one, `import stream` would find tests/stream.
    assert [file for file in FILES if file.startswith("tests/") and file.endswith("__init__.py")] == []


def test_nothing_names_a_folder_of_the_machine_it_was_written_on():
    found = {}
    for file in FILES:
        text = (ROOT / file).read_text("utf-8", errors="replace")
        for folder, allowed in PATHS_ALLOWED.items():
            for path in allowed if file.startswith(folder) else ():
                text = text.replace(path, "")
        if names := [match.group() for match in MACHINE_PATHS.finditer(text)]:
            found[file] = names
    assert found == {}
