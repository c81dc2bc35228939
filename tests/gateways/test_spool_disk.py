"""A spool on disks that fill up, turn read-only, forget bytes or belong to another process: what was stored is not lost, what is not is refused."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.gateways import disk
from stream.gateways import spool as spools
from stream.gateways.spool import Spool, SpoolUnusable, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spool]:
    """One with a record a segment: `a`, `b` and `c`, of which `a` is at hand."""
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 10)
    spool = Spool(tmp_path)
    for name in (b"a", b"b", b"c"):
        spool.append([name * 50, name * 60], 1)
    yield spool
    spool.close()


def waiting(spool: Spool) -> str:
    """What waits, taken out as a sender does, by its first letters."""
    found = ""
    while some := spool.head(7):
        found += "".join(one.payload[:1].decode() for one in some)
        spool.sent(len(some))
    return found


def segment(folder: Path, number: int) -> Path:
    return folder / f"{number:012d}.spool"


def test_a_full_disk_and_one_that_can_only_be_read_are_refusals_and_cost_nothing_that_was_stored(tmp_path: Path) -> None:
    if subprocess.run([*OWN_MOUNTS, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mounts of one's own on this machine (unshare --user --mount)")
    command = [*OWN_MOUNTS, sys.executable, "-m", "tests.gateways.a_small_disk", str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    unwritable = f"[Errno 30] Read-only file system: '{segment(tmp_path / 'spool', 2)}'"
    assert said == [
        f"refused: SpoolFull: {tmp_path}/spool: the disk is full",
        "stored: 20",
        f"refused: SpoolFull: the spool cannot be written: {unwritable}; look at its disk",
        "read only: False, 20 can be read, 20 wait",
        "with room again: True",
        "after all: 21, damaged 0, torn 0",
    ]


def test_a_second_gateway_with_the_same_folder_says_whose_it_is(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "live")
    options = ["--spool", str(tmp_path), "--port", "0", "--bootstrap", "127.0.0.1:9"]
    command = [sys.executable, "-m", "stream.cli.main", "gateway", "http", *options]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    told = " ".join(second.stderr.split())
    assert "another process has this spool; give every gateway a folder of its own" in told
    assert "Traceback" not in told
    spool.close()


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", "ascii")
    with pytest.raises(SpoolUnusable, match=r"cannot be a spool: .*Not a directory.*; give a folder on a disk that can be written"):
        Spool(tmp_path / "file" / "spool")


def test_the_folders_that_it_makes_are_on_the_disk_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    Spool(tmp_path / "a" / "b").close()
    assert set(synced) == {tmp_path, tmp_path / "a"}


def test_bytes_that_were_good_when_it_started_and_are_not_now_cost_only_their_record(tmp_path: Path, small: Spool) -> None:
    data = bytearray(segment(tmp_path, 2).read_bytes())
    data[len(seal(1, b"b" * 50)) - 1] ^= 1
    segment(tmp_path, 2).write_bytes(data)
    assert waiting(small) == "aabcc"
    assert (len(small), small.damaged_bytes) == (0, len(seal(1, b"b" * 50)))
    assert segment(tmp_path, 2).with_suffix(".damaged").read_bytes() == data
    assert list(tmp_path.glob("*.spool")) == []


@pytest.mark.parametrize("gone", [True, False])
def test_a_segment_that_the_disk_does_not_give_back_holds_up_none_after_it(
    tmp_path: Path, small: Spool, monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    bad, real = segment(tmp_path, 2), Path.read_bytes
    size = bad.stat().st_size

    def read(path: Path) -> bytes:
        if path == bad:
            raise OSError(errno.EIO, "the disk is broken")
        return real(path)

    if gone:
        bad.unlink()
    else:
        monkeypatch.setattr(Path, "read_bytes", read)
    assert waiting(small) == "aacc"
    assert (len(small), small.size, small.damaged_bytes) == (0, 0, size)
    assert bad.with_suffix(".damaged").exists() != gone


def test_a_segment_whose_name_may_not_be_on_the_disk_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)

    def fails(folder: Path) -> None:
        raise OSError(errno.EIO, "the disk is broken", str(folder))

    with monkeypatch.context() as broken:
        broken.setattr(spools, "sync_folder", fails)
        with pytest.raises(OSError, match="the disk is broken"):
            spool.append([b"x"], 1)
    assert (len(spool), spool.size, list(tmp_path.glob("*.spool"))) == (0, 0, [])
    spool.append([b"y"], 2)
    assert [path.name for path in tmp_path.glob("*.spool")] == [segment(tmp_path, 2).name]
    spool.close()
