"""`tocsin calibrate REGION DATA...`: thresholds, levels and seasons learned from history, and how often they alarmed on later data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from stream.cli.options import RegionArgument, given
from stream.errors import TocsinError

if TYPE_CHECKING:
    from stream.calibrate.history import History
    from stream.region.model import Region

COLOURS = ("blue", "yellow", "orange", "red")

Data = Annotated[list[Path], typer.Argument(metavar="DATA...", help="CSV files as for `feed`, may be gzipped (.gz).", show_default=False)]
Budget = Annotated[float, typer.Option("--budget", min=1e-6, help="False alarms per series-year that statistical detectors may give.")]
Until = Annotated[
    str, typer.Option("--train-until", help="Learn only from what was observed before this day or instant (RFC 3339).", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", help="A new folder for the calibrated copy of the region.", show_default=False)]
Periods = Annotated[
    str, typer.Option("--return-years", help="Return periods of the water levels blue, yellow, orange, red; empty: keep the levels.")
]
Month = Annotated[
    int, typer.Option("--year-starts", min=1, max=12, help="First month of a year of annual maxima (November: hydrological).")
]


Incidents = Annotated[
    Path | None,
    typer.Option("--incidents", help="Past incidents, as `tocsin replay` wrote them; with --labels: learn the weights of [fusion]."),
]
Labels = Annotated[Path | None, typer.Option("--labels", help="CSV with incident_id,real (yes or no): which of them were real.")]


class Judging(NamedTuple):
    """Past incidents and what became of them; both or neither."""

    incidents: Path | None
    labels: Path | None


class Learning(NamedTuple):
    """What to learn: see `stream.calibrate.learn.Plan`; `until` and `periods` are the words of the options."""

    until: str
    split_at: int
    budget: float
    periods: str
    return_years: dict[str, float]
    first_month: int


def learning(train_until: Until, budget: Budget = 0.5, return_years: Periods = "1.5,2,5,20", year_starts: Month = 11) -> Learning:
    """The options that say what is learned."""
    return Learning(train_until, _instant(train_until), budget, return_years, _periods(return_years), year_starts)


def judging(incidents: Incidents = None, labels: Labels = None) -> Judging:
    """The options that say which past incidents teach the weights of evidence."""
    if (incidents is None) != (labels is None):
        msg = "--incidents and --labels belong together: what was found, and which of it was real"
        raise TocsinError(msg)
    return Judging(incidents, labels)


@given(learning=learning, judging=judging)
def calibrate(region: RegionArgument, data: Data, out: Out, learning: Learning, judging: Judging) -> None:
    """Learn thresholds and return levels from history, write them into a copy of the region, report nominal against achieved.

    Thresholds of statistical detectors: the most sensitive ones within --budget. Levels of water: return periods. Spans of what each season
    shows: for the quality tests. Limits that are law (air index, drinking water) stay. An alarm is false unless its series reached its own
    lowest level within a week; where a hazard has no levels every alarm counts.
    """
    from datetime import UTC, datetime

    from stream.calibrate import history, learn, report
    from stream.calibrate.written import Source, with_calibration
    from stream.cli.folders import region_folder
    from stream.region.bundle import bundle
    from stream.region.load import load

    if out.exists():
        msg = f"{out} exists; name a new folder, so that no region in use is overwritten"
        raise TocsinError(msg)
    bundled = bundle(region_folder(region))
    loaded = load(bundled)
    plan = learn.Plan(learning.budget, learning.split_at, learning.return_years, learning.first_month)
    measured = history.read(loaded, data)
    found = learn.calibrate(loaded, measured, plan)
    ids = loaded.series.ids
    columns = {name: {ids[row]: value for row, value in cells.items()} for name, cells in found.columns.items()}
    settings = f"budget {plan.budget:g} a series-year, return years {learning.periods or 'none'}, years from month {plan.first_month}"
    day = datetime.now(UTC).date().isoformat()
    files = with_calibration(bundled.files, columns, Source(day, learning.until, history.data_hash(data), settings))
    said = _waves(loaded, measured, plan.split_at, files)
    weighed = _weigh(loaded, files, judging)
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    for line in (*report.lines(loaded.name, found), *said, *weighed):
        typer.echo(line)
    typer.echo(f"{out}: {sum(map(len, columns.values()))} cells of stations.csv learned; check it with `tocsin validate {out}`", err=True)


def _waves(region: Region, measured: History, split_at: int, files: dict[str, bytes]) -> list[str]:
    """Learn how waves travel and how high gauges will stand into `lags.csv` and `forecasts.json`, in place; what to say of it."""
    from stream.calibrate import forecast_gauges, lags
    from stream.region.forecasts import FORECASTS_FILE, forecasts_json
    from topology.lags import LAGS_FILE

    split_at += measured.shift_ms
    travelled, foretold = lags.learn_lags(region, measured, split_at), forecast_gauges.learn_forecasts(region, measured, split_at)
    if travelled:
        files[LAGS_FILE] = lags.lags_csv(travelled)
    if foretold:
        files[FORECASTS_FILE] = forecasts_json(tuple(one.learned.model for one in foretold))
    return [*lags.lines(travelled), *forecast_gauges.lines(foretold)]


def _weigh(region: Region, files: dict[str, bytes], judging: Judging) -> list[str]:
    """Learn the prior and weights of every hazard that has judged incidents into its file, in place; what to say of it."""
    from stream.calibrate import weights

    if judging.incidents is None or judging.labels is None:
        return []
    recorded, labels = judging.incidents.read_text("utf-8").splitlines(), judging.labels.read_text("utf-8-sig")
    said: list[str] = []
    for hazard in region.hazards:
        past = weights.judged(recorded, labels, hazard.hazard, hazard.quantities)
        if len(past.real):
            name, learned = f"hazards/{hazard.hazard}.toml", weights.learn(past, hazard.fusion)
            files[name] = weights.with_fusion(files[name].decode("utf-8-sig"), learned).encode()
            said += weights.lines(hazard.hazard, learned)
    return said


def _instant(text: str) -> int:
    """The instant in ms; a day begins at midnight UTC. History may be older than what the service accepts.

    >>> _instant("1970-01-02"), _instant("1960-01-01T00:00:00Z") < 0
    (86400000, True)
    """
    from datetime import UTC, datetime

    from stream.records.instants import from_datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"--train-until {text!r} is no day; write it as 1980-01-01"
        raise TocsinError(msg) from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _periods(text: str) -> dict[str, float]:
    """Return periods by colour.

    >>> _periods("1.5,2")
    {'blue': 1.5, 'yellow': 2.0}
    """
    try:
        years = [float(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        msg = f"--return-years {text!r}: {error}"
        raise TocsinError(msg) from error
    if any(one <= 1.0 for one in years) or sorted(set(years)) != years or len(years) > len(COLOURS):
        msg = f"--return-years {text!r}: give up to four rising numbers above 1, for blue, yellow, orange, red"
        raise TocsinError(msg)
    return dict(zip(COLOURS, years, strict=False))
