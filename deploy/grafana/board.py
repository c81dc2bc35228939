"""The few kinds of panels that the dashboards are made of, and how they are laid out: rows of panels, each with the question it answers."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, DataSourceRef, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
WIDTH, HEIGHT = 24, 7


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its series are called."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: a question, and what answers it. `kind`: lines, number or table."""

    title: str
    question: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "lines"
    bad_above: float | None = None
    """From here on it is shown in red."""
    good_from: float | None = None
    """Below it is shown in red."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side under a heading."""

    title: str
    panels: tuple[Panel, ...]


def board(uid: str, title: str, description: str, rows: Sequence[Row], variables: Sequence[Any] = ()) -> Any:
    """A dashboard of these rows, with a variable for the data source and links to the others."""
    made = (
        dashboard.Dashboard(title).uid(uid).description(description).tags(["tocsin"]).refresh("10s").time("now-3h", "now").timezone("utc")
        .readonly()
        .with_variable(dashboard.DatasourceVariable("source").label("Data source").type("prometheus"))
        .link(dashboard.DashboardLink("Tocsin").type(DashboardLinkType.DASHBOARDS).tags(["tocsin"]).as_dropdown(True).include_vars(True).keep_time(True))
    )  # fmt: skip
    for one in variables:
        made.with_variable(one)
    for row in rows:
        made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made.with_panel(_built(panel, WIDTH // len(row.panels)))
    return made.build()


def hazard_variable() -> Any:
    """Lets the reader choose hazards."""
    asked = "label_values(tocsin_city_statuses, hazard)"
    return dashboard.QueryVariable("hazard").label("Hazard").datasource(SOURCE).query(asked).multi(True).include_all(True).all_value(".*")


def _built(panel: Panel, width: int) -> Any:
    makers = {"lines": timeseries.Panel, "number": stat.Panel, "table": table.Panel}
    made = (
        makers[panel.kind]().title(panel.title).description(panel.question).datasource(SOURCE).unit(panel.unit).span(width).height(HEIGHT)
    )
    for ref, query in zip(ascii_uppercase, panel.queries, strict=False):
        asked = prometheus.Dataquery().expr(query.expr).datasource(SOURCE).ref_id(ref)
        asked = asked.instant().format(PromQueryFormat.TABLE) if panel.kind == "table" else asked.range()
        made.with_target(asked.legend_format(query.legend) if query.legend else asked)
    if panel.kind == "lines":
        made.legend(common.VizLegendOptions().show_legend(True)).min(0)
    elif panel.kind == "number":
        made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    made.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(_steps(panel)))
    return made


def _steps(panel: Panel) -> list[Threshold]:
    if panel.good_from is not None:
        return [Threshold(color="red"), Threshold(value=panel.good_from, color="green")]
    steps = [Threshold(color="green")]
    return steps if panel.bad_above is None else [*steps, Threshold(value=panel.bad_above, color="red")]
