"""Which gauges forecast which, and the whole way: `tocsin calibrate`, the region's file, a forecast."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from stream.calibrate.forecast_gauges import above, gauges_of, windows
from stream.calibrate.history import History
from stream.cli.main import app
from stream.decide.forecast import outlooks, ready
from stream.region.load import load_folder
from stream.region.river_network import network_of
from tests.calibrate.test_forecasts import DAY_MS, river
from tests.region.shared import REGIONS

START = np.datetime64("1970-01-01")
DAYS = 365 * 14


@pytest.fixture(scope="module")
def danube():
    return load_folder(REGIONS / "danube")


def test_gauges_above_are_those_whose_water_comes_by(danube):
    network = network_of(danube)
    rows = danube.hazards[0].rows.tolist()
    found = above(danube, rows, network)
    named = {series: {danube.series.ids[rows[place]] for place in places} for series, places in found.items()}
    assert named["g10/discharge"] == {"g10/discharge", "g11/discharge", "g12/discharge"}
    assert len(named["g01/discharge"]) == 31
    assert "g12/discharge" not in named, "nothing is above a headwater"


def test_values_of_one_step_are_averaged_and_bad_ones_are_gaps(danube):
    rows = danube.hazards[0].rows.tolist()
    at = np.array([0, 1000, 0, DAY_MS, 2 * DAY_MS], dtype=np.int64)
    measured = History(np.array([0, 0, 1, 0, 0]), at, np.array([2.0, 8.0, 5.0, -1.0, 3.0]), np.zeros(5, dtype=np.uint8))
    gauges = gauges_of(danube, rows, network_of(danube), measured)
    assert np.exp(gauges.log_value[:, 0]) == pytest.approx([4.0, np.nan, 3.0], nan_ok=True)
    assert np.isnan(gauges.log_value[1:, 1]).all()
    assert gauges.at.tolist() == [0, DAY_MS, 2 * DAY_MS]


def test_forecasts_reach_as_far_as_warnings_are_valid(danube):
    assert windows(danube.hazards[0], 86_400.0) == (1, 2, 3, 5)
    assert windows(danube.hazards[0], 1e9) == (1,)


def calibrated(folder, years):
    """What `tocsin calibrate` makes of two of the Danube's gauges with invented waves, learned from so many of 14 years."""
    waves = river()
    lines = ["series,observed_at,value"]
    for day in range(DAYS):
        for place, series in enumerate(("g12/discharge", "g11/discharge")):
            lines.append(f"{series},{START + day}T00:00:00Z,{10.0 * np.exp(waves.log_value[day, place]):.3f}")
    (folder / "waves.csv").write_text("\n".join(lines) + "\n", "utf-8")
    region = folder / "region"
    for path in (REGIONS / "danube").rglob("*"):
        if path.is_file() and path.name != "lags.csv":
            target = region / path.relative_to(REGIONS / "danube")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    stations = (region / "stations.csv").read_text("utf-8").splitlines()
    kept = [line for line in stations if line.startswith(("station", "g11,", "g12,"))]
    (region / "stations.csv").write_text("\n".join(kept) + "\n", "utf-8")
    words = ["calibrate", str(region), str(folder / "waves.csv"), "--train-until", f"{1970 + years}-01-01", "--return-years", ""]
    done = CliRunner().invoke(app, [*words, "--out", str(folder / "out")])
    assert done.exit_code == 0, done.output
    return folder / "out", done.output, waves


def test_what_was_learned_is_part_of_the_region_and_forecasts(tmp_path):
    out, said, waves = calibrated(tmp_path, 10)
    assert "forecasts of 1 gauges from 2" in said
    skill = float(said.split("skill ")[1].split(";")[0])
    assert skill > 0.3
    region = load_folder(out)
    [model] = region.forecasts
    assert region.region_hash != load_folder(tmp_path / "region").region_hash
    day = int(np.argmax(waves.log_value[365 * 10 + 3 : DAYS, 0] - waves.log_value[365 * 10 + 3 - 1 : DAYS - 1, 0])) + 365 * 10 + 3
    order = [("g12/discharge", "g11/discharge").index(series) for series in model.series]
    value = 10.0 * np.exp(waves.log_value[[day, day - 1, day - 2]][:, order])
    [found] = outlooks(ready(model, {"g11/discharge": [0.6 * value[0].max(), 5.0 * value[0].max()]}), value, day * DAY_MS)
    assert found.chances[0][0] > 0.9, "the wave stands at the gauge above and comes down tomorrow"
    assert found.chances[1][0] < 0.1
    assert found.arrives_h[0][1] <= 24.0


def test_too_few_years_teach_no_forecasts(tmp_path):
    out, said, _ = calibrated(tmp_path, 9)
    assert "forecasts of" not in said
    assert not (out / "forecasts.json").exists()
    assert load_folder(out).forecasts == ()
