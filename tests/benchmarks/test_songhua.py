from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.benchmarks import songhua, songhua_data, songhua_product
from tests.region.shared import shared_file

COMMAND = Path(__file__).with_name("songhua.py")
FIXED = songhua.SETTINGS["river_solute"]


@pytest.fixture(scope="module")
def told():
    shared_file("events/songhua_2005_observations.csv")
    return songhua.forecasts(FIXED)


def test_only_what_was_public_by_then_is_used(told):
    assert len(told) == 23
    for one in told:
        known = [front for front in songhua_data.fronts() if front.known_at <= one.now]
        assert one.newest == known[-1]
        assert one.detections == len(known)
        assert one.km > one.newest.km, "only sections still ahead"
        assert ("corrected_by_passage" in one.reasons) == (one.detections > 1)


def test_every_line_holds_and_prior_and_officials_did_worse(told):
    verdict = songhua.judge(told)
    assert verdict.passed, verdict
    assert verdict.second > 0.10, "an error this small would mean that the front is known beforehand"
    fronts = {front.section: front.at for front in songhua_data.fronts()}
    for one in told:
        if one.section in fronts and one.detections >= 2:
            assert abs(one.error_h(fronts[one.section])) < abs(one.prior - fronts[one.section]) / songhua_data.HOUR


def test_the_lines_can_be_missed(told):
    assert not songhua.judge(songhua.forecasts({**FIXED, "velocity_m_per_s": 1.0})).passed
    assert not songhua.judge(songhua.forecasts({**FIXED, "correlation_km": 50.0})).passed
    assert not songhua.judge(songhua.forecasts({**FIXED, "log_sd": 0.05})).inside


def test_the_settings_hold_no_value_of_that_river():
    text = (COMMAND.parent / "songhua_settings.toml").read_text("utf-8")
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert not re.search(r"harbin|mulan|tonghe|dalai|jiamusi|711|2005", body, re.IGNORECASE)
    assert songhua.SETTINGS["scoring"]["error_from_third_detection"] == 0.08
    assert songhua.SETTINGS["scoring"]["error_from_second_detection"] == 0.15
    assert songhua.SETTINGS["scoring"]["width"] == 0.6


def test_the_service_corrects_what_it_told_cities_by_what_it_finds_on_the_way():
    told = songhua_product.arrivals()
    corrected = [one for one in told if one.by.startswith("from:")]
    assert {"yilan", "jiamusi", "huachuan", "tongjiang"} <= {one.city for one in corrected}
    first = {one.city: one for one in reversed(told)}
    for one in corrected:
        assert one.p90 - one.p10 < first[one.city].p90 - first[one.city].p10, "surer than the prior"
    # Nobody saw the front come to Yilan: it lay between the bulletins of 30 November 22:00 and 3 December 16:00 (China Standard Time).
    yilan = [one for one in corrected if one.city == "yilan"]
    assert all(one.p10.isoformat() < "2005-12-03T08" and one.p90.isoformat() > "2005-11-30T14" for one in yilan)


def test_each_passage_on_the_way_brings_the_service_nearer_to_the_truth():
    came = datetime.fromisoformat("2005-12-07T20:00:00+08:00")  # first detection at Jiamusi: deploy/regions/songhua/observed.csv
    told = [one for one in songhua_product.arrivals() if one.city == "jiamusi"]
    errors = [abs((one.p50 - came).total_seconds()) / 3600.0 for one in told]
    assert len(told) >= 3
    assert errors == sorted(errors, reverse=True), errors
    assert errors[0] > 48.0, "the prior was days off"
    assert errors[-1] < 6.0
    assert all(one.p10 <= came <= one.p90 for one in told)
    assert all(one.said < came for one in told), "told before it came"


def test_the_command_prints_every_pair_and_draws_them(tmp_path):
    shared_file("events/songhua_2005_observations.csv")
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--small", "--out", str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\| \d\d (?:Nov|Dec) ", done.stdout, re.MULTILINE)) == 23
    assert done.stdout.count("| Khabarovsk |") == 7
    assert "| as fixed |" in done.stdout
    assert (tmp_path / "songhua.png").read_bytes()[:4] == b"\x89PNG"
