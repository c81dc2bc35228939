from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stream.errors import TocsinError
from stream.records.warning import Lane
from stream.review.journal_file import Header, Recorded, read, read_header, write

if TYPE_CHECKING:
    from pathlib import Path

HEADER = Header(Lane.TEST, "observed", 3)
RECORDS = [Recorded(0, 0, 1_000, b"one"), Recorded(2, 7, 2_000, b""), Recorded(2, 8, 2_000, b"\xff" * 300)]
records = st.lists(
    st.builds(Recorded, st.integers(0, 99), st.integers(0, 2**62), st.integers(0, 2**52), st.binary(max_size=50)), max_size=20
)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    write(path, HEADER, RECORDS)
    assert stat.filemode(path.stat().st_mode) == "-rw-------", "exact case counts may stand in it"


@given(records)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_was_written_is_read_back(tmp_path: Path, written: list[Recorded]) -> None:
    path = tmp_path / "journal.bin"
    assert write(path, HEADER, written) == len(written)
    assert read_header(path) == HEADER
    assert list(read(path)) == written


def test_every_cut_of_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    write(path, HEADER, RECORDS)
    whole = path.read_bytes()
    ends = set()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            ends.add(len(list(read(path))))
        except TocsinError:
            continue
    assert ends <= {0, 1, 2}, "only a cut exactly between two records may go unnoticed, and then the later records are absent"
    path.write_bytes(whole[:-1])
    with pytest.raises(TocsinError, match="after 2 records"):
        list(read(path))


def test_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    write(path, HEADER, RECORDS)
    whole = bytearray(path.read_bytes())
    whole[-5] ^= 1
    path.write_bytes(whole)
    with pytest.raises(TocsinError, match="damaged after 2 records"):
        list(read(path))


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"
    path.write_text("series,observed_at,value\n", "utf-8")
    with pytest.raises(TocsinError, match="not a recorded journal"):
        list(read(path))


def test_an_unfinished_file_never_stands_under_the_final_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.bin"

    def fails():  # type: ignore[no-untyped-def]
        yield RECORDS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(path, HEADER, fails())
    assert not path.exists()
