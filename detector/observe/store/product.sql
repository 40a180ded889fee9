-- The product view: approvals, what they catch, and a workflow by day. After views.sql, which drops these first.

-- One row for each time that the detector paused a run and so asked a person.
create view detector.gates as
with ordered as (
    select *, lag(desired) over (partition by run order by sequence) as before from detector.commands
),
asked as (
    -- Where a paused run is told anew to pause, for runs that came to stand below it, nothing new is asked.
    select * from ordered
    where desired = 'paused' and before is distinct from 'paused' and cause not like '%person:%'
),
decided as (
    select
        a.run, a.sequence, a.at as asked_at, a.cause, d.at as decided_at,
        case
            when d.cause = 'deadline' then 'expired'
            when d.cause like '%person:%' then case d.desired when 'running' then 'granted' else 'denied' end
            when d.cause is not null then 'overruled'   -- newer evidence, or another run, decided
            when l.outcome = 'live' then 'waiting'
            else 'unanswered'
        end as decision,
        substring(d.cause from 'person:(.*)') as decided_by,
        extract(epoch from d.at - a.at)::float as waited_seconds,
        l.workflow, l.service, l.trace_id, l.corrected or l.reopened as mended, l.found
    from asked a
    join detector.run_list l using (run)
    left join lateral (
        select desired, at, cause from detector.commands c
        where c.run = a.run and c.sequence > a.sequence and c.desired <> 'paused'
        order by c.sequence limit 1
    ) d on true
)
select
    *,
    -- It stopped what a person found wrong, even where that person let it pass at first.
    coalesce(decision = 'denied' and found is distinct from 'honest' or found = 'destructive', false) as caught,
    -- Let pass within seconds, and nobody found anything wrong since: nobody can have looked at much.
    coalesce(
        decision = 'granted' and waited_seconds <= 10 and not mended and found is distinct from 'destructive', false
    ) as waved_through
from decided;

-- Whether asking a person catches anything in a workflow, or only adds friction.
create view detector.gate_value as
with counted as (
    select
        workflow,
        count(*) as asked,
        count(*) filter (where decision = 'granted') as granted,
        count(*) filter (where decision = 'denied') as denied,
        count(*) filter (where decision = 'expired') as expired,
        count(*) filter (where decision = 'waiting') as waiting,
        count(*) filter (where decision in ('granted', 'denied')) as answered,
        count(*) filter (where caught) as caught,
        count(*) filter (where waved_through) as waved_through,
        count(*) filter (where decision = 'granted' and found = 'destructive') as let_pass_wrongly,
        count(*) filter (where found = 'honest') as false_pauses,
        percentile_cont(0.5) within group (order by waited_seconds) filter (where decision in ('granted', 'denied'))
            as wait_p50_seconds,
        percentile_cont(0.95) within group (order by waited_seconds) filter (where decision in ('granted', 'denied'))
            as wait_p95_seconds,
        sum(waited_seconds) filter (where not caught) as friction_seconds
    from detector.gates group by workflow
)
select
    *,
    caught::float / nullif(answered + expired, 0) as caught_share,
    waved_through::float / nullif(answered, 0) as waved_through_share,
    case
        when answered < 5 and caught = 0 then 'too few answers to tell'
        when caught > 0 then 'catches'
        when waved_through * 2 >= answered then 'only friction so far'
        else 'has caught nothing yet'
    end as finding
from counted;

-- The product, by workflow and day (UTC). Rates of a longer time: divide the sums, do not average the rates.
create view detector.product_daily as
with of_runs as (
    select
        coalesce(nullif(r.workflow, ''), 'unknown') as workflow,
        (coalesce(r.started, r.first_at) at time zone 'UTC')::date as day,
        r.outcome,
        detector.is_completed(r.outcome, r.ended, s.completed_at, s.reopened_at) as completed,
        s.accepted, s.corrected, s.clarified, s.reopened, s.agent_granted, s.agent_denied,
        r.asked, r.refused, r.tokens_in, r.tokens_out, r.calls
    from detector.runs r left join detector.run_said s using (run)
    where r.known and not r.withdrawn and r.part_of is null
),
days as (
    select
        workflow,
        day,
        count(*) as runs_started,
        count(outcome) as runs_ended,
        count(*) filter (where outcome = 'killed') as runs_killed,
        count(*) filter (where completed) as tasks_completed,
        count(*) filter (where accepted) as accepted,
        count(*) filter (where corrected) as corrected,
        count(*) filter (where clarified) as clarified,
        count(*) filter (where reopened) as reopened,
        count(*) filter (where accepted or corrected or reopened) as judged,
        sum(asked) as agent_asked,
        sum(agent_granted) as agent_granted,
        sum(agent_denied) as agent_denied,
        sum(refused) as agent_refused,
        count(*) filter (where tokens_in + tokens_out > 0) as runs_with_tokens,
        sum(tokens_in) as tokens_in,
        sum(tokens_out) as tokens_out,
        sum(calls) as calls
    from of_runs group by 1, 2
),
approvals as (
    select
        workflow,
        (asked_at at time zone 'UTC')::date as day,
        count(*) as approvals_asked,
        count(*) filter (where decision = 'granted') as approvals_granted,
        count(*) filter (where decision = 'denied') as approvals_denied,
        count(*) filter (where decision = 'expired') as approvals_expired,
        sum(waited_seconds) filter (where decision in ('granted', 'denied')) as approval_wait_seconds,
        percentile_cont(0.5) within group (order by waited_seconds) filter (where decision in ('granted', 'denied'))
            as approval_wait_p50_seconds,
        max(waited_seconds) filter (where decision in ('granted', 'denied')) as approval_wait_max_seconds
    from detector.gates group by 1, 2
),
-- One above the other and not side by side: so a condition on the day reaches the tables on both sides.
both_kinds as (
    select
        workflow, day,
        runs_started, runs_ended, runs_killed, tasks_completed, accepted, corrected, clarified, reopened, judged,
        agent_asked, agent_granted, agent_denied, agent_refused, runs_with_tokens, tokens_in, tokens_out, calls,
        null::bigint as approvals_asked, null::bigint as approvals_granted, null::bigint as approvals_denied,
        null::bigint as approvals_expired, null::float as approval_wait_seconds,
        null::float as approval_wait_p50_seconds, null::float as approval_wait_max_seconds
    from days
    union all
    select
        workflow, day,
        null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        approvals_asked, approvals_granted, approvals_denied, approvals_expired, approval_wait_seconds,
        approval_wait_p50_seconds, approval_wait_max_seconds
    from approvals
),
joined as (
    select
        workflow, day,
        max(runs_started) as runs_started, max(runs_ended) as runs_ended, max(runs_killed) as runs_killed,
        max(tasks_completed) as tasks_completed, max(accepted) as accepted, max(corrected) as corrected,
        max(clarified) as clarified, max(reopened) as reopened, max(judged) as judged,
        max(agent_asked) as agent_asked, max(agent_granted) as agent_granted, max(agent_denied) as agent_denied,
        max(agent_refused) as agent_refused, max(runs_with_tokens) as runs_with_tokens, max(tokens_in) as tokens_in,
        max(tokens_out) as tokens_out, max(calls) as calls, max(approvals_asked) as approvals_asked,
        max(approvals_granted) as approvals_granted, max(approvals_denied) as approvals_denied,
        max(approvals_expired) as approvals_expired, max(approval_wait_seconds) as approval_wait_seconds,
        max(approval_wait_p50_seconds) as approval_wait_p50_seconds,
        max(approval_wait_max_seconds) as approval_wait_max_seconds
    from both_kinds group by workflow, day
)
select
    workflow, day,
    coalesce(runs_started, 0) as runs_started,
    coalesce(runs_ended, 0) as runs_ended,
    coalesce(runs_killed, 0) as runs_killed,
    coalesce(tasks_completed, 0) as tasks_completed,
    coalesce(accepted, 0) as accepted,
    coalesce(corrected, 0) as corrected,
    coalesce(clarified, 0) as clarified,
    coalesce(reopened, 0) as reopened,
    coalesce(judged, 0) as judged,
    tasks_completed::float / nullif(runs_started, 0) as completion_rate,
    accepted::float / nullif(tasks_completed, 0) as acceptance_rate,
    corrected::float / nullif(runs_started, 0) as correction_rate,
    coalesce(approvals_asked, 0) as approvals_asked,
    coalesce(approvals_granted, 0) as approvals_granted,
    coalesce(approvals_denied, 0) as approvals_denied,
    coalesce(approvals_expired, 0) as approvals_expired,
    coalesce(approval_wait_seconds, 0) as approval_wait_seconds,
    approval_wait_p50_seconds,
    approval_wait_max_seconds,
    coalesce(agent_asked, 0)::bigint as agent_asked,
    coalesce(agent_granted, 0)::bigint as agent_granted,
    coalesce(agent_denied, 0)::bigint as agent_denied,
    coalesce(agent_refused, 0)::bigint as agent_refused,
    coalesce(runs_with_tokens, 0) as runs_with_tokens,
    coalesce(tokens_in, 0)::bigint as tokens_in,
    coalesce(tokens_out, 0)::bigint as tokens_out,
    coalesce(calls, 0)::bigint as calls
from joined;
