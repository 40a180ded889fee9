"""Model: which model judges, does it still fit, and what do its pauses cost honest runs?"""

from __future__ import annotations

from detector.observe.grafana.content import Json
from detector.observe.grafana.dashboards.fleet import MINE, OF
from detector.observe.grafana.panels import (
    COLOURS,
    bars,
    board,
    built,
    figure,
    gauges,
    heat,
    lines,
    prom,
    rows,
    sql,
    words,
    workflows,
)
from detector.observe.grafana.rules import DRIFT

SPREAD = f"sum by (le) (increase(detector_score_bucket{{{OF}}}[$__rate_interval]))"
QUANTILE = f"histogram_quantile(Q, sum by (le, workflow) (rate(detector_score_bucket{{{OF}}}[$__rate_interval])))"
UNUSUAL = (
    f"sum(increase(detector_runs_unusual_total{{{OF}}}[1d])) / sum(increase(detector_runs_finished_total{{{OF}}}[1d]))"
)
MODELS = f"""
    select model,
        count(*) filter (where highest = 'ALLOW') as "ALLOW",
        count(*) filter (where highest = 'ALERT') as "ALERT",
        count(*) filter (where highest = 'PAUSE') as "PAUSE",
        count(*) filter (where highest = 'KILL') as "KILL"
    from detector.run_list where model is not null and $__timeFilter(started) and {MINE} group by 1 order by 1
"""
FALSE = f"""
    select asked_at, run, workflow, cause, decision, decided_by, found
    from detector.gates
    where (decision = 'granted' or found = 'honest') and $__timeFilter(asked_at) and {MINE}
    order by asked_at desc limit 100
"""
DECIDES = f"""
    select workflow,
        count(*) filter (where cause = 'model') as model,
        count(*) filter (where cause like 'rule:%') as rules,
        count(*) filter (where cause like 'manifest:%') as manifest,
        count(*) filter (where cause like '%person:%') as people
    from detector.gates where $__timeFilter(asked_at) and {MINE} group by 1 order by 2 desc
"""


def model() -> Json:
    """The dashboard."""
    made = board("model", "Model", "Which model judges, does it fit, and what does it cost honest runs?", "now-24h")
    made.with_variable(workflows())
    for panel in (
        words(
            "Which model judges?",
            "The version that the workers have loaded. Two at once: a rollout is under way.",
            prom("max by (version) (detector_model_info)", "{{version}}", now=True),
            field="version",
        ),
        figure(
            "How old is it?",
            "Since its file was written. Agents, tools and prompts change: fit anew with what honest runs do now.",
            "s",
            prom("time() - max(detector_model_written_timestamp_seconds)"),
            warn=(90 * 86_400, 180 * 86_400),
        ),
        figure(
            "How many runs should look unusual?",
            "The share of honest runs that the calibration lets above the alert threshold.",
            "percentunit",
            prom("max(detector_expected_unusual_ratio)"),
        ),
        figure(
            "How many do?",
            "The share of the runs that ended in the last day whose peak was above it; runs that did drift are in it.",
            "percentunit",
            prom(UNUSUAL),
            warn=(0.05, 0.1),
        ),
        figure(
            "How many honest runs were paused?",
            "Pauses in the time shown that a person ended by letting the run go on, or called honest.",
            "short",
            sql(f"select count(*) from ({' '.join(FALSE.split())}) false_pauses"),
        ),
        figure(
            "Does it pause too many?",
            "Evidence that more honest runs are paused than was promised, where it is strongest; at 100 % it is 95 % "
            "sure, however often you look. From what people say of paused runs.",
            "percentunit",
            prom("max(detector_false_pause_budget_used_ratio)"),
            warn=(0.5, 1),
        ),
        lines(
            "Do more runs look unusual than were promised?",
            "Runs whose peak was above the alert threshold, over how many the calibration expects; 1: as promised. Far "
            "above it in one workflow: the work or the agent has changed, or it does drift. Over a day.",
            "none",
            prom(DRIFT.replace("{}", f"{{{OF}}}"), "{{workflow}}"),
        ),
        heat(
            "Where do scores lie?",
            "How many scores lay in each range. Honest work makes a band that stays where it is; runs that drift leave "
            "it upwards. A band that moves: the work has changed.",
            SPREAD,
        ),
        lines(
            "How high do scores go?",
            "What 1 % of the scores of a workflow exceed.",
            "none",
            prom(QUANTILE.replace("Q", "0.99", 1), "{{workflow}}"),
        ),
        gauges(
            "Above which score does it alert?",
            "By workflow; other: those that the calibration does not know, where the model never pauses.",
            "none",
            prom("sort_desc(max by (workflow) (detector_alert_threshold))", "{{workflow}}", now=True),
        ),
        bars("What asked for the pauses?", "Pauses by workflow and by what asked for them.", "short", sql(DECIDES)),
        bars(
            "How did runs fare under each model?",
            "Runs that ended, by model and highest verdict.",
            "short",
            sql(MODELS),
            colours=COLOURS,
        ),
        rows(
            "Which paused runs were honest after all?",
            "Paused, and then let go on by a person or called honest. Label them, and the next model learns from them.",
            sql(FALSE),
            height=7,
        ),
    ):
        made.with_panel(panel)
    return built(made)
