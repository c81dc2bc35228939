"""Large tables of reaches: the same network as the row-by-row reading, and every fault with its line."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stream.cli.main import app
from stream.region.problems import Findings, RegionError
from stream.region.reach_table import network_of_table, read_table_columns
from stream.region.reaches import read_reaches
from tests.region.sound import FILES
from topology.base import TopologyError
from topology.network import build_network
from topology.network_file import load_network, network_hash

HEADER = "reach,downstream,length_km,fraction,celerity_m_per_s,velocity_m_per_s,residence_h,line_km,sinuosity,left,right\n"
ROWS = "松,b,10,0.4,1.2,,,,,jia,yi\n松, c,10,0.6,1.2,,,,,jia,yi\nb,,,,,0.5,12,8,1.25,,\nc,,5,,,,,4,,,\n"
runner = CliRunner()


@pytest.fixture
def table(tmp_path):
    def write(text: str):
        path = tmp_path / "rivers.csv"
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_large_table_gives_the_network_that_reading_row_by_row_gives(table):
    findings = Findings()
    rows = read_reaches((HEADER + ROWS).encode(), findings)
    assert findings.problems == []
    assert network_hash(network_of_table(table(HEADER + ROWS))) == network_hash(build_network(rows))
    assert network_of_table(table(HEADER + ROWS)).drawn.sum() == 1


def test_reaches_of_a_table_longer_than_a_part_keep_their_lines(table):
    count = 250_000
    text = "reach,downstream,length_km\n" + "".join(f"{i},{i + 1 if i < count else ''},1.5\n" for i in range(1, count + 1))
    columns = read_table_columns(table(text))
    assert columns.line.tolist() == list(range(2, count + 2))
    with pytest.raises(RegionError) as refused:
        read_table_columns(table(text.replace("\n200000,200001,1.5", "\n200000,200001,x")))
    assert [(one.line, one.field) for one in refused.value.problems] == [(200_001, "length_km")]
    with pytest.raises(TopologyError) as faults:
        network_of_table(table(text.replace("\n250000,,", "\n250000,249999,")))
    assert [(one.line, one.fix) for one in faults.value.faults] == [(250_001, "one of the two is reversed: turn it")]


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("length_km", "lenght_km", 1, "lenght_km"),
        ("celerity_m_per_s", "length_km", 1, "length_km"),
        ("1.25", "0.9", 4, "sinuosity"),
        ("0.6,1.2", "0.6,-1", 3, "celerity_m_per_s"),
        ("0.5,12", "0.5,nan", 4, "residence_h"),
        ("c,,5", "c,5", 5, ""),
    ],
)
def test_a_wrong_cell_is_named_with_line_and_column(table, old, new, line, field):
    with pytest.raises(RegionError) as refused:
        network_of_table(table((HEADER + ROWS).replace(old, new, 1)))
    assert (line, field) in [(one.line, one.field) for one in refused.value.problems]


@pytest.mark.parametrize("text", ["", "reach,downstream,length_km\n", 'reach,downstream,length_km\n"a\nb",,1\n'])
def test_an_empty_table_and_an_id_of_two_lines_are_refused(table, text):
    with pytest.raises(RegionError):
        network_of_table(table(text))


def test_more_wrong_cells_than_anybody_reads_are_counted(table):
    text = "reach,downstream,length_km\n" + "".join(f"r{i},,x\n" for i in range(3_000))
    with pytest.raises(RegionError) as refused:
        network_of_table(table(text))
    assert len(refused.value.problems) == 1_001
    assert "2,000 more" in refused.value.problems[0].problem


def test_the_command_writes_a_file_that_a_region_can_hold(table, tmp_path):
    folder = tmp_path / "small"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    out = folder / "reaches.npz"
    done = runner.invoke(app, ["region", "network", str(folder / "reaches.csv"), "--out", str(out), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert (said["reaches"], said["length_km"], said["outlets"], said["splits"]) == (2, 20.0, 1, 0)
    assert said["sha256"] == network_hash(load_network(out))
    (folder / "reaches.csv").unlink()
    done = runner.invoke(app, ["validate", str(folder)])
    assert done.exit_code == 0, done.output


def test_the_command_lists_every_fault_of_the_network_in_one_message(table):
    path = table("reach,downstream,length_km\na,b,1\nb,a,1\nc,x,0\n")
    done = runner.invoke(app, ["region", "network", str(path), "--out", str(path.with_suffix(".npz"))])
    assert done.exit_code == 1
    for line in ("rivers.csv:3: downstream", "rivers.csv:4: downstream", "rivers.csv:4: length_km"):
        assert line in done.output
    assert not path.with_suffix(".npz").exists()
