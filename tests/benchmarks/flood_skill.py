"""Are floods foretold? `python tests/benchmarks/flood_skill.py [--small] [--levels gev|empirical] [--out FOLDER]`.

Real floods of the upper Danube: everything is learned on 1959-1979 and scored on 1980-1989, for the 14 gauges with at least three gauges
upstream, at their 2-year and 5-year levels. Beside Tocsin's trained forecast (`stream.calibrate.forecasts`): (1) the best rule "k of the n
gauges upstream are high" of each gauge, (2) a ridge regression of ln discharge one to three days ahead with a tuned factor, (2b) the same
for the next day only. Last, what cities are told when the days are replayed through the whole fold with forecasts of the same kind
(`flood_fold.py`; not with --small, it takes a minute). Every setting is chosen on the learning years, on forecasts of years that were left out of the fit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from stream.calibrate.forecasts import BLOCK_YEARS, Gauges, Plan, learn, stated
from tests.benchmarks import flood_fold, flood_rivals
from tests.benchmarks.flood_data import LEVELS, VALID_DAYS, best, csi, drawn, load, outcome

RETURN_YEARS = (2.0, 5.0)
CHANCES = tuple(round(0.05 + 0.025 * step, 3) for step in range(31))
DRAWS, SEED = 10_000, 1980
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
TRIED = (
    "How Tocsin's form was chosen: mean CSI_1 over five levels (1.25 to 5 years) in learning years, each forecast by a fit to other years,",
    "tried one after another with the highest of the next 1, 2, 3, 5 days as target unless said (figures: best of its kind):",
    "  the ridge of (2) .508; rises instead of yesterday's level .503; the same with weights towards high water .509; with rises of all gauges .521-.525;",
    "  and season .514; domain mean rise and height .527; means of 7 and 30 days .525; levels above the 90 % share .533; sums of upstream flow .524;",
    "  rise times height .545; highest of two days .547, of three .529, of five .528, of the next day .566; own and upstream gauges only .568;",
    "  nearest past situations (Gaussian process) .529; logistic of 4 to 15 predictors for a start within 1, 2, 3, 5 days .567, .544, .457, .443;",
    "  all predictors for all gauges alike, next day, penalty 3 and emphasis 1.5: .585 (taken); penalty 1 .582, 10 .576; emphasis 2.5 .575.",
    "The first 30 of these trials, and as many before them with other rules of scoring, also printed the scored years; the choices from the",
    "highest of two days on were made without looking at them.",
)
OURS, RIDGE = "Tocsin", "(2) ridge, 1-3 days"
FOLD, FOLD_ALONE = "Tocsin, told by the fold", "the fold without forecasts"


def gauges_of(floods):
    """The learning input: all gauges of the river."""
    upstream = {name: (floods.names.index(name), *above) for name, above in floods.above.items()}
    return Gauges(tuple(floods.names), floods.at, np.log(floods.flow), upstream, 86_400.0)


def contestants(floods, return_years, learned_days, chances, forecasts):
    """{name: (setting, warned by gauge)}."""
    tried = {chance: {name: found[:, 0] >= chance for name, found in chances.items()} for chance in CHANCES}
    ours, _ = best(floods, tried, return_years, learned_days)
    rules, rule_days = flood_rivals.k_of_n(floods, return_years, learned_days)
    wide, wide_days = flood_rivals.ridge(floods, return_years, learned_days, forecasts[1, 2, 3])
    next_day, next_days = flood_rivals.ridge(floods, return_years, learned_days, forecasts[1,])
    words = " ".join(f"{name}:{share:g},{k}/{len(floods.above[name])}" for name, (share, k) in rules.items())
    return {
        OURS: (f"chance that the level is reached the next day >= {ours:g}", tried[ours]),
        "(1) k of n upstream": (f"share of days below, k/n: {words}", rule_days),
        RIDGE: (f"penalty {wide[0]:g}, factor {wide[1]:g}", wide_days),
        "(2b) ridge, next day": (f"penalty {next_day[0]:g}, factor {next_day[1]:g}", next_days),
    }


def table(floods, return_years, rivals, days):
    """Lines of the table of one return period, and the outcomes on the scored days."""
    learned, scored = days
    found = {name: outcome(floods, warned, return_years, scored) for name, (_, warned) in rivals.items()}
    literal = {name: csi(outcome(floods, warned, return_years, scored, 0).total) for name, (_, warned) in rivals.items()}
    samples = drawn(list(found.values()), DRAWS, SEED)
    gauge_years = len(floods.above) * scored.sum() / 365.2425
    lines = ["", f"## {return_years:g}-year events: {int(sum(found[OURS].total[:2]))} at {len(floods.above)} gauges", ""]
    lines += [
        "| | CSI_1 [95 %] | POD | FAR | false a gauge-year | lead days, median (mean) | CSI_1 in learning years | CSI_1 if a warning in the week after an event is false |"
    ]
    lines += ["|---" * 8 + "|"]
    for number, (name, one) in enumerate(found.items()):
        hits, misses, false = one.total
        low, high = np.quantile(samples[:, number], [0.025, 0.975])
        lead = f"{np.median(one.leads):.0f} ({np.mean(one.leads):.1f})" if one.leads else "-"
        before = "-" if name in (FOLD, FOLD_ALONE) else f"{csi(outcome(floods, rivals[name][1], return_years, learned).total):.3f}"
        far = false / max(hits + false, 1)
        lines.append(
            f"| {name} | {csi(one.total):.3f} [{low:.3f}, {high:.3f}] | {hits / max(hits + misses, 1):.3f} | {far:.3f} | {false / gauge_years:.3f} |"
            f" {lead} | {before} | {literal[name]:.3f} |"
        )
    lines.append("")
    for ours in [name for name in found if name in (OURS, FOLD)]:
        for number, name in enumerate(found):
            if name not in (OURS, FOLD):
                lines.append(paired((ours, name), found, samples[:, list(found).index(ours)] - samples[:, number]))
    lines += ["", *(f"{name}: {setting}" for name, (setting, _) in rivals.items())]
    return lines, found


def paired(names, found, gained):
    """One line: how much better the first is than the second, `gained` in each draw of years."""
    ours, other = (found[name].total for name in names)
    low, high = np.quantile(gained, [0.025, 0.975])
    return (
        f"{names[0]} minus {names[1]}: {csi(ours) - csi(other):+.3f} [{low:+.3f}, {high:+.3f}],"
        f" above 0 in {(gained > 0).mean():.1%} of draws; false alarms {ours[2] - other[2]:+.0f}, hits {ours[0] - other[0]:+.0f}"
    )


def one_chance(floods, learned_days, chances):
    """Mean CSI_1 over the return periods in the learning years, by the one chance (next day) that is asked of all levels."""
    tried = {}
    for chance in CHANCES:
        masks = [{name: found[years][:, 0] >= chance for name, found in chances.items()} for years in RETURN_YEARS]
        tried[chance] = np.mean(
            [csi(outcome(floods, mask, years, learned_days).total) for mask, years in zip(masks, RETURN_YEARS, strict=True)]
        )
    return tried


def told_by_the_fold(floods):
    """{name: (setting, warned by gauge) by return period}: replays with and without forecasts of the scored years and the month before."""
    days = range(floods.split - 31, len(floods.at))
    found = {}
    for name, learned in ((FOLD, flood_fold.learned_for_all(floods)), (FOLD_ALONE, None)):
        force, messages, region = flood_fold.replayed(floods, learned, days)
        rules = region.hazards[0].rules
        setting = (
            f"foretold_probability {rules.foretold_probability:g}, hold_s {rules.hold_s:g}; {len(messages)} messages to {len(force)} cities"
        )
        found[name] = (setting, {years: flood_fold.warned(floods, force, years) for years in RETURN_YEARS})
    return found


def reliability(floods, learned, scored):
    """Lines: Brier scores and bins of the stated probabilities on scored days on which the level is not reached; and the bins by window."""
    lines = ["", "## Stated probabilities, scored days, 2- and 5-year levels together", ""]
    lines += [
        "| within days | Brier | always the learning years' share | skill | bins: stated mean -> came true (days) |",
        "|---" * 5 + "|",
    ]
    bins = {}
    for number, window in enumerate(learned.model.windows):
        said, came, usual = [], [], []
        for name in floods.above:
            levels = np.array([floods.level[years][name] for years in floods.level])
            chance, own = stated(learned, name, levels)[:, :, number], floods.own(name)
            ahead = np.lib.stride_tricks.sliding_window_view(own[1:], window).max(axis=1)
            for place, level in enumerate(levels):
                asked = (own < level)[: len(ahead)] & scored[: len(ahead)]
                before = (own < level)[: floods.split - window]
                said.append(chance[: len(ahead), place][asked])
                came.append(ahead[asked] >= level)
                usual.append(np.full(asked.sum(), (ahead[: floods.split - window][before] >= level).mean()))
        said, came, usual = (np.concatenate(one) for one in (said, came, usual))
        score, reference = ((said - came) ** 2).mean(), ((usual - came) ** 2).mean()
        where = np.digitize(said, BINS[1:-1])
        bins[window] = [(said[where == one].mean(), came[where == one].mean(), int((where == one).sum())) for one in np.unique(where)]
        words = ", ".join(f"{mean:.3f} -> {true:.3f} ({count})" for mean, true, count in bins[window])
        lines.append(f"| {window} | {score:.5f} | {reference:.5f} | {1 - score / reference:.3f} | {words} |")
    return lines, bins


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="two gauges only; its figures are rough")
    parser.add_argument(
        "--levels", choices=LEVELS, default=LEVELS[0], help="2- and 5-year levels: fitted, or the share of learning years below"
    )
    parser.add_argument("--out", type=Path, help="also write flood_skill.md and flood_skill.png to FOLDER")
    chosen = parser.parse_args()
    floods, plan = load(RETURN_YEARS, chosen.levels, 2 if chosen.small else None), Plan()
    learned_days = np.arange(len(floods.at)) < floods.split
    learned = learn(gauges_of(floods), floods.split, plan)
    penalties = flood_rivals.PENALTIES[1:2] if chosen.small else flood_rivals.PENALTIES
    forecasts = {
        ahead: {penalty: flood_rivals.ridge_forecasts(floods, penalty, ahead) for penalty in penalties} for ahead in ((1, 2, 3), (1,))
    }
    lines = [f"# Skill on real floods: upper Danube, learned on 1959-1979, scored on 1980-1989 ({chosen.levels} levels)", ""]
    lines += [
        f"A warning is valid {VALID_DAYS} days; CSI_1 counts hits sent a day or more before; intervals: {DRAWS} draws of years, seed {SEED}."
    ]
    lines += [f"Tocsin: {plan}, blocks of {BLOCK_YEARS} years left out; chances tried {CHANCES[0]} to {CHANCES[-1]}, step 0.025."]
    lines += [f"Ridge: penalties {penalties}, factors {flood_rivals.FACTORS[0]} to {flood_rivals.FACTORS[-1]}, step 0.02."]
    lines += [f"k of n: shares {flood_rivals.SHARES}, every k.", *TRIED]
    stated_of = {
        name: {years: stated(learned, name, np.array([floods.level[years][name]]))[:, 0] for years in RETURN_YEARS} for name in floods.above
    }
    tried = one_chance(floods, learned_days, stated_of)
    lines += [
        "",
        "One chance of the next day for all levels, mean CSI_1 in learning years: "
        + ", ".join(f"{chance:g} {one:.3f}" for chance, one in tried.items()),
    ]
    results = {}
    told = {} if chosen.small else told_by_the_fold(floods)
    for place, years in enumerate(RETURN_YEARS):
        level = np.array([[floods.level[one][name] for one in RETURN_YEARS] for name in floods.above])
        chances = {name: stated(learned, name, level[number])[:, place] for number, name in enumerate(floods.above)}
        rivals = contestants(floods, years, learned_days, chances, forecasts)
        rivals |= {name: (setting, masks[years]) for name, (setting, masks) in told.items()}
        more, results[years] = table(floods, years, rivals, (learned_days, ~learned_days))
        lines += more
    more, bins = reliability(floods, learned, ~learned_days)
    lines += more
    if chosen.out:
        from tests.benchmarks.flood_plot import plot

        chosen.out.mkdir(parents=True, exist_ok=True)
        (chosen.out / "flood_skill.md").write_text("\n".join(lines) + "\n", "utf-8")
        plot(chosen.out / "flood_skill.png", results, bins)
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
