-- What dashboards ask. Made anew by every `detector store --init`: views hold no data.

drop view if exists
    detector.gate_value, detector.product_daily, detector.gates, detector.run_timeline, detector.run_list,
    detector.run_said;

-- What people said of each run, and of its parts.
create view detector.run_said as
with labels as (
    select
        coalesce(r.part_of, r.run) as run, l.at, l.kind,
        -- Answers to the detector have the number of what they answer, or a command that they caused.
        l.kind in ('approve', 'deny') and l.sequence = 0 and not exists (
            select from detector.commands c
            where c.run = coalesce(r.part_of, r.run) and c.at = l.at and c.cause = 'person:' || l.who
        ) as to_the_agent
    from detector.labels l join detector.runs r using (run)
)
select
    run,
    bool_or(kind = 'accept') as accepted,
    bool_or(kind = 'correct') as corrected,
    bool_or(kind = 'clarify') as clarified,
    bool_or(kind = 'reopen') as reopened,
    max(at) filter (where kind in ('complete', 'accept')) as completed_at,
    max(at) filter (where kind = 'reopen') as reopened_at,
    count(*) filter (where kind = 'approve' and to_the_agent) as agent_granted,
    count(*) filter (where kind = 'deny' and to_the_agent) as agent_denied,
    -- Where people disagree, the last word counts.
    (array_agg(kind order by at desc) filter (where kind in ('honest', 'destructive')))[1] as found
from labels group by run;

-- A run that ended by itself is a completed one, and so is an accepted one. One that was reopened is not, until it is
-- completed again.
create or replace function detector.is_completed(
    outcome text, ended timestamptz, completed_at timestamptz, reopened_at timestamptz
) returns boolean language sql immutable parallel safe as $$
    select coalesce(
        greatest(completed_at, case when outcome = 'finished' then ended end) > coalesce(reopened_at, '-infinity'),
        false
    )
$$;

-- One row a run, for lists. Parts of other runs, and ids that only labels speak of, are left out.
create view detector.run_list as
select
    r.run,
    coalesce(nullif(r.workflow, ''), 'unknown') as workflow,
    r.service,
    coalesce(r.started, r.first_at) as started,
    r.ended,
    coalesce(r.outcome, 'live') as outcome,
    coalesce(r.desired, 'running') as desired,
    coalesce(v.level, r.level, 'ALLOW') as level,       -- the newest verdict's
    coalesce(v.highest, r.level, 'ALLOW') as highest,
    v.cause,
    coalesce(r.peak, v.score) as score,
    r.calls, r.turns, r.tokens_in, r.tokens_out, r.asked, r.refused, r.root, r.model, r.policy,
    r.traces[array_upper(r.traces, 1)] as trace_id,
    extract(epoch from r.ended - r.started)::float as seconds,
    detector.is_completed(r.outcome, r.ended, s.completed_at, s.reopened_at) as completed,
    coalesce(s.accepted, false) as accepted,
    coalesce(s.corrected, false) as corrected,
    coalesce(s.clarified, false) as clarified,
    coalesce(s.reopened, false) as reopened,
    s.found                                              -- honest, destructive, null: nobody has said
from detector.runs r
-- `limit` keeps the planner from gathering what was said of all runs for a list of a few.
left join lateral (select * from detector.run_said where run_said.run = r.run limit 1) s on true
left join lateral (
    select
        (array_agg(level order by sequence desc))[1] as level,
        (array_agg(cause order by sequence desc))[1] as cause,
        (array_agg(level order by array_position(array['ALLOW', 'ALERT', 'PAUSE', 'KILL'], level) desc))[1] as highest,
        max(score) as score
    from detector.verdicts where verdicts.run = r.run
) v on true
where r.known and not r.withdrawn and r.part_of is null;

-- All that happened to a run, in order: kind is start, evidence, verdict, command, ack, label or end.
create view detector.run_timeline as
select
    coalesce(r.part_of, r.run) as run,
    r.run as part,                                       -- the name that it went by then
    h.at, h.n, h.kind, h.what, h.words, h.who, h.call, h.span_id, h.trace_id, h.score
from detector.runs r
cross join lateral (
    select coalesce(r.started, r.first_at) as at, 0 as n, 'start' as kind, 'started' as what, '' as words,
        null::text as who, null::integer as call, null::text as span_id, r.traces[1] as trace_id, null::real as score
    where r.known and not r.withdrawn
    union all
    -- A later verdict tells of earlier steps again: each call stands once, as the newest verdict tells it.
    select at, 1, 'evidence', tool, words, null, nullif(call, 0), span_id, trace_id, null
    from (
        select distinct on (span_id, call) * from detector.evidence e where e.run = r.run
        order by span_id, call, sequence desc
    ) told
    union all
    select at, 2, 'verdict', level, cause, null, calls, span_id, trace_id, score
    from detector.verdicts v where v.run = r.run
    union all
    select at, 3, 'command', desired, cause, null, null, null, null, null
    from detector.commands c where c.run = r.run
    union all
    select at, 4, 'ack', outcome, desired, enforcer, null, null, null, null from detector.acks a where a.run = r.run
    union all
    select at, 5, 'label', kind, why, who, null, null, null, null from detector.labels l where l.run = r.run
    union all
    select r.ended, 6, 'end', r.outcome, '', null, r.calls, null, r.traces[array_upper(r.traces, 1)], r.peak
    where r.ended is not null and not r.withdrawn
) h;
