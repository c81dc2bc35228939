"""An archive notices whatever happens to it, and says what is not in it."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from stream.errors import TocsinError
from stream.records.warning import Lane
from stream.review.archive import FORMAT, MANIFEST, About, State, What, opened, problems
from stream.review.archive_writing import Journal, add_expired, add_journal, add_region, add_snapshot, begun
from stream.review.journal_file import Recorded

if TYPE_CHECKING:
    from pathlib import Path

    from stream.review.archive import Archive

ABOUT = About(FORMAT, "", Lane.LIVE, "broker")
JOURNAL = Journal("journal", "AbC-1", 2)


def records(partition: int, first: int, count: int) -> list[Recorded]:
    return [Recorded(partition, offset, 1_000 * offset, b"record %d" % offset) for offset in range(first, first + count)]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = begun(tmp_path / "kept", ABOUT)
    add_region(made, "rill", "0123456789abcdef", b"bundle")
    add_journal(made, JOURNAL, records(0, 0, 5))
    add_journal(made, JOURNAL, records(1, 0, 2))
    add_snapshot(made, JOURNAL, (0, 3, 2_000), State("5", b"state"))
    add_journal(made, JOURNAL, records(0, 5, 4))
    return made


def test_what_was_archived_is_read_back_and_nothing_is_wrong_with_it(archive: Archive) -> None:
    again = opened(archive.folder)
    assert list(problems(again)) == []
    read = [one for line in again.of(What.JOURNAL) if line.partition == 0 for one in again.records(line)]
    assert read == records(0, 0, 9)
    (snapshot,) = again.of(What.SNAPSHOT)
    assert (again.state(snapshot), snapshot.next_offset, snapshot.last_at) == (State("5", b"state"), 3, 2_000)
    assert again.content(again.of(What.REGION)[0]) == b"bundle"
    assert again.head == archive.head
    assert not list(archive.folder.rglob("*.part"))


def test_a_journal_file_is_an_ordinary_gzipped_journal(archive: Archive) -> None:
    line = archive.of(What.JOURNAL)[0]
    assert gzip.decompress((archive.folder / line.file).read_bytes()).startswith(b"tocsin journal 1")


@pytest.mark.parametrize("number", range(5))
def test_every_file_that_is_missing_or_altered_is_noticed(archive: Archive, number: int) -> None:
    path = archive.folder / archive.lines[number].file
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    (said,) = set(problems(opened(archive.folder)))
    assert "is not what was archived" in said
    path.unlink()
    (said,) = set(problems(opened(archive.folder)))
    assert "is missing" in said


@pytest.mark.parametrize("number", range(6))
def test_a_line_that_is_removed_or_altered_is_noticed(archive: Archive, number: int) -> None:
    path = archive.folder / MANIFEST
    texts = path.read_bytes().splitlines(keepends=True)
    altered = texts[number].replace(b'"live"', b'"test"').replace(b'"sha256":"', b'"sha256":"0')
    path.write_bytes(b"".join([*texts[:number], altered, *texts[number + 1 :]]))
    assert list(problems(opened(archive.folder))) or not opened(archive.folder).knows(archive.head)
    if number > 0:
        path.write_bytes(b"".join([*texts[:number], *texts[number + 1 :]]))
        shorter = opened(archive.folder)
        # Whoever cuts off the end leaves a sound chain: only the sum that was noted elsewhere tells.
        assert list(problems(shorter)) if number < 5 else not shorter.knows(archive.head)


def test_offsets_that_are_missing_are_told_unless_it_says_that_they_expired(archive: Archive) -> None:
    add_expired(archive, JOURNAL, 0, (9, 20))
    add_journal(archive, JOURNAL, records(0, 20, 1))
    assert list(problems(opened(archive.folder))) == []
    add_journal(archive, JOURNAL, records(0, 30, 1))
    assert list(problems(opened(archive.folder))) == ["journal partition 0: after offset 21 comes 30"]


def test_a_file_with_a_hole_in_it_is_told(archive: Archive) -> None:
    add_journal(archive, JOURNAL, [*records(1, 2, 1), *records(1, 4, 1)])
    assert "stands where 1/3 must" in next(problems(opened(archive.folder)))


def test_another_lane_and_another_folder_are_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="is the archive of lane live"):
        begun(archive.folder, About(FORMAT, "exercise.", Lane.EXERCISE, "broker"))
    with pytest.raises(TocsinError, match="holds no archive"):
        opened(tmp_path)
    (archive.folder / MANIFEST).write_bytes(b"{}\n")
    with pytest.raises(TocsinError, match="cannot be read"):
        opened(archive.folder)
