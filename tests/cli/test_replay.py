from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.records.warning import Lane
from stream.region.load import load_folder
from stream.review.inputs import in_feed_order, read_files
from stream.review.journal_file import Header, write
from stream.review.replay import decide, journal_of, line
from stream.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

runner = CliRunner()
SETTINGS = Settings(prefix="replay.", lane=Lane.TEST, clock="observed", partitions=3)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(one) for one in path.read_text("utf-8").splitlines()]


def test_a_flood_upstream_warns_the_cities_below_before_it_comes(rill: Path, tmp_path: Path) -> None:
    out = tmp_path / "warnings.jsonl"
    done = runner.invoke(app, ["replay", str(rill), str(rill / "history.csv"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    first: dict[str, dict[str, object]] = {}
    for one in lines(out):
        if one["kind"] == "city" and one["warning_id"]:
            first.setdefault(str(one["city_id"]), one["value"])  # type: ignore[arg-type]
    assert set(first) == {"ava", "bor", "cam"}
    assert first["ava"]["path"] == "same_place"
    assert first["bor"]["path"] == "river"
    assert str(first["bor"]["sent_at"]) < "2026-03-01T13:00"
    assert {one["value"]["lane"] for one in lines(out) if one["warning_id"]} == {"test"}  # type: ignore[index]


def test_a_recorded_journal_gives_the_same_bytes_as_the_files(rill: Path, tmp_path: Path) -> None:
    region = load_folder(rill)
    made = journal_of([region], in_feed_order(read_files(region, [rill / "history.csv"])), SETTINGS)
    assert not made.refused
    header = Header(Lane.TEST, "observed", 3)
    write(tmp_path / "journal.bin", header, made.records)
    from_files = b"".join(line(output) + b"\n" for output in decide([region], header, made.records))
    done = runner.invoke(app, ["replay", str(rill), "--journal", str(tmp_path / "journal.bin"), "--out", str(tmp_path / "out.jsonl")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out.jsonl").read_bytes() == from_files
    assert from_files.count(b'"kind":"city"') > 10


def test_a_journal_of_another_region_is_refused_by_its_hash(rill: Path, tmp_path: Path) -> None:
    region = load_folder(rill)
    made = journal_of([region], read_files(region, [rill / "history.csv"])[:3], SETTINGS)
    write(tmp_path / "journal.bin", Header(Lane.TEST, "observed", 3), made.records)
    (rill / "stations.csv").write_text((rill / "stations.csv").read_text("utf-8").replace(",5\n", ",6\n"), "utf-8")
    done = runner.invoke(app, ["replay", str(rill), "--journal", str(tmp_path / "journal.bin"), "--out", str(tmp_path / "out.jsonl")])
    assert done.exit_code == 1
    assert region.region_hash in done.output
    assert not (tmp_path / "out.jsonl").exists()


def test_a_part_of_the_history_can_be_cut_out(rill: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    arguments = ["replay", str(rill), str(rill / "history.csv"), "--out", str(out)]
    assert runner.invoke(app, [*arguments, "--end", "2026-03-01T02:00:00Z"]).exit_code == 0
    assert not [one for one in lines(out) if one["warning_id"]], "nothing had happened yet"
    empty = runner.invoke(app, [*arguments, "--start", "2027-01-01T00:00:00Z"])
    assert (empty.exit_code, "between --start and --end" in empty.output) == (1, True)


@pytest.mark.parametrize("files", [["--journal", "x.bin", "history.csv"], []])
def test_files_and_a_journal_exclude_each_other(rill: Path, tmp_path: Path, files: list[str]) -> None:
    done = runner.invoke(app, ["replay", str(rill), "--out", str(tmp_path / "out.jsonl"), *files])
    assert done.exit_code == 1
    assert "either files of measurements or --journal" in done.output
