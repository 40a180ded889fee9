"""Run: one run's timeline and evidence."""

from __future__ import annotations

from detector.observe.grafana.content import Json
from detector.observe.grafana.panels import (
    COLOURS,
    STEPS,
    board,
    built,
    figure,
    gauges,
    lines,
    one_run,
    rows,
    sql,
    traced,
    words,
)

RUN = "${run:sqlstring}"
PARTS = f"run in (select run from detector.runs where run = {RUN} or part_of = {RUN})"
"""A run over many traces went by other names at first."""

ABOUT = f"""
    select run, workflow, service, outcome, started, ended, seconds, turns, tokens_in, tokens_out, asked, refused,
        root, model, policy, found, trace_id
    from detector.run_list where run = {RUN}
"""
OF_IT = f"select COLUMN from detector.run_list where run = {RUN}"
SCORE = f"""
    select at as time, score, nullif(threshold, 0) as threshold
    from detector.verdicts where {PARTS} and score > 0 order by at
"""
TIMELINE = f"""
    select at, kind, what, words, who, call, score, span_id, trace_id
    from detector.run_timeline where run = {RUN} order by at, n
"""
EVIDENCE = f"""
    select distinct on (call, span_id) call, tool, words, at, span_id, trace_id
    from detector.evidence where {PARTS} order by call, span_id, sequence desc
"""
SHARES = f"""
    select words, share from detector.shares
    where (run, sequence) = (
        select run, sequence from detector.verdicts where {PARTS} and score > 0 order by score desc, sequence limit 1
    )
    order by share desc
"""
STOPS = f"""
    select c.at, c.desired, c.cause, c.deadline, a.enforcer, a.outcome as answer,
        extract(epoch from a.at - c.at) as seconds, a.detail
    from detector.commands c left join detector.acks a using (run, sequence)
    where c.{PARTS} order by c.at, a.at
"""
SAID = f"select at, who, kind, why from detector.labels where {PARTS} order by at"


def run(trace_url: str) -> Json:
    """The dashboard; `trace_url` as the setting of this name."""
    made = board("run", "Run", "One run: what it did in order, and why it was stopped", "now-24h").with_variable(
        one_run()
    )
    for panel in (
        words(
            "What is it to be?",
            "What the newest command asks of the run; running: none, or a person let it go on.",
            sql(OF_IT.replace("COLUMN", "desired")),
            field="desired",
            colours=STEPS,
        ),
        words(
            "How far did it go?",
            "The highest verdict that the run ever had.",
            sql(OF_IT.replace("COLUMN", "highest")),
            field="highest",
            colours=COLOURS,
        ),
        words(
            "What decided?",
            "The cause of the newest verdict: a rule, a manifest, the model, a person, a deadline.",
            sql(OF_IT.replace("COLUMN", "cause")),
            field="cause",
            width=8,
        ),
        figure(
            "How unusual was it at its worst?",
            "Its highest score, 0 to 1. Its thresholds are in the curve below.",
            "none",
            sql(OF_IT.replace("COLUMN", "score")),
        ),
        figure(
            "How many calls did it make?",
            "Each call counts once, however often it was seen. A live run: up to its newest verdict.",
            "short",
            sql(f"select max(call) from detector.run_timeline where run = {RUN}"),
        ),
        traced(
            rows(
                "Which run is this?",
                "Who runs it, how it ended, what it took; found: what people said it was. Empty fields come with the "
                "summary, when the run ends.",
                sql(ABOUT),
                height=4,
                units={"seconds": "s"},
            ),
            trace_url,
        ),
        lines(
            "How did its score rise?",
            "The score at each verdict of the run, and the threshold that it had then; 0 where a rule decided.",
            "none",
            sql(SCORE, over_time=True),
        ),
        gauges(
            "Which behaviours made it unusual?",
            "The behaviours with the largest shares of the highest score.",
            "percentunit",
            sql(SHARES),
        ),
        traced(
            rows(
                "What happened, in order?",
                "Start, evidence, verdicts, commands, enforcers' answers, what people said, end.",
                sql(TIMELINE),
                height=12,
            ),
            trace_url,
        ),
        traced(
            rows(
                "On what evidence?",
                "The calls that counted, in the detector's words; no argument is kept. The trace shows the rest.",
                sql(EVIDENCE),
            ),
            trace_url,
        ),
        rows(
            "Did the stop hold?",
            "Each command, and what enforcers answered how long after it. No answer: nobody has stopped the run.",
            sql(STOPS),
            width=14,
            height=6,
            units={"seconds": "s"},
        ),
        rows("What did people say?", "Decisions and labels, with who and why.", sql(SAID), width=10, height=6),
    ):
        made.with_panel(panel)
    return built(made)
