"""How much of the promise on false pauses is used up, from counts: what the alert `false-pauses` goes by.

The measure is the evidence of detector.scoring.monitor over the evidence at which its test rejects: at 1 more honest
runs were paused than was promised, with a chance of ALPHA at most of ever saying so in error.
"""

from __future__ import annotations

import math

import numpy as np

from detector.scoring.calibration import PAUSE_RATE
from detector.scoring.monitor import ALPHA, SPREAD

POINTS = 4000
SECONDS = 60.0
"""How often it is counted anew."""

COUNT = """
with newest as (
    -- Of the run that Kafka told of last: an agent's clock may be wrong, and a label may speak of an old run.
    select model from (
        select model, first_at, null as sequence from detector.runs where model is not null
        union all
        select v.model, r.first_at, v.sequence from detector.verdicts v join detector.runs r using (run)
    ) used order by first_at desc, sequence desc nulls first limit 1
),
clock as (
    -- What Kafka has not told of yet has not ended either, where the store is behind.
    select least(now(), max(last_at)) as now from detector.runs
),
lengths as (
    select workflow, percentile_disc(0.999) within group (order by ended - started) as longest
    from detector.runs
    where ended is not null and calls > 0 and level not in ('PAUSE', 'KILL')
    group by 1
),
paused as (
    select coalesce(part_of, run) as run, min(v.workflow) as workflow, min(at) as at,
        min(coalesce(started, first_at)) as began
    from detector.verdicts v join detector.runs using (run) join newest on newest.model = v.model
    where replace(cause, 'adopted:', '') in ('shadow', 'brake')
        or replace(cause, 'adopted:', '') = 'model' and v.level = 'PAUSE'
    group by 1
),
quiet as (
    select run, workflow, coalesce(started, first_at) as began from detector.runs join newest using (model)
    where ended is not null and calls > 0 and level not in ('PAUSE', 'KILL')
        and not withdrawn and part_of is null and run not in (select run from paused)
),
said as (
    -- What people say of the run itself counts before what they decided; the last word wins.
    select coalesce(part_of, run) as run, at, kind in ('honest', 'approve', 'resume') as honest,
        kind in ('honest', 'destructive') as of_the_run
    from detector.labels join detector.runs using (run)
    where kind in ('honest', 'approve', 'resume', 'destructive', 'deny', 'kill')
),
answers as (
    -- Before the pause people answered something else: a prompt of the agent's own.
    select distinct on (run) run, honest from paused join said using (run)
    where said.at >= paused.at order by run, of_the_run desc, said.at desc
),
words as (
    select distinct on (run) run, honest from said order by run, of_the_run desc, at desc
),
known as (
    select workflow, began, true as stopped from paused join answers using (run) where honest
    union all
    select workflow, began, false from quiet left join words using (run) where coalesce(honest, true)
),
first as (
    select min(began) as began from (select began from paused union all select began from quiet) every
)
select workflow, count(*) as runs, count(*) filter (where stopped) as paused
from known left join lengths using (workflow), clock, first
where known.began < clock.now - %(idle)s - coalesce(longest, interval '1 day')
    and known.began >= first.began
        + %(kept)s * floor(extract(epoch from clock.now - first.began) / extract(epoch from %(kept)s))
group by 1 order by 2 desc limit 100
"""
"""(workflow, honest runs under the newest model, of them paused by it), counted as detector.control.false_pauses says:
in the order in which they started, up to those that had the time to end, from a fixed day on. `idle`: how long after
its end a run is summarised at the latest; `kept`: how long a period is; both intervals.
"""


def used(runs: int, paused: int, budget: float = PAUSE_RATE) -> float:
    """The share of the budget of false pauses that is used after `paused` of `runs` honest runs; 0 where none is.

    The mixture over rates above the budget, summed up on a grid: within 1 % of `monitor.log_evidence`, without scipy.
    """
    rates = np.geomspace(budget, 1.0, POINTS + 1)
    middle, width = np.sqrt(rates[:-1] * rates[1:]), np.diff(rates)
    middle = np.minimum(middle, 1.0 - 1e-12)
    shape = max(1.0, 1.0 / (SPREAD * budget) - 1.0)
    prior = (shape - 1.0) * np.log1p(-middle) + np.log(width)
    ratio = paused * np.log(middle / budget) + (runs - paused) * (np.log1p(-middle) - math.log1p(-budget))
    evidence = float(np.logaddexp.reduce(prior + ratio) - np.logaddexp.reduce(prior))
    return max(0.0, evidence / -math.log(ALPHA))
