"""Who may import whom: the leaves and the pure parts stay free of brokers, clocks and chance."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("stream", "detectors", "topology")
BROKER = frozenset({"faust", "aiokafka", "confluent_kafka", "mode"})
OUTSIDE = BROKER | {"asyncio", "socket", "prometheus_client", "subprocess", "threading", "urllib", "http"}
CHANCE = frozenset({"random", "secrets", "uuid", "time"})
PURE = {
    "detectors": OUTSIDE | CHANCE | {"stream", "topology", "os", "tomllib"},
    "topology": OUTSIDE | CHANCE | {"stream", "detectors", "os", "tomllib"},
    "stream/records": OUTSIDE | CHANCE | {"detectors", "topology", "os"},
    "stream/accept": OUTSIDE | CHANCE | {"detectors", "topology", "os"},
    "stream/decide": OUTSIDE | CHANCE | {"os"},
    "stream/warnings": OUTSIDE | CHANCE | {"os"},
}
"""Folders of pure code and what they may not import."""
BROKER_ALLOWED = ("stream/runtime/", "stream/gateways/", "stream/cli/", "stream/health/")
CLOCKS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns"})
STREAM_INSIDE = {
    "stream/records": {"stream.errors", "stream.records"},
    "stream/region": {"stream.errors", "stream.records", "stream.region", "stream.warnings.texts"},
    "stream/accept": {"stream.errors", "stream.records", "stream.region", "stream.accept"},
    "stream/decide": {"stream.errors", "stream.records", "stream.region", "stream.decide", "stream.warnings"},
    "stream/warnings": {"stream.errors", "stream.records", "stream.region", "stream.warnings"},
}
"""Of our own `stream`, what each pure folder may import."""

FILES = sorted(path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"), file)


def imports(module: ast.Module) -> set[str]:
    """Every module named in an import, wherever it stands, also inside functions and `if TYPE_CHECKING`."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"importlib.import_module", "import_module", "__import__"}:
            found |= {one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def heads(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def clock_calls(module: ast.Module) -> set[str]:
    """Calls that read a clock or draw at random, written through an attribute (`datetime.now`, `np.random.default_rng`)."""
    called = {id(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            clock = node.attr in CLOCKS and (id(node) in called or owner.endswith(("datetime", "date", "time")))
            if clock or (node.attr == "random" and owner in {"np", "numpy"}):
                found.add(ast.unparse(node))
    return found


def folder_of(file: str, folders: dict[str, object]) -> list[str]:
    return [folder for folder in folders if file.startswith(f"{folder}/")]


def test_pure_code_imports_no_broker_no_clock_and_no_chance():
    pure = {file: folder for file in FILES for folder in folder_of(file, PURE)}
    assert set(pure.values()) == set(PURE)
    assert {
        file: heads(imports(tree(file))) & PURE[folder] for file, folder in pure.items() if heads(imports(tree(file))) & PURE[folder]
    } == {}
    assert {file: clock_calls(tree(file)) for file in pure if clock_calls(tree(file))} == {}


def test_inner_parts_do_not_import_outer_ones():
    outward = {}
    for file in FILES:
        for folder in folder_of(file, STREAM_INSIDE):
            ours = {name for name in imports(tree(file)) if name.startswith("stream.")}
            if wrong := {name for name in ours if not any(f"{name}.".startswith(f"{one}.") for one in STREAM_INSIDE[folder])}:
                outward[file] = wrong
    assert outward == {}


def test_only_the_edge_imports_a_kafka_client():
    inside = [file for file in FILES if not file.startswith(BROKER_ALLOWED)]
    assert {file: heads(imports(tree(file))) & BROKER for file in inside if heads(imports(tree(file))) & BROKER} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_files_hold_a_docstring_and_nothing_that_could_break_on_import(package):
    # The three names are also import names of other distributions: whoever overwrites one of our __init__.py must break nothing.
    for path in (ROOT / package).rglob("__init__.py"):
        body = ast.parse(path.read_text("utf-8")).body
        assert body, path
        assert isinstance(body[0], ast.Expr), path
        assert len(body) == 1 or path == ROOT / "detectors" / "__init__.py", path


def test_nothing_is_pickled():
    for file in FILES:
        assert heads(imports(tree(file))) & {"pickle", "shelve", "marshal", "dill", "cloudpickle"} == set(), file


@pytest.mark.parametrize(
    ("line", "found"),
    [("import faust", {"faust"}), ("from asyncio import sleep", {"asyncio"}), ("def f():\n    import time", {"time"}), ("__import__('random')", {"random"})],
)  # fmt: skip
def test_the_walk_itself_sees_forbidden_imports(line, found):
    assert heads(imports(ast.parse(line))) == found


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "np.random.default_rng()", "loop.time.monotonic()"])
def test_the_walk_itself_sees_clocks_and_chance(line):
    assert clock_calls(ast.parse(line))
