"""How the panels look: the few kinds that the dashboards use, over grafana-foundation-sdk.

A panel's title asks a question, its description says what is shown and when to worry, its targets
are queries of Prometheus (`prom`) or of the store (`sql`). Sizes are Grafana's: 24 columns wide.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from detector.observe.grafana.content import POSTGRES, PREFIX, PROMETHEUS, Json

RUN_LINK = f"/d/{PREFIX}-run?var-run=${{__data.fields.run:percentencode}}&${{__url_time_range}}"
COLOURS = {"ALLOW": "green", "ALERT": "yellow", "PAUSE": "orange", "KILL": "red"}
ENDS = {"live": "blue", "finished": "green", "expired": "yellow", "evicted": "purple", "killed": "red"}
DECISIONS = {"granted": "green", "denied": "red", "expired": "yellow", "waiting": "orange", "unanswered": "purple"}
STEPS = {"running": "green", "paused": "orange", "killed": "red", "live": "blue"}

_PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid=PROMETHEUS)
_POSTGRES = models.DataSourceRef(type_val="grafana-postgresql-datasource", uid=POSTGRES)


class _Sql(variants.Dataquery, builder.Builder[variants.Dataquery]):
    """A query of the PostgreSQL data source, for which the SDK has no model."""

    def __init__(self, query: str, form: str) -> None:
        self._query, self._form = query, form

    def build(self) -> variants.Dataquery:
        return self

    def to_json(self) -> Json:
        return {
            "refId": "A",
            "datasource": _POSTGRES,
            "editorMode": "code",
            "rawQuery": True,
            "format": self._form,
            "rawSql": self._query,
        }


Target = builder.Builder[variants.Dataquery]


def prom(query: str, legend: str = "", *, now: bool = False, exemplars: bool = False) -> Target:
    """A query of Prometheus over the time shown; `now`: at its end alone, one row a series where a table shows it."""
    made = (
        prometheus.Dataquery().datasource(_PROMETHEUS).expr(query).legend_format(legend or "__auto").exemplar(exemplars)
    )
    return made.instant().format(PromQueryFormat.TABLE) if now else made.range()


def sql(query: str, *, over_time: bool = False) -> Target:
    """A query of the store, as rows; `over_time`: columns `time`, `metric` and a value become lines."""
    return _Sql(" ".join(query.split()), "time_series" if over_time else "table")


def figure(
    title: str, why: str, unit: str, target: Target, *, width: int = 4, height: int = 4, warn: Sequence[float] = ()
) -> Any:
    """One number. `warn`: from which values on it is orange, and red."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False)
    made = stat.Panel().reduce_options(last).graph_mode(looks.BigValueGraphMode.NONE)
    made.color_mode(looks.BigValueColorMode.VALUE).thresholds(_steps(warn))
    return _common(made, title, why, [target], (width, height)).unit(unit)


def words(
    title: str, why: str, target: Target, *, field: str, width: int = 4, colours: dict[str, str] | None = None
) -> Any:
    """One text: the first row's `field`."""
    last = common.ReduceDataOptions().calcs(["firstNotNull"]).values(values=False).fields(f"/^{field}$/")
    made = stat.Panel().reduce_options(last).graph_mode(looks.BigValueGraphMode.NONE)
    made.color_mode(looks.BigValueColorMode.VALUE).thresholds(_steps(()))
    if colours:
        made.mappings([_mapping(colours)])
    return _common(made, title, why, [target], (width, 4)).unit("string")


def lines(
    title: str,
    why: str,
    unit: str,
    *targets: Target,
    width: int = 12,
    stacked: bool = False,
    bars: bool = False,
    colours: dict[str, str] | None = None,
) -> Any:
    """Values over time, a line or a bar each."""
    made = timeseries.Panel().line_width(1 if bars else 2).fill_opacity(60 if bars else 25 if stacked else 5)
    made.show_points(looks.VisibilityMode.NEVER if not bars else looks.VisibilityMode.AUTO)
    if bars:
        made.draw_style(looks.GraphDrawStyle.BARS)
    if stacked or bars:
        made.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL))
    made.legend(
        common.VizLegendOptions()
        .display_mode(looks.LegendDisplayMode.LIST)
        .placement(looks.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    made.tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
    _fixed(made, colours)
    return _common(made, title, why, targets, (width, 8)).unit(unit)


def heat(title: str, why: str, query: str, *, width: int = 12) -> Any:
    """A histogram over time, of the buckets of a metric: the darker, the fewer."""
    target = prometheus.Dataquery().datasource(_PROMETHEUS).expr(query).legend_format("{{le}}").range()
    made = heatmap.Panel().calculate(calculate=False).show_legend()
    return _common(made, title, why, [target.format(PromQueryFormat.HEATMAP)], (width, 8)).unit("short")


def rows(
    title: str, why: str, target: Target, *, width: int = 24, height: int = 9, units: dict[str, str] | None = None
) -> Any:
    """A table. `units` by column. Columns named `run` lead to the run; `level` and the like have their colours."""
    made = table.Panel().filterable(filterable=True).cell_height(looks.TableCellHeight.SM)
    for column, unit in (units or {}).items():
        made.override_by_name(column, [models.DynamicConfigValue("unit", unit)])
    link = [{"title": "What did this run do?", "url": RUN_LINK}]
    made.override_by_name("run", [models.DynamicConfigValue("links", link)])
    for column in ("level", "highest", "desired", "what"):
        made.override_by_name(column, _coloured())
    return _common(made, title, why, [target], (width, height)).unit("short")


def traced(panel: Any, url: str) -> Any:
    """The same table, whose column `trace_id` leads to the trace; `url` as the setting trace_url has it, or empty."""
    if not url:
        return panel
    link = [
        {"title": "Show the trace", "url": url.replace("{trace}", "${__value.raw:percentencode}"), "targetBlank": True}
    ]
    return panel.override_by_name("trace_id", [models.DynamicConfigValue("links", link)])


def bars(
    title: str,
    why: str,
    unit: str,
    target: Target,
    *,
    width: int = 12,
    stacked: bool = True,
    colours: dict[str, str] | None = None,
) -> Any:
    """Rows as bars: the first column names them, each other one is a value."""
    made = barchart.Panel().orientation(looks.VizOrientation.HORIZONTAL).show_value(looks.VisibilityMode.AUTO)
    if stacked:
        made.stacking(looks.StackingMode.NORMAL)
    made.legend(
        common.VizLegendOptions()
        .display_mode(looks.LegendDisplayMode.LIST)
        .placement(looks.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    _fixed(made, colours)
    return _common(made, title, why, [target], (width, 8)).unit(unit)


def gauges(title: str, why: str, unit: str, target: Target, *, width: int = 12, warn: Sequence[float] = ()) -> Any:
    """A bar for each series or row, with its value."""
    made = bargauge.Panel().orientation(looks.VizOrientation.HORIZONTAL).thresholds(_steps(warn))
    made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=True))
    made.display_mode(looks.BarGaugeDisplayMode.BASIC)
    return _common(made, title, why, [target], (width, 8)).unit(unit).min(0)


def board(name: str, title: str, why: str, since: str = "now-6h") -> dashboard.Dashboard:
    """A dashboard without panels yet, with links to its sisters that keep time and workflow."""
    sisters = dashboard.DashboardLink("Agent runs").type(models.DashboardLinkType.DASHBOARDS).tags([PREFIX])
    made = (
        dashboard.Dashboard(title)
        .uid(f"{PREFIX}-{name}")
        .description(why)
        .tags([PREFIX, f"{PREFIX}-{name}"])
        .readonly()
    )
    made.link(sisters.include_vars(include_vars=True).keep_time(keep_time=True).as_dropdown(as_dropdown=False))
    return made.time(since, "now").refresh("30s").timezone("browser").tooltip(models.DashboardCursorSync.CROSSHAIR)


def workflows() -> dashboard.QueryVariable:
    """The variable `workflow`: of those that the store knows the 200 with the most runs, some of them or all. `other`:
    the 101st in metrics.
    """
    most = "select workflow from detector.runs where known group by 1 order by count(*) desc, 1 limit 200"
    query = f"select coalesce(nullif(workflow, ''), 'unknown') from ({most}) w union select 'other' order by 1"  # noqa: S608
    made = dashboard.QueryVariable("workflow").label("Workflow").datasource(_POSTGRES).query(query)
    every = models.VariableOption(text="All", value="$__all")
    return (
        made.multi(multi=True)
        .include_all(include_all=True)
        .current(every)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def one_run() -> dashboard.QueryVariable:
    """The variable `run`: those of the time shown, the most suspicious first; any other by its link."""
    query = (
        "select run from detector.run_list where $__timeFilter(started) "
        "order by array_position(array['KILL','PAUSE','ALERT','ALLOW'], highest), started desc limit 500"
    )
    made = dashboard.QueryVariable("run").label("Run").datasource(_POSTGRES).query(query)
    return made.refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)


def built(made: dashboard.Dashboard) -> Json:
    """The dashboard as plain JSON, without the number that a server gives it."""
    plain: Json = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    plain.pop("id", None)
    for number, panel in enumerate(plain["panels"], 1):
        panel["id"] = number
    return plain


def _common(made: Any, title: str, why: str, targets: Sequence[Target], size: tuple[int, int]) -> Any:
    made.title(title).description(why).span(size[0]).height(size[1])
    for number, target in enumerate(targets):
        made.with_target(_named(target, "ABCDEFGH"[number]))
    first = targets[0].build()
    return made.datasource(_POSTGRES if isinstance(first, _Sql) else _PROMETHEUS)


def _fixed(made: Any, colours: dict[str, str] | None) -> None:
    """What has a meaning has one colour on every dashboard."""
    for name, colour in (colours or {}).items():
        made.override_by_name(name, [models.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})])


def _named(target: Target, letter: str) -> Target:
    return target.ref_id(letter) if isinstance(target, prometheus.Dataquery) else target


def _steps(warn: Sequence[float]) -> dashboard.ThresholdsConfig:
    steps = [models.Threshold(value=None, color="green")]
    steps += [
        models.Threshold(value=value, color=colour) for value, colour in zip(warn, ("orange", "red"), strict=False)
    ]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _mapping(colours: dict[str, str]) -> models.ValueMap:
    found = {text: models.ValueMappingResult(color=colour, index=n) for n, (text, colour) in enumerate(colours.items())}
    return models.ValueMap(options=found)


def _coloured() -> list[models.DynamicConfigValue]:
    return [
        models.DynamicConfigValue("mappings", [_mapping(COLOURS | STEPS)]),
        models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
    ]
