"""The weights of evidence from judged incidents: known ones are found again, few incidents change little, and the region's file takes them."""

from __future__ import annotations

import json
import math
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from typer.testing import CliRunner

from stream.calibrate.weights import PENALTY, PRIOR_PENALTY, Judged, judged, learn, with_fusion
from stream.cli.main import app
from stream.errors import TocsinError
from stream.region.load import load_folder
from stream.region.model import Fusion
from tests.calibrate import quiet

QUANTITIES = ("stage", "rain")


def simulated(count: int, prior: float, weights: tuple[float, ...], seed: int = 1) -> Judged:
    chance = np.random.default_rng(seed)
    said = chance.exponential(1.5, (count, len(weights)))
    odds = math.log(prior / (1 - prior)) + said @ np.array(weights)
    return Judged(QUANTITIES[: len(weights)], said, chance.random(count) < 1 / (1 + np.exp(-odds)))


def test_the_weights_that_made_the_labels_are_found_again():
    learned = learn(simulated(5_000, 0.05, (0.4, 1.6)), Fusion())
    assert learned.prior == pytest.approx(0.05, abs=0.015)
    assert learned.weights["stage"] == pytest.approx(0.4, abs=0.1)
    assert learned.weights["rain"] == pytest.approx(1.6, abs=0.15)
    assert learned.brier_after < learned.brier_before


def test_it_is_the_maximum_that_a_general_optimiser_finds():
    past = simulated(60, 0.2, (0.8, 0.6), seed=4)
    target, penalty = np.array([math.log(0.1 / 0.9), 1.0, 1.0]), np.array([PRIOR_PENALTY, PENALTY, PENALTY])

    def loss(found):
        odds = found[0] + past.said @ found[1:]
        return np.sum(np.logaddexp(0, odds) - past.real * odds) + np.sum(penalty * (found - target) ** 2) / 2

    expected = optimize.minimize(loss, target, bounds=[(None, None), (0, None), (0, None)], tol=1e-12).x
    learned = learn(past, Fusion())
    assert [math.log(learned.prior / (1 - learned.prior)), *learned.weights.values()] == pytest.approx(expected, abs=1e-3)


def test_no_incident_changes_nothing():
    learned = learn(Judged(QUANTITIES, np.empty((0, 2)), np.empty(0, bool)), Fusion(prior=0.3))
    assert learned.prior == pytest.approx(0.3)
    assert learned.weights == {"stage": 1.0, "rain": 1.0}


@given(st.lists(st.tuples(st.floats(0, 8), st.booleans()), min_size=1, max_size=20))
def test_whatever_is_told_the_weights_are_usable(told: list[tuple[float, bool]]):
    past = Judged(("stage",), np.array([[said] for said, _ in told]), np.array([real for _, real in told]))
    learned = learn(past, Fusion())
    assert 0 < learned.prior < 1
    assert 0 <= learned.weights["stage"] <= 10


def test_evidence_that_speaks_for_false_alarms_gets_no_weight_rather_than_a_negative_one():
    said = np.linspace(0, 5, 200)[:, None]
    assert learn(Judged(("stage",), said, said[:, 0] < 1), Fusion()).weights == {"stage": 0.0}


def line(name: str, probability: float, log_odds: float, hazard: str = "flood") -> str:
    evidence = [{"series": "a/stage", "log_odds": log_odds}]
    value = {"incident_id": name, "hazard": hazard, "probability": probability, "evidence": evidence}
    return json.dumps({"kind": "incidents", "value": value})


def test_an_incident_is_taken_as_sure_as_it_ever_was_and_only_where_it_was_judged():
    recorded = [
        line("one", 0.3, 1.0),
        line("one", 0.8, 3.0),
        line("one", 0.1, 0.2),
        line("two", 0.5, 2.0),
        line("three", 0.5, 2.0, "smoke"),
    ]
    past = judged(recorded, "incident_id,real\none,yes\nthree,no\n", "flood", ("stage",))
    assert past.said.tolist() == [[3.0]]
    assert past.real.tolist() == [True]


@pytest.mark.parametrize(("labels", "words"), [("id,real\n", "columns"), ("incident_id,real\none,perhaps\n", "line 2")])
def test_labels_that_say_nothing_are_refused(labels, words):
    with pytest.raises(TocsinError, match=words):
        judged([], labels, "flood", ("stage",))


def test_a_hazard_file_without_the_table_gets_one():
    past = simulated(50, 0.2, (1.0,))
    table = tomllib.loads(with_fusion('family = "water"\n[rules]\nhold_s = 1\n', learn(past, Fusion())))
    assert set(table["fusion"]) == {"prior", "weights"}
    assert table["rules"] == {"hold_s": 1}


def test_calibrate_writes_what_judged_incidents_teach_into_the_region(tmp_path):
    region = quiet.region(tmp_path / "region")
    data = quiet.history(tmp_path / "history.csv", quiet.values())
    (tmp_path / "incidents.jsonl").write_text("\n".join(line(f"i{i}", 0.5, 0.1 * i) for i in range(40)), "utf-8")
    rows = "".join(f"i{i},{'yes' if i > 20 else 'no'}\n" for i in range(40))
    (tmp_path / "labels.csv").write_text("incident_id,real\n" + rows, "utf-8")
    words = ["calibrate", region, data, "--train-until", quiet.SPLIT, "--return-years", "", "--out", tmp_path / "out"]
    alone = CliRunner().invoke(app, [*map(str, words), "--labels", str(tmp_path / "labels.csv")])
    assert alone.exit_code != 0
    told = ["--incidents", tmp_path / "incidents.jsonl", "--labels", tmp_path / "labels.csv"]
    done = CliRunner().invoke(app, [str(word) for word in (*words, *told)])
    assert done.exit_code == 0, done.output
    assert "flood/fusion: 40 incidents judged, 19 real" in done.output
    flood = next(one for one in load_folder(tmp_path / "out").hazards if one.hazard == "flood")
    assert flood.fusion.prior < 0.1
    assert flood.fusion.weights["stage"] > 1.0
