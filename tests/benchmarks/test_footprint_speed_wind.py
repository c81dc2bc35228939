from __future__ import annotations

from tests.benchmarks.footprint_speed_wind import run


def test_wind_contestants_agree_and_every_row_is_a_figure():
    # That tree and test of every polygon, ensemble and bare loop agree is checked by the part itself; nothing depends on the machine's speed.
    rows = run(small=True)
    assert {"tocsin", "tocsin (STRtree)", "every polygon", "bare loop", "tocsin (Lambert)", "pyproj"} == {row.by for row in rows}
    assert all(row.p50 > 0 for row in rows)
