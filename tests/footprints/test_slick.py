"""A footprint of something the water carries also tells when its peak comes and how high it is."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from stream.cli.main import app
from tests.region.shared import REGIONS


def asked(*more: str) -> list[dict[str, object]]:
    words = ["footprint", str(REGIONS / "songhua"), "--source", "sujiatun", "--at", "2005-11-25T00:00:00+08:00", "--json", *more]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return [city for city in map(json.loads, done.stdout.splitlines()) if "peak_at" in city]


def test_peaks_come_after_the_front_and_before_the_end_and_fall_downstream() -> None:
    cities = asked("--value", "0.5805")
    assert len(cities) == 6
    for city in cities:
        assert city["arrives_at_p50"] < city["peak_at"] < city["passed_at"]
    peaks = [city["peak_value"] for city in cities]
    assert peaks == sorted(peaks, reverse=True)
    assert all(0.0 < peak < 0.5805 for peak in peaks)
