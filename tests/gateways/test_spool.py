"""The spool of a gateway: what was stored is sent once Kafka is back, whatever happened to the process or to single bytes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.gateways import spool as spools
from stream.gateways.spool import HEAD, Spool, SpoolFull, SpoolInUse, scan, seal

if TYPE_CHECKING:
    from pathlib import Path

ONES = [b"one", b"", b"TSP1 looks like a record", b"\x00" * 40]
WHOLE = b"".join(seal(1_000 + number, payload) for number, payload in enumerate(ONES))


def waiting(spool: Spool) -> list[bytes]:
    """What waits, taken out as a sender does."""
    found: list[bytes] = []
    while some := spool.head(7):
        found += [one.payload for one in some]
        spool.sent(len(some))
    return found


def test_what_is_stored_comes_out_in_order_after_a_restart(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append(ONES, 1_000)
    first.append([b"later"], 2_000)
    assert (len(first), first.oldest_at) == (5, 1_000)
    first.close()
    second = Spool(tmp_path)
    assert [one.payload for one in second.head(4)] == ONES
    second.sent(4)
    assert (len(second), second.oldest_at) == (1, 2_000)
    assert waiting(second) == [b"later"]
    second.close()


def test_a_segment_goes_when_all_of_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 100)
    spool = Spool(tmp_path)
    for number in range(6):
        spool.append([bytes([number]) * 50], number)
    assert len(list(tmp_path.glob("*.spool"))) == 6
    for _ in range(4):
        spool.sent(len(spool.head(10)))
    assert len(list(tmp_path.glob("*.spool"))) == 2
    spool.append([b"x"], 9)
    assert waiting(spool) == [bytes([4]) * 50, bytes([5]) * 50, b"x"]
    assert (spool.size, spool.oldest_at, list(tmp_path.glob("*.spool"))) == (0, None, [])
    spool.append([b"again"], 10)
    assert waiting(spool) == [b"again"]
    spool.close()


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_an_end_torn_at_any_byte_costs_nothing_that_was_acknowledged(length: int) -> None:
    ends = [0, *(sum(HEAD.size + len(one) for one in ONES[: number + 1]) for number in range(len(ONES)))]
    kept = max(number for number, end in enumerate(ends) if end <= length)
    found = scan(WHOLE[:length])
    assert [payload for _, payload in found.records] == ONES[:kept]
    assert (found.end, found.damaged) == (ends[kept], 0)


@given(at=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_costs_its_own_record_at_most(at: int, bit: int) -> None:
    broken = bytearray(WHOLE)
    broken[at] ^= 1 << bit
    hit = next(number for number in range(len(ONES)) if at < sum(HEAD.size + len(one) for one in ONES[: number + 1]))
    assert [payload for _, payload in scan(bytes(broken)).records] == ONES[:hit] + ONES[hit + 1 :]


def test_a_damaged_segment_is_kept_aside_and_the_rest_of_it_is_sent(tmp_path: Path) -> None:
    broken = bytearray(WHOLE)
    broken[HEAD.size] ^= 1
    (tmp_path / "000000000007.spool").write_bytes(broken)
    spool = Spool(tmp_path)
    assert spool.damaged_bytes == HEAD.size + len(ONES[0])
    assert (tmp_path / "000000000007.damaged").read_bytes() == broken
    assert waiting(spool) == ONES[1:]
    assert list(tmp_path.glob("*.spool")) == []
    spool.close()


def test_a_full_spool_refuses_the_whole_batch_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, bytes_max=200)
    spool.append([b"a" * 100], 1)
    with pytest.raises(SpoolFull, match="would pass the bound of 200"):
        spool.append([b"b", b"c" * 100], 2)
    spool.append([b"d" * 10], 3)
    spool.close()
    again = Spool(tmp_path)
    assert waiting(again) == [b"a" * 100, b"d" * 10]
    again.close()


def test_a_full_disk_is_a_full_spool_and_half_a_batch_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    spool.append([b"before"], 1)
    real, calls = os.write, []

    def full(file: int, data: memoryview) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return real(file, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SpoolFull, match="the disk is full"):
        spool.append([b"lost" * 10], 2)
    monkeypatch.setattr(os, "write", real)
    spool.append([b"after"], 3)
    spool.close()
    again = Spool(tmp_path)
    assert waiting(again) == [b"before", b"after"]
    again.close()


def test_two_processes_never_share_a_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(SpoolInUse, match="a folder of its own"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()


def test_what_a_killed_process_reported_as_stored_is_there(tmp_path: Path) -> None:
    """The writer says a number only after `append` has returned; it is killed in the midst of its work, again and again."""
    writer = (
        "import sys; from pathlib import Path; from stream.gateways.spool import Spool\n"
        "spool = Spool(Path(sys.argv[1])); first = int(sys.argv[2])\n"
        "for number in range(first, first + 10**6):\n"
        "    spool.append([str(number).encode() * (1 + number % 300)], number)\n"
        "    sys.stdout.write(f'{number}\\n'); sys.stdout.flush()\n"
    )
    said: list[int] = []
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", writer, str(tmp_path), str(len(said))], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said += [int(process.stdout.readline()) for _ in range(60)]
            process.kill()
            said += [int(line) for line in process.stdout]
    spool = Spool(tmp_path)
    there: list[int] = []
    while some := spool.head(100):
        there += [one.stored_at for one in some]
        spool.sent(len(some))
    assert set(said) <= set(there)
    assert spool.damaged_bytes == 0
    assert all(one <= other for one, other in pairwise(there))
    spool.close()


def test_a_segment_that_cannot_be_deleted_hides_none_that_comes_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 100)
    spool = Spool(tmp_path)
    for payload in (b"a" * 80, b"b" * 80):
        spool.append([payload], 1)

    def fails(self: object) -> None:
        raise OSError(errno.EIO, "the disk is broken", str(self))

    with monkeypatch.context() as broken:
        broken.setattr(type(tmp_path), "unlink", fails)
        with pytest.raises(OSError, match="the disk is broken"):
            spool.sent(len(spool.head(1)))
    assert waiting(spool) == [b"b" * 80]
    assert (len(spool), spool.size, list(tmp_path.glob("*.spool"))) == (0, 0, [])
    spool.close()
