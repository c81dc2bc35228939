"""What evidence comes to: laws that hold for any evidence, and each term of the documented sum by itself."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.base import Quality
from stream.decide.fusion import Why, believed, evidence, fuse, log_e_value
from stream.decide.impacts import Around
from stream.decide.state import SourceState
from stream.decide.waves import Heard
from stream.records.instants import HOUR
from stream.region.bundle import bundle
from stream.region.load import load
from stream.region.model import Fusion, Region
from tests.decide.conftest import FILES
from tests.decide.reached import reached
from topology.base import Conditions

AT = 1_790_000_000_000
STATIONS = "station,quantity,domain,unit,city,latitude,longitude,reach,reach_km,interval_s,timezone,datum,also_in,blue,yellow,orange,red\n"


@cache
def region() -> Region:
    """The small river, with a second instrument at the upper gauge and a gauge on the side."""
    with TemporaryDirectory() as folder:
        files = dict(FILES)
        files["stations.csv"] += (
            "twin,stage,rill,m,ava,30.0,110.0,r1,0,600,UTC,,,2,3,4,5\naside,stage,rill,m,ava,30.5,110.5,,,600,UTC,,,2,3,4,5\n"
        )
        for name, text in files.items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        return load(bundle(Path(folder)))


def source(station: str, level: int = 3, **more: object) -> SourceState:
    made = SourceState(f"{station}/stage", level, level, AT, AT, 4.5, 1.5, None, "stage", "limit", int(Quality.GOOD), highest=4.5)
    return msgspec.structs.replace(made, **more)  # type: ignore[type-var]


def fused(
    *sources: SourceState,
    at: int = AT,
    rule: Fusion | None = None,
    silent: frozenset[str] = frozenset(),
    found_in: frozenset[str] = frozenset(),
):
    """As the fold does it: the footprint's claims are what the graph says."""
    hazard = replace(region().hazards[0], fusion=rule or Fusion())
    found = reached(region(), hazard, sources, Conditions(at), Around(silent, found_in=found_in)).fused
    assert found is not None
    return found


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


EVIDENCE = st.fixed_dictionaries(
    {
        "level": st.integers(1, 4),
        "log_lr": st.none() | st.floats(-3, 50),
        "p_value": st.none() | st.floats(1e-200, 1),
        "exceedance": st.none() | st.floats(0, 1),
        "quality": st.sampled_from([int(Quality.GOOD), int(Quality.SUSPECT)]),
        "onset_at": st.integers(AT - 100 * HOUR, AT),
    }
)
SOURCES = st.dictionaries(st.sampled_from(["upper", "middle", "lower", "aside"]), EVIDENCE, min_size=1).map(
    lambda one: [source(name, **more) for name, more in sorted(one.items())]
)
RULES = st.builds(Fusion, k=st.integers(1, 3), n=st.sampled_from([0, 3, 4]), missed=st.floats(0, 3), prior=st.floats(0.001, 0.9))


@given(SOURCES, RULES, st.randoms(), st.integers(0, 60))
def test_the_order_of_sources_never_matters(sources: list[SourceState], rule: Fusion, chance: object, later_h: int) -> None:
    shuffled = list(sources)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fused(*shuffled, rule=rule, at=AT + later_h * HOUR) == fused(*sources, rule=rule, at=AT + later_h * HOUR)


@given(SOURCES, RULES, st.integers(0, 60))
def test_agreeing_evidence_from_elsewhere_never_lowers_the_probability(sources: list[SourceState], rule: Fusion, later_h: int) -> None:
    at = AT + later_h * HOUR
    every = fused(*sources, rule=rule, at=at)
    for one in sources if len(sources) > 1 else []:
        fewer = [other for other in sources if other is not one]
        without = fused(*fewer, rule=rule, at=at)
        assert without.probability <= every.probability
        assert every.unconfirmed - {one.series} <= without.unconfirmed


@given(SOURCES, RULES, st.floats(0.01, 1.0))
def test_a_second_instrument_that_says_the_same_at_the_same_place_changes_nothing(
    sources: list[SourceState], rule: Fusion, p_value: float
) -> None:
    upper = source("upper", p_value=p_value)
    others = [one for one in sources if one.series != upper.series]
    twin = msgspec.structs.replace(upper, series="twin/stage")
    alone, both = fused(upper, *others, rule=rule), fused(upper, twin, *others, rule=rule)
    assert (both.probability, both.unconfirmed - {twin.series}) == (alone.probability, alone.unconfirmed)
    assert [one.reason for one in both.support].count(Why.SAME_PLACE) == 1
    assert fused(upper, upper, *others, rule=rule) == alone


@given(SOURCES, RULES)
def test_the_probability_is_the_prior_and_the_sum_of_what_is_listed(sources: list[SourceState], rule: Fusion) -> None:
    found = fused(*sources, rule=rule)
    total = log_odds(rule.prior) + sum(one.log_odds for one in found.support)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-total)), abs=2e-6)
    assert all(one.log_odds >= 0 for one in found.support)


def test_no_single_instrument_is_surer_than_it_is_reliable() -> None:
    most = log_odds(fused(source("upper", log_lr=1e6)).probability) - log_odds(0.1)
    assert most == pytest.approx(-math.log(0.02), abs=1e-3)
    assert believed(1e6, 0.5) == pytest.approx(math.log(2))


def test_evidence_is_the_detectors_own_where_it_has_any() -> None:
    assert evidence(source("upper", log_lr=2.5, p_value=1e-9)) == 2.5
    assert evidence(source("upper", p_value=1e-9)) == log_e_value(1e-9)
    assert evidence(source("upper", exceedance=0.9)) == pytest.approx(math.log(9))
    assert evidence(source("upper", level=2)) == 2.0
    assert evidence(source("upper", level=0, peak=4, ended_at=AT, log_lr=-9.0)) == 4.0


def test_doubtful_quality_weighs_a_third_and_age_halves() -> None:
    (good,), (doubtful,) = fused(source("upper")).support, fused(source("upper", quality=int(Quality.SUSPECT))).support
    assert doubtful.log_odds == pytest.approx(0.3 * good.log_odds, abs=1e-6)
    (old,) = fused(source("aside"), at=AT + 24 * HOUR + 600_000).support
    assert old.log_odds == pytest.approx(good.log_odds / 2, abs=1e-6)


def test_a_source_that_fell_silent_stays_as_sure_as_it_was() -> None:
    at = AT + 200 * HOUR
    fresh = fused(source("aside"))
    assert fused(source("aside"), at=at).probability < fresh.probability
    assert fused(source("aside"), at=at, silent=frozenset({"aside/stage"})) == fresh
    over = source("aside", ended_at=AT)
    assert fused(over, at=at, silent=frozenset({"aside/stage"})).probability < fresh.probability


def test_a_quiet_gauge_counts_against_only_when_the_wave_is_due_there_and_only_if_it_reports() -> None:
    upper = source("upper")
    before, after = (fused(msgspec.structs.replace(upper, observed_at=at), at=at) for at in (AT + 2 * HOUR, AT + 60 * HOUR))
    dead = fused(
        msgspec.structs.replace(upper, observed_at=AT + 60 * HOUR), at=AT + 60 * HOUR, silent=frozenset({"middle/stage", "lower/stage"})
    )
    assert after.probability < before.probability == dead.probability
    assert after.support[0].reason is Why.MISSED_BELOW
    assert after.probability >= 0.1
    seen = fused(
        msgspec.structs.replace(upper, observed_at=AT + 60 * HOUR), source("middle", observed_at=AT + 60 * HOUR), at=AT + 60 * HOUR
    )
    assert {one.series: one.log_odds for one in seen.support}["upper/stage"] > after.support[0].log_odds


def test_a_wave_that_was_found_and_has_gone_by_is_not_missed() -> None:
    below = frozenset({"bor", "cam"})
    at = AT + 30 * HOUR
    missed, found = fused(source("upper"), at=at), fused(source("upper"), at=at, found_in=below)
    assert missed.support[0].reason == Why.MISSED_BELOW
    assert found.support[0].reason != Why.MISSED_BELOW
    assert found.probability > missed.probability


def test_several_chances_at_one_place_come_to_the_best_less_what_choosing_costs() -> None:
    one, other = source("upper", p_value=1e-4), source("twin", p_value=1e-2)
    alone, both = fused(one).support, fused(one, other).support
    told = {support.series: support for support in both}
    assert told["twin/stage"].log_odds == 0.0
    assert alone[0].log_odds - told["upper/stage"].log_odds == pytest.approx(math.log(2 / 1.01), rel=1e-2)


def test_only_what_begins_together_or_when_the_wave_is_due_confirms() -> None:
    rule = Fusion(k=2, together_h=1)
    upper = source("upper", onset_at=AT - 90 * HOUR)
    assert fused(upper, source("aside", onset_at=AT - 89 * HOUR), rule=rule).confirmed
    assert not fused(upper, source("aside", onset_at=AT - 80 * HOUR), rule=rule).confirmed
    # 36 km at 1 m/s take 10 h: the middle gauge rises when the wave is due there.
    assert fused(upper, source("middle", onset_at=AT - 80 * HOUR), rule=rule).confirmed
    assert not fused(upper, source("middle", onset_at=AT - 10 * HOUR), rule=rule).confirmed
    assert not fused(upper, source("twin", onset_at=upper.onset_at), rule=rule).confirmed
    assert not fused(upper, source("aside", onset_at=upper.onset_at, quality=int(Quality.SUSPECT)), rule=rule).confirmed


def test_only_the_nearest_n_stations_confirm() -> None:
    upper, lower = source("upper"), source("lower")
    assert fused(upper, lower, rule=Fusion(k=2)).unconfirmed == frozenset()
    assert fused(upper, lower, rule=Fusion(k=2, n=2)).unconfirmed == {"upper/stage", "lower/stage"}


def test_of_the_nearest_places_a_second_instrument_takes_none() -> None:
    # The twin of "upper" is as near to "lower" as "upper" is, and must not be taken for the third place instead of it.
    assert fused(source("upper"), source("lower"), rule=Fusion(k=2, n=3)).unconfirmed == frozenset()


def test_nothing_fused_is_the_prior() -> None:
    hazard = region().hazards[0]
    found = fuse(region(), hazard, Heard((), {}, frozenset(), AT))
    assert (found.probability, found.support, found.confirmed) == (0.1, (), True)
