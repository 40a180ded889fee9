"""Fleet: what runs, what drifts, what was stopped, and was it right?"""

from __future__ import annotations

from detector.observe.grafana.content import Json
from detector.observe.grafana.panels import ENDS, bars, board, built, figure, lines, prom, rows, sql, traced, workflows

OF = 'workflow=~"$workflow"'
MINE = "workflow in (${workflow:sqlstring})"
NAMED = "coalesce(nullif(workflow, ''), 'unknown') in (${workflow:sqlstring})"
HIGH = f"histogram_quantile(0.95, sum by (le, workflow) (rate(detector_score_bucket{{{OF}}}[$__rate_interval])))"

STOPPED = f"""
    select count(*) from detector.commands
    where desired = 'DESIRED' and $__timeFilter(at) and {NAMED}
"""
RIGHT = f"""
    select count(*) filter (where caught)::float / nullif(count(*), 0) as right
    from detector.gates
    where (decision in ('granted', 'denied') or found is not null) and $__timeFilter(asked_at) and {MINE}
"""
CAUSES = f"""
    select $__timeGroupAlias(at, $__interval), split_part(cause, ':', 1) as metric, count(*) as stops
    from detector.verdicts
    where level in ('PAUSE', 'KILL') and previous <> level and $__timeFilter(at)
        and {NAMED}
    group by 1, 2 order by 1
"""
SUSPICIOUS = f"""
    select run, workflow, level, score, cause, desired, outcome, calls, started, trace_id
    from detector.run_list
    where highest <> 'ALLOW' and $__timeFilter(started) and {MINE}
    order by (outcome = 'live' and desired <> 'killed') desc, score desc nulls last limit 50
"""
GATES = f"""
    select asked_at, run, workflow, cause, decision, decided_by, waited_seconds,
        case when caught then 'yes' when decision = 'granted' or found = 'honest' then 'no' else 'open' end as right,
        trace_id
    from detector.gates where $__timeFilter(asked_at) and {MINE}
    order by asked_at desc limit 100
"""
OUTCOMES = f"""
    select workflow,
        count(*) filter (where outcome = 'live' and desired <> 'killed') as live,
        count(*) filter (where outcome = 'finished') as finished,
        count(*) filter (where outcome = 'expired') as expired,
        count(*) filter (where outcome = 'evicted') as evicted,
        count(*) filter (where desired = 'killed') as killed
    from detector.run_list where $__timeFilter(started) and {MINE}
    group by 1 order by count(*) desc limit 20
"""


def fleet(trace_url: str) -> Json:
    """The dashboard; `trace_url` as the setting of this name."""
    made = board("fleet", "Fleet", "What runs, what drifts, what was stopped, and was it right?").with_variable(
        workflows()
    )
    live = prom(f'sum(detector_runs{{state="running", {OF}}})')
    paused = prom(f'sum(detector_runs{{state="paused", {OF}}})')
    for panel in (
        figure("How many runs are live?", "Runs that the workers hold and that may go on.", "short", live),
        figure(
            "How many wait for a person?",
            "Paused runs. Each stays paused until somebody approves or denies it, or until its deadline.",
            "short",
            paused,
            warn=(1, 10),
        ),
        figure(
            "How often was a run paused?",
            "Commands to pause in the time shown, sub-agents included.",
            "short",
            sql(STOPPED.replace("DESIRED", "paused")),
        ),
        figure(
            "How often was a run killed?",
            "Commands to kill in the time shown: by people, and by deadlines that nobody answered.",
            "short",
            sql(STOPPED.replace("DESIRED", "killed")),
            warn=(1, 10),
        ),
        figure(
            "How often was a stop right?",
            "Of the pauses of which people said something, the share that they denied or called destructive.",
            "percentunit",
            sql(RIGHT),
        ),
        figure(
            "How fast does a stop hold?",
            "95 % of stops were carried out within this time, from the command to the enforcer's word. Over 30 s: is "
            "an enforcer up on the host of the run?",
            "s",
            prom("histogram_quantile(0.95, sum by (le) (detector_contain_seconds_bucket))"),
            warn=(5, 30),
        ),
        lines(
            "What runs?",
            "Live runs by workflow; other: all workflows beyond the first hundred.",
            "short",
            prom(f'sum by (workflow) (detector_runs{{state="running", {OF}}})', "{{workflow}}"),
            width=8,
            stacked=True,
        ),
        lines(
            "What drifts?",
            "The score that 5 % of the records of a workflow exceed, as runs stand after each: honest work stays "
            "below its alert threshold (dashboard Model).",
            "none",
            prom(
                HIGH,
                "{{workflow}}",
            ),
            width=8,
        ),
        lines(
            "What do runs do that is out of the ordinary?",
            "Signals that calls moved, a second, by family of behaviours. Honest runs move some of them too.",
            "ops",
            prom("sum by (family) (rate(detector_behaviours_total[$__rate_interval]))", "{{family}}"),
            width=8,
            stacked=True,
        ),
        traced(
            rows(
                "Which runs look wrong?",
                "Runs with a verdict above ALLOW, live ones first, then the highest score.",
                sql(SUSPICIOUS),
            ),
            trace_url,
        ),
        lines(
            "When were runs stopped, and by what?",
            "Verdicts PAUSE and KILL by what caused them: a rule, a manifest, the model, a person, a deadline.",
            "short",
            sql(CAUSES, over_time=True),
            bars=True,
            colours={"model": "blue", "rule": "orange", "manifest": "yellow", "person": "red", "deadline": "purple"},
        ),
        bars(
            "How do runs end?",
            "Runs that began in the time shown, by workflow and outcome.",
            "short",
            sql(OUTCOMES),
            colours=ENDS,
        ),
        traced(
            rows(
                "What was stopped, and was it right?",
                "Each time that the detector paused a run: what was decided, by whom, after how long; right: denied, "
                "or found destructive.",
                sql(GATES),
                units={"waited_seconds": "s"},
            ),
            trace_url,
        ),
    ):
        made.with_panel(panel)
    return built(made)
