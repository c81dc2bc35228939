"""The Songhua spill of 2005 as it happened: `python tests/benchmarks/songhua.py [--small] [--out FOLDER]`.

At the end of each day on which a new front was published, the front's arrival is forecast for every section still ahead, from what was
public then and from the settings in `songhua_settings.toml`, which hold nothing of this river. Observed fronts are scored, bounds are used
as bounds; beside them stand the prior alone, the constant speed between the last two detections, what officials expected, and what the
service itself tells the cities of its region. Then the settings are varied one by one. `--small` leaves that out. Everything is also written to FOLDER, with a plot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import songhua_data, songhua_plot, songhua_product
from tests.benchmarks.songhua_data import HOUR, Front, words
from topology import river_solute
from topology.base import Act, CityPlace, Conditions, Intervention, Passage, Places, Reach, Source

SETTINGS = tomllib.loads(Path(__file__).with_name("songhua_settings.toml").read_text("utf-8"))
VARIED = (
    {"correlation_km": 400.0},
    {"correlation_km": 700.0},
    {"correlation_km": 2000.0},
    {"velocity_m_per_s": 0.4},
    {"velocity_m_per_s": 0.6},
    {"log_sd": 0.3},
    {"log_sd": 0.5},
    {"floor_h": 1.0},
    {"floor_h": 6.0},
    {"ice_factor": 1.0},
)


class Told(NamedTuple):
    """One forecast: made at `now` from `detections` fronts for `section`; quantiles in ms, the prior's median and the constant speed's beside it."""

    now: int
    detections: int
    newest: Front
    section: str
    km: float
    p5: int
    p10: int
    p50: int
    p90: int
    p95: int
    prior: int
    constant: int | None
    reasons: tuple[str, ...]

    def error_h(self, actual: int) -> float:
        return (self.p50 - actual) / HOUR

    def part(self, actual: int) -> float:
        """The error as a part of the travel time that really remained from the newest detection."""
        return (self.p50 - actual) / (actual - self.newest.at)

    @property
    def width(self) -> float:
        """(P90 - P10) / P50, counted from the newest detection."""
        return (self.p90 - self.p10) / (self.p50 - self.newest.at)


def place(section: str, km: float) -> CityPlace:
    return CityPlace(section, 46.0, 129.0, 5.0, 0, (("songhua", km),))


def forecasts(parameters: dict[str, float], *, iced: bool = True) -> list[Told]:
    """All forecasts of the event, in the order in which they could have been made."""
    fronts, told = songhua_data.fronts(), []
    sections = {front.section: front.km for front in fronts} | {bound.section: bound.km for bound in songhua_data.bounds()}
    places = Places(tuple(place(section, km) for section, km in sections.items()), (Reach("songhua", "", songhua_data.LENGTH_KM),))
    graph = river_solute.build(places, parameters)
    first = fronts[0]
    source = Source("harbin", "Harbin", 45.75, 126.65, "songhua", first.km, first.at, first.at, None, 0.5, 1.0)
    ice = (Intervention(Act.ICE, "songhua", 0.0, songhua_data.ms(songhua_data.ICE_FROM)),) if iced else ()
    for number, newest in enumerate(fronts, start=1):
        known = tuple(Passage("songhua", front.km, front.at) for front in fronts[1:number])
        conditions = Conditions(newest.known_at, passages=known, interventions=ice)
        alone = {
            ahead.reached.city_id: ahead for ahead in river_solute.forecasts(graph, source, Conditions(newest.known_at, interventions=ice))
        }
        for ahead in river_solute.forecasts(graph, source, conditions):
            section = ahead.reached.city_id
            if sections[section] <= newest.km:
                continue
            p5, p10, p50, p90, p95 = (ahead.at(z) for z in (-1.6449, -1.2816, 0.0, 1.2816, 1.6449))
            constant = None
            if number > 1:
                before = fronts[number - 2]
                constant = newest.at + round((sections[section] - newest.km) * (newest.at - before.at) / (newest.km - before.km))
            told.append(
                Told(
                    newest.known_at,
                    number,
                    newest,
                    section,
                    sections[section],
                    p5,
                    p10,
                    p50,
                    p90,
                    p95,
                    alone[section].at(0.0),
                    constant,
                    ahead.reasons,
                )
            )
    return told


class Verdict(NamedTuple):
    """How a run did: the worst errors from the second detection (Mulan) and from the third (Tonghe) on, the widest window, and all inside."""

    second: float
    third: float
    width: float
    inside: bool
    bounds: bool

    @property
    def passed(self) -> bool:
        lines = SETTINGS["scoring"]
        return (
            self.second <= lines["error_from_second_detection"]
            and self.third <= lines["error_from_third_detection"]
            and self.width <= lines["width"]
            and self.inside
            and self.bounds
        )


def judge(told: list[Told]) -> Verdict:
    """The lines of the benchmark, over every pair of a forecast and an observed front (bounds: P5 to P95 must not contradict them)."""
    fronts, bounds = ({one.section: one for one in found} for found in (songhua_data.fronts(), songhua_data.bounds()))
    pairs = [(one, fronts[one.section].at) for one in told if one.section in fronts]
    limits = [(one, bounds[one.section]) for one in told if one.section in bounds]
    return Verdict(
        max(abs(one.part(at)) for one, at in pairs if one.detections >= 2),
        max(abs(one.part(at)) for one, at in pairs if one.detections >= 3),
        max(one.width for one in told if one.detections >= 2),
        all(one.p5 <= at <= one.p95 for one, at in pairs),
        all((bound.after is None or one.p95 > bound.after) and (bound.before is None or one.p5 < bound.before) for one, bound in limits),
    )


def table(told: list[Told]) -> list[str]:
    """Every pair, printed."""
    fronts, bounds = ({one.section: one for one in found} for found in (songhua_data.fronts(), songhua_data.bounds()))
    lines = [
        "| known at | newest detection | section | P5 | P50 | P95 | observed | error h | part of the rest | (P90-P10)/P50 | in P5-P95 | prior alone h | constant speed h |",
        "|---" * 13 + "|",
    ]
    for one in told:
        head = f"| {words(one.now)} | {one.newest.section} {words(one.newest.at)} | {one.section} | {words(one.p5)} | {words(one.p50)} | {words(one.p95)} |"
        if one.section in fronts:
            at = fronts[one.section].at
            constant = "" if one.constant is None else f"{(one.constant - at) / HOUR:+.1f}"
            inside = "yes" if one.p5 <= at <= one.p95 else "NO"
            tail = f" {words(at)} | {one.error_h(at):+.1f} | {one.part(at):+.1%} | {one.width:.2f} | {inside} | {(one.prior - at) / HOUR:+.1f} | {constant} |"
        else:
            bound = bounds[one.section]
            limits = (("after", bound.after), ("before", bound.before))
            said = ", ".join(f"{word} {words(at)}" for word, at in limits if at is not None)
            tail = f" {said} | | | {one.width:.2f} | | | |"
        lines.append(head + tail)
    return lines


def officials() -> list[str]:
    """What was expected at the time, beside what came."""
    fronts = {front.section: words(front.at) for front in songhua_data.fronts()}
    lines = ["| said | place | expected | came | source |", "|---" * 5 + "|"]
    for one in songhua_data.OFFICIAL:
        expected = one.first if one.first == one.last else f"{one.first} to {one.last}"
        lines.append(
            f"| {one.said} | {one.place} | {expected} | {fronts.get(one.place) or songhua_data.ACTUAL[one.place]} | {one.source} |"
        )
    return lines


def row(name: str, verdict: Verdict) -> str:
    marks = ["yes" if one else "NO" for one in (verdict.inside, verdict.bounds, verdict.passed)]
    return f"| {name} | {verdict.second:.1%} | {verdict.third:.1%} | {verdict.width:.2f} | {' | '.join(marks)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="without the variations of the settings")
    parser.add_argument("--out", type=Path, help="folder for the table and the plot (default: a new temporary one)")
    chosen = parser.parse_args()
    folder = chosen.out or Path(tempfile.mkdtemp(prefix="songhua-"))
    folder.mkdir(parents=True, exist_ok=True)
    parameters = SETTINGS["river_solute"]
    told = forecasts(parameters)
    verdict = judge(told)
    lines = [
        "# Songhua 2005, as it happened",
        "",
        f"Settings: {parameters}",
        "",
        *table(told),
        "",
        "## Expected at the time",
        "",
        *officials(),
        "",
    ]
    lines += ["## The service on deploy/regions/songhua: what cities were told", "", *songhua_product.table(), ""]
    lines += ["## Verdict, and the settings varied one by one", ""]
    lines += ["| settings | worst from Mulan on | worst from Tonghe on | widest | all in P5-P95 | bounds kept | passed |", "|---" * 7 + "|"]
    lines.append(row("as fixed", verdict))
    if not chosen.small:
        lines += [row(", ".join(f"{k} = {v:g}" for k, v in one.items()), judge(forecasts({**parameters, **one}))) for one in VARIED]
        lines.append(row("no ice reported", judge(forecasts(parameters, iced=False))))
    songhua_plot.draw(told, folder / "songhua.png")
    (folder / "songhua.md").write_text("\n".join(lines) + "\n", "utf-8")
    print("\n".join(lines))
    print(f"written to {folder}")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
