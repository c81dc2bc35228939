"""The image's steps as a plain script on a clean root: a Debian that has nothing but Python, made for this test.

No container engine is needed (and none is here): the build stage of deploy/docker/Dockerfile is one script, which runs in a fresh root.
What is not shown by it: that the base image of the Dockerfile is as this root, and that layers are put together as the file says.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.needs import need

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "stream", "detectors", "topology", "deploy/docker", "deploy/regions")
UID = "10001"


@pytest.fixture(scope="module")
def clean_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("debootstrap", "chroot")
    if os.geteuid() != 0:
        pytest.skip("a root folder of its own can only be made by root")
    root = tmp_path_factory.mktemp("root")
    root.chmod(0o755)  # or only root could look into it
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "bookworm", str(root)],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout[-1500:]
    # How this machine reaches the package registry is the machine's business, not the image's.
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"):
        if (Path("/") / name).exists():
            shutil.copy(Path("/") / name, root / name)
    (root / "src" / "deploy").mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / "src" / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / "src" / part)
    return root


def inside(root: Path, *command: str, user: str = "0", timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command in the root as this user, with nothing of our environment but how to reach the registry."""
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_") and name != "PIP_FIND_LINKS"}
    return subprocess.run(
        ["chroot", f"--userspec={user}:{user}", str(root), *command],
        env={**passed, "PATH": "/opt/tocsin/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
        capture_output=True, text=True, check=False, timeout=timeout_s,
    )  # fmt: skip


@pytest.fixture(scope="module")
def installed(clean_root: Path) -> Path:
    done = inside(clean_root, "/src/deploy/docker/install.sh", "/src", "/opt/tocsin", timeout_s=900)
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    assert "No broken requirements found" in done.stdout
    shutil.rmtree(clean_root / "src")  # the last stage copies /opt/tocsin only
    return clean_root


def test_the_image_runs_as_a_user_that_is_not_root_and_can_write_nothing_of_itself(installed: Path) -> None:
    version = inside(installed, "tocsin", "version", user=UID)
    assert version.returncode == 0, version.stderr
    assert "tocsin" in version.stdout
    wrote = inside(installed, "/bin/sh", "-c", "echo x > /opt/tocsin/bin/tocsin || echo x > /opt/tocsin/share/x", user=UID)
    assert wrote.returncode != 0
    print(f"image: /opt/tocsin is {_megabytes(installed / 'opt' / 'tocsin')} MB")


def test_the_shipped_regions_are_in_the_image(installed: Path) -> None:
    done = inside(installed, "tocsin", "validate", "/opt/tocsin/share/tocsin/regions/example", user=UID)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_installed_service_has_nothing_that_installs(installed: Path) -> None:
    assert not (installed / "opt/tocsin/bin/pip").exists()
    assert inside(installed, "/opt/tocsin/bin/python", "-c", "import pip", user=UID).returncode != 0


def test_the_probe_of_the_image_says_what_it_could_not_reach(installed: Path) -> None:
    done = inside(installed, "/opt/tocsin/bin/python", "/opt/tocsin/share/tocsin/probe.py", "http://127.0.0.1:9/livez", user=UID)
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr


def _megabytes(folder: Path) -> int:
    return round(sum(one.stat().st_size for one in folder.rglob("*") if one.is_file() and not one.is_symlink()) / 1e6)
