"""A value measured at a gauge foretells the crests below where history taught them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from stream.cli.main import app


def asked(*words: str) -> dict[str, dict]:
    at = ["--at", "1985-05-01T00:00:00Z"]
    done = CliRunner().invoke(app, ["footprint", "danube", "--source", "g10", *at, *words, "--json"])
    assert done.exit_code == 0, done.output
    return {city["city_id"]: city for city in map(json.loads, done.stdout.splitlines()) if "city_id" in city and "expected" in city}


def test_the_crest_below_and_its_chance_are_told():
    found = asked("--value", "700")
    next_below, far = found["g09"]["expected"], found["g02"]["expected"]
    assert next_below["series"] == "g09/discharge"
    assert next_below["p50"] == pytest.approx(700, rel=0.2)
    assert next_below["p10"] < next_below["p50"] < next_below["p90"]
    assert far["p90"] / far["p10"] > next_below["p90"] / next_below["p10"], "the farther, the less sure"
    assert "gauge_regression" in found["g09"]["reasons"]
    assert found["g09"]["probability"] > asked("--value", "450")["g09"]["probability"]


def test_without_a_value_nothing_is_expected():
    assert {city["expected"] for city in asked().values()} == {None}
