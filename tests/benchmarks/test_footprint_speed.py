from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.footprint_rows import Row, table, timed_ms

COMMAND = Path(__file__).with_name("footprint_speed.py")


def test_all_river_contestants_give_the_same_cities_and_times_and_every_row_is_a_figure(tmp_path):
    # That their answers agree is checked by the command itself; nothing here depends on how fast this machine is.
    command = [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path), "river"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [Row(**row) for row in json.loads((tmp_path / "footprint_speed.json").read_text("utf-8"))]
    assert {"tocsin", "scipy.sparse.csgraph", "networkx", "rustworkx dijkstra", "rustworkx descendants"} == {row.by for row in rows}
    assert all(row.p50 > 0 for row in rows)
    assert any(row.unit == "MB" for row in rows)
    for row in rows:
        assert row.question in done.stdout


def test_the_quickest_of_the_tries_counts_for_each_question():
    calls = []
    p50, p99 = timed_ms(calls.append, range(200), tries=2)
    assert calls == [number for number in range(200) for _ in range(2)]
    assert 0 <= p50 <= p99


def test_a_figure_measured_once_has_no_percentile():
    assert table([Row("q", "tocsin", 1.5, unit="s")]).splitlines()[1].split() == ["q", "tocsin", "1.5", "s"]
