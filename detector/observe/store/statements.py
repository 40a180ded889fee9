"""The statements that write rows, by the table that they write, and the order in which those of a batch run."""

from __future__ import annotations

RUN, DESIRED, PART, SUMMARY = "run", "desired", "part", "summary"
VERDICT, EVIDENCE, SHARE, COMMAND, ACK, LABEL = "verdict", "evidence", "share", "command", "ack", "label"


def _insert(table: str, *columns: str) -> str:
    """Inserts a row whose key tells that it is the same one; what stands is left as it is."""
    values = ", ".join(["%s"] * len(columns))
    return f"insert into detector.{table} ({', '.join(columns)}) values ({values}) on conflict do nothing"  # noqa: S608


STATEMENTS = {
    RUN: """
        insert into detector.runs as r (run, workflow, service, first_at, last_at, known, traces)
        values (%s, %s, %s, %s, %s, %s, %s)
        on conflict (run) do update set
            workflow = case when excluded.workflow <> '' and (r.workflow = '' or excluded.last_at >= r.last_at)
                then excluded.workflow else r.workflow end,
            service = case when r.service = '' then excluded.service else r.service end,
            traces = case when excluded.traces <> '{}' and (r.traces = '{}' or excluded.last_at >= r.last_at)
                then excluded.traces else r.traces end,
            first_at = least(r.first_at, excluded.first_at),
            last_at = greatest(r.last_at, excluded.last_at),
            known = r.known or excluded.known""",
    DESIRED: """
        with new (run, desired, sequence, root) as (values (%s::text, %s::text, %s::bigint, %s::text))
        update detector.runs r set
            desired = new.desired, desired_sequence = new.sequence, root = coalesce(nullif(new.root, ''), r.root)
        from new where r.run = new.run and new.sequence > r.desired_sequence""",
    PART: """
        insert into detector.runs as r (run, first_at, last_at, part_of) values (%s, %s, %s, %s)
        on conflict (run) do update set part_of = excluded.part_of""",
    SUMMARY: """
        with new as (
            select %s::text as run, %s::boolean as withdrawn, %s::timestamptz as started, %s::timestamptz as ended,
                %s::text as outcome, %s::text as level, %s::integer as calls, %s::integer as turns, %s::real as peak,
                %s::integer as peak_call, %s::bigint as tokens_in, %s::bigint as tokens_out, %s::integer as asked,
                %s::integer as refused, %s::jsonb as blind, %s::text as model, %s::text as policy
        )
        update detector.runs r set
            withdrawn = new.withdrawn, started = new.started, ended = new.ended, outcome = new.outcome,
            level = new.level, calls = new.calls, turns = new.turns, peak = new.peak, peak_call = new.peak_call,
            tokens_in = new.tokens_in, tokens_out = new.tokens_out, asked = new.asked, refused = new.refused,
            blind = new.blind, model = new.model, policy = new.policy
        from new where r.run = new.run""",
    VERDICT: _insert(
        "verdicts",
        *("run", "sequence", "at", "level", "previous", "cause", "score", "threshold", "calls", "span_id", "trace_id"),
        *("workflow", "service", "mode", "model", "policy"),
    ),
    EVIDENCE: _insert("evidence", "run", "sequence", "n", "at", "call", "tool", "words", "span_id", "trace_id"),
    SHARE: _insert("shares", "run", "sequence", "behaviour", "share", "value", "words"),
    COMMAND: _insert("commands", "run", "sequence", "at", "desired", "cause", "deadline", "workflow", "service"),
    ACK: _insert("acks", "run", "sequence", "enforcer", "at", "outcome", "desired", "detail"),
    LABEL: _insert("labels", "run", "at", "kind", "who", "why", "sequence"),
}
ORDER = tuple(STATEMENTS)
"""A run's row before what refers to it, a verdict before its evidence."""

POSITION = """
    insert into detector.offsets (topic, partition, next) values (%s, %s, 0)
    on conflict (topic, partition) do update set next = offsets.next returning next"""
"""Up to where a partition is in the tables. The row stays locked until the transaction ends."""
ADVANCE = "update detector.offsets set next = %s where topic = %s and partition = %s"
FORGET = """
    delete from detector.runs where run in (
        select run from detector.runs where last_at < now() - make_interval(days => %s) limit 1000
    )"""
