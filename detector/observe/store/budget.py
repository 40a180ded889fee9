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
said as (
    -- What people say of the run itself counts before what they decided; the last word wins.
    select distinct on (run) run, kind in ('honest', 'approve', 'resume') as honest
    from detector.labels where kind in ('honest', 'approve', 'resume', 'destructive', 'deny', 'kill')
    order by run, kind in ('honest', 'destructive') desc, at desc
),
paused as (
    select distinct run, workflow from detector.verdicts join newest using (model)
    where (cause in ('shadow', 'brake') or cause = 'model' and level = 'PAUSE') and at > now() - interval '90 days'
),
quiet as (
    select run, workflow from detector.runs join newest using (model)
    where ended > now() - interval '90 days' and calls > 0 and level not in ('PAUSE', 'KILL')
        and not withdrawn and part_of is null and run not in (select run from paused)
)
select workflow, count(*) as runs, count(*) filter (where stopped) as paused
from (
    select workflow, true as stopped from paused join said using (run) where honest
    union all
    select workflow, false from quiet left join said using (run) where coalesce(honest, true)
) honest group by 1 order by 2 desc limit 100
"""
"""(workflow, honest runs under the newest model, of them paused by it): as detector.control.false_pauses counts."""


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
