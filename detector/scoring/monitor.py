"""Whether honest runs are still paused no more often than promised, by a test that may be looked at at any time.

A threshold's bound holds for runs such as it was calibrated on. Afterwards fleets change. Each honest run is an
observation: paused by the model alone (or spared by the shadow share or the brake), or not. Under the promise each is
paused with chance `budget` at most, given all before it. Against that bets a martingale: it begins at 1, can't be
expected to grow under the promise, and reaches 1 / alpha with chance alpha at most, however often one looks
(Ville's inequality). It is the mixture over the rates above the budget, by their likelihood ratios against it; of a
mixture only the counts matter. But it holds only where what is counted does not depend on what it shows: runs are
taken in the order of their start, and those of which a pause would be known before its absence is are left until both
would be (control.false_pauses). The interval is what the same bet, two-sided, can't exclude.

Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41
(1970), for the mixture; Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86
(2024), for the bet and the confidence sequence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from detector.scoring.calibration import PAUSE_RATE

ALPHA = 0.05
SPREAD = 4.0
"""Mean of the bet's prior rates, in budgets: rates of a few times the budget are what it is best at."""

LEAST = 1e-280
"""A share below which its logarithm is a bound, not the value: numbers end soon after."""


@dataclass(frozen=True)
class Monitor:
    """Honest runs of one workflow under one model, and what they say of its false pauses."""

    workflow: str
    model: str
    runs: int
    """Honest, as far as anyone knows, `paused` among them."""
    paused: int
    """Of them paused by the model, or spared (shadow share, brake), and said to be honest by a person."""
    pending: int = 0
    """Paused or spared by the model, and nobody has said what they were: not among `runs`."""
    young: int = 0
    """Started too lately to be counted: not among `runs` either."""
    budget: float = PAUSE_RATE

    @property
    def rate(self) -> float:
        """Of honest runs that the model paused; 0 where there are none."""
        return self.paused / self.runs if self.runs else 0.0

    @property
    def evidence(self) -> float:
        """Natural logarithm of the bet's wealth against the budget."""
        return log_evidence(self.paused, self.runs, self.budget)

    @property
    def alarm(self) -> bool:
        """Whether the budget is passed for sure: a false alarm, ever, has a chance of ALPHA at most."""
        return self.evidence >= -math.log(ALPHA)

    @property
    def interval(self) -> tuple[float, float]:
        """The always-valid 95 % interval of the rate."""
        return interval(self.paused, self.runs, self.budget)


def log_evidence(paused: int, runs: int, budget: float) -> float:
    """Log of the mixture martingale against a rate of `budget` at most, after `paused` of `runs`; 0 before any.

    The prior is Beta(1, 1 / (SPREAD budget) - 1), cut to the rates above the budget.
    """
    a, b = _prior(budget)
    missed = runs - paused
    return _mixture(paused, missed, budget) + _log_above(a + paused, b + missed, budget) - _log_above(a, b, budget)


def interval(paused: int, runs: int, budget: float, alpha: float = ALPHA) -> tuple[float, float]:
    """The rates that the two-sided bet can't exclude at `alpha`: a confidence sequence, of (0, 1) before any run.

    Its prior is the same, uncut: narrowest at rates of about the budget.
    """
    from scipy.optimize import brentq

    if not runs:
        return 0.0, 1.0
    limit, missed = -math.log(alpha), runs - paused

    def above(rate: float) -> float:
        return _mixture(paused, missed, rate, of=budget) - limit

    seen, edge = paused / runs, 1e-12
    low = float(brentq(above, edge, seen)) if paused and above(edge) > 0.0 else 0.0
    high = float(brentq(above, max(seen, edge), 1.0 - edge)) if missed and above(1.0 - edge) > 0.0 else 1.0
    return low, high


def _prior(budget: float) -> tuple[float, float]:
    return 1.0, max(1.0, 1.0 / (SPREAD * budget) - 1.0)


def _log_above(a: float, b: float, rate: float) -> float:
    """Log of the share of Beta(a, b) above `rate`.

    Where that is too small for a number, the first term of its series, whose terms are all positive (NIST DLMF
    8.17.8): less than the share. A bet that is counted as less than it is worth raises no more false alarms.
    """
    from scipy.special import betaincc, betaln

    share = float(betaincc(a, b, rate))
    if share > LEAST:
        return math.log(share)
    return float(a * math.log(rate) + b * math.log1p(-rate) - math.log(b) - betaln(a, b))


def _mixture(paused: int, missed: int, rate: float, of: float | None = None) -> float:
    """Log likelihood ratio of the mixture over Beta rates, whose prior is that of the budget `of`, against `rate`."""
    from scipy.special import betaln, xlog1py, xlogy

    a, b = _prior(rate if of is None else of)
    return float(betaln(a + paused, b + missed) - betaln(a, b) - xlogy(paused, rate) - xlog1py(missed, -rate))
