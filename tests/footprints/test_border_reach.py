"""A danger found on a border reach: both sides lead, and the cities among them are told."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from stream.cli.main import app
from tests.region.sound import FILES

REACHES = "reach,downstream,length_km,left,right\nr1,r2,10,{left},{right}\nr2,,10,,\n"


def asked(tmp_path, left: str, right: str, place: str) -> tuple[dict, dict[str, list[str]]]:
    for name, text in {**FILES, "reaches.csv": REACHES.format(left=left, right=right)}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    at = ["--hazard", "flood", "--at", "2026-03-01T00:00:00Z", "--value", "3"]
    done = CliRunner().invoke(app, ["footprint", str(tmp_path), "--source", place, *at, "--json"])
    assert done.exit_code == 0, done.output
    head, *cities = map(json.loads, done.stdout.splitlines())
    return head, {city["city_id"]: city["reasons"] for city in cities}


def test_both_sides_of_the_river_lead_and_the_city_on_its_bank_is_told_at_once(tmp_path):
    head, cities = asked(tmp_path, "upton", "land", "r1:5")
    assert head["roles"]["lead"] == ["upton", "land"]
    assert head["roles"]["assist"] == ["downton"]
    assert {city for city, reasons in cities.items() if "border_reach" in reasons} == {"upton"}


def test_a_reach_inside_one_jurisdiction_has_no_sides(tmp_path):
    head, cities = asked(tmp_path, "", "", "r1:5")
    assert head["roles"]["lead"] == []
    assert not any("border_reach" in reasons for reasons in cities.values())
