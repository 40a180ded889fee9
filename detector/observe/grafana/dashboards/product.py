"""Product: what run-level analytics asks, by workflow, with the run ids underneath."""

from __future__ import annotations

from detector.observe.grafana.content import Json
from detector.observe.grafana.panels import DECISIONS, bars, board, built, figure, lines, rows, sql, workflows

MINE = "workflow in (${workflow:sqlstring})"
DAYS = f"day between ($__timeFrom()::timestamptz)::date and ($__timeTo()::timestamptz)::date and {MINE}"
TOTAL = f"select EXPRESSION from detector.product_daily where {DAYS}"
GATED = f"from detector.gates where $__timeFilter(asked_at) and {MINE}"

BY_WORKFLOW = f"""
    select workflow,
        sum(runs_started) as runs, sum(tasks_completed) as completed, sum(accepted) as accepted,
        sum(corrected) as corrected, sum(clarified) as clarified, sum(reopened) as reopened,
        sum(tasks_completed)::float / nullif(sum(runs_started), 0) as completion,
        sum(accepted)::float / nullif(sum(tasks_completed), 0) as acceptance,
        sum(corrected)::float / nullif(sum(runs_started), 0) as correction,
        sum(approvals_asked) as asked, sum(approvals_granted) as granted, sum(approvals_denied) as denied
    from detector.product_daily where {DAYS}
    group by 1 order by runs desc
"""
PER_DAY = f"""
    select day::timestamptz as time,
        sum(tasks_completed)::float / nullif(sum(runs_started), 0) as completion,
        sum(accepted)::float / nullif(sum(tasks_completed), 0) as acceptance,
        sum(corrected)::float / nullif(sum(runs_started), 0) as correction
    from detector.product_daily where {DAYS} group by 1 order by 1
"""
SAID = f"""
    select workflow, sum(accepted) as accepted, sum(corrected) as corrected, sum(clarified) as clarified,
        sum(reopened) as reopened
    from detector.product_daily where {DAYS} group by 1 order by sum(judged) desc, 1 limit 20
"""
APPROVALS = f"""
    select $__timeGroupAlias(asked_at, $__interval), decision as metric, count(*) as approvals
    {GATED} group by 1, 2 order by 1
"""
WAITS = f"""
    select workflow,
        percentile_cont(0.5) within group (order by waited_seconds) as median,
        percentile_cont(0.95) within group (order by waited_seconds) as p95
    {GATED} and decision in ('granted', 'denied') group by 1 order by 3 desc
"""
VALUE = f"""
    select workflow, finding, asked, granted, denied, expired, caught, caught_share, waved_through,
        waved_through_share, false_pauses, let_pass_wrongly, wait_p50_seconds, wait_p95_seconds, friction_seconds
    from detector.gate_value where {MINE} order by asked desc
"""
TOKENS = f"""
    select workflow, sum(tokens_in) as "tokens in", sum(tokens_out) as "tokens out"
    from detector.product_daily where {DAYS} group by 1 having sum(runs_with_tokens) > 0 order by 2 desc limit 20
"""
RUNS = f"""
    select run, workflow, started, outcome, completed, accepted, corrected, clarified, reopened, found, seconds, calls,
        asked, refused, tokens_in, tokens_out, highest
    from detector.run_list where $__timeFilter(started) and {MINE} order by started desc limit 200
"""


def _total(expression: str) -> str:
    return TOTAL.replace("EXPRESSION", expression)


def product() -> Json:
    """The dashboard."""
    made = board("product", "Product", "Do agents get their tasks done, and what do people make of it?", "now-7d")
    made.with_variable(workflows())
    completion = _total("sum(tasks_completed)::float / nullif(sum(runs_started), 0) as completion")
    acceptance = _total("sum(accepted)::float / nullif(sum(tasks_completed), 0) as acceptance")
    correction = _total("sum(corrected)::float / nullif(sum(runs_started), 0) as correction")
    for panel in (
        figure(
            "How many runs were started?",
            "Days of the time shown, in UTC; parts of other runs are not counted.",
            "short",
            sql(_total("sum(runs_started) as runs")),
        ),
        figure(
            "How many tasks were completed?",
            "Runs that finished, or that people called complete or accepted, and did not reopen afterwards.",
            "short",
            sql(_total("sum(tasks_completed) as completed")),
        ),
        figure("What share is completed?", "Completed tasks of runs started.", "percentunit", sql(completion)),
        figure("What share of those is accepted?", "Accepted of completed.", "percentunit", sql(acceptance)),
        figure("What share needs correction?", "Corrected of runs started.", "percentunit", sql(correction)),
        figure(
            "How many were reopened?",
            "Runs that people reopened: done, as it seemed, and not done.",
            "short",
            sql(_total("sum(reopened) as reopened")),
        ),
        rows(
            "How does each workflow do?",
            "Rates are of the whole time shown. asked, granted and denied are the detector's pauses.",
            sql(BY_WORKFLOW),
            height=6,
            units=dict.fromkeys(("completion", "acceptance", "correction"), "percentunit"),
        ),
        lines(
            "Does it get better?",
            "Rates by day: completed and corrected of started, accepted of completed.",
            "percentunit",
            sql(PER_DAY, over_time=True),
        ),
        bars(
            "What do people say?",
            "Runs by workflow that people accepted, corrected, clarified, reopened.",
            "short",
            sql(SAID),
        ),
        lines(
            "What became of the approvals that were asked?",
            "Each pause asks a person: granted, denied, expired (nobody answered by the deadline), waiting.",
            "short",
            sql(APPROVALS, over_time=True),
            bars=True,
            colours=DECISIONS,
        ),
        bars(
            "How long do approvals wait?",
            "Seconds until a person decided: the median, and what one in twenty exceeds.",
            "s",
            sql(WAITS),
            stacked=False,
        ),
        rows(
            "Does asking a person catch anything, or only add friction?",
            "Over all time. caught: denied, or found destructive; waved through: granted within 10 s and nothing came "
            "of it; friction: seconds that runs stood for nothing. Many waved through: people do not look.",
            sql(VALUE),
            height=5,
            units={
                "caught_share": "percentunit",
                "waved_through_share": "percentunit",
                "wait_p50_seconds": "s",
                "wait_p95_seconds": "s",
                "friction_seconds": "s",
            },
        ),
        bars("How many tokens do runs take?", "By workflow, where spans carry them.", "short", sql(TOKENS)),
        figure(
            "How many calls does a run make?",
            "On average, of runs that ended.",
            "short",
            sql(_total("sum(calls)::float / nullif(sum(runs_ended), 0) as calls")),
            width=6,
            height=8,
        ),
        figure(
            "How often do agents themselves ask?",
            "Questions to people that agents' own calls put, a run.",
            "short",
            sql(_total("sum(agent_asked)::float / nullif(sum(runs_ended), 0) as asked")),
            width=6,
            height=8,
        ),
        rows(
            "Which runs stand behind these figures?",
            "The newest 200; a run's name leads to what it did.",
            sql(RUNS),
            height=12,
            units={"seconds": "s"},
        ),
    ):
        made.with_panel(panel)
    return built(made)
