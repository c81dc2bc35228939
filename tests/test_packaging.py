"""What an installation holds: exactly our three packages, typed, and no dependency without a reason."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, metadata, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"stream", "detectors", "topology"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as `pip wheel` builds it from a copy of the checkout (so that no build folder is left in it)."""
    copy, out = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for name in [*PACKAGES, "deploy", "tests"]:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, copy)
    (copy / "streamlit_demo").mkdir()
    (copy / "streamlit_demo" / "__init__.py").write_text("")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(copy)], check=True)
    (file,) = out.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_exactly_our_three_packages(wheel):
    tops = {name.split("/")[0] for name in wheel}
    assert {name for name in tops if not name.endswith(".dist-info")} == PACKAGES
    assert {f"{package}/py.typed" for package in PACKAGES} <= wheel


def test_every_file_of_the_packages_is_in_the_wheel(wheel):
    here = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    assert {name for name in here if "__pycache__" not in name} - wheel == set()


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_other_distribution_has_a_package_of_our_name(package):
    # stream-python, detectors and topology of PyPI would overwrite ours without a word.
    assert set(packages_distributions()[package]) == {"tocsin"}


def test_the_command_is_called_as_the_distribution():
    assert metadata("tocsin")["Name"] == "tocsin"
    assert [one.value for one in entry_points(group="console_scripts") if one.name == "tocsin"][:1] == ["stream.cli.main:main"]


def test_every_dependency_says_why():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra),
    ]
    silent = [one for one in wanted if not re.search(rf'"{re.escape(one)}",\s+# \S+', text)]
    assert [one for one in silent if re.split(r"[^a-z]", one)[0] not in {"pytest", "mypy", "ruff"}] == []


def test_every_rule_that_is_switched_off_says_why():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    block = text.split("\nignore = [", 1)[1].split("\n]", 1)[0]
    assert len(block.splitlines()) > 1
    assert [line for line in block.splitlines() if line.strip() and "#" not in line] == []
