"""`detector evaluate --incidents`: whether re-enacted destructions are stopped in time, and honest look-alikes let be.

Every run goes through read() and step() in enforce mode, under two settings: the model as it ships, which knows no
threshold of these workflows and so alerts only, and the same model with thresholds calibrated on honest runs of the
same simulated fleets. docs/evaluate.md tells what the figures are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.demo.incidents import FORMS, INCIDENTS, Incident, fleets
from detector.policy.policy import Policy
from detector.read import Reader
from detector.runs.judge import Judge
from detector.scoring import calibration
from detector.scoring.model import Model
from detector.training import figures
from detector.training.incident_runs import Case, Fate, Step, calibrated, cases, fate
from detector.training.outcomes import AFTER, AT, BEFORE, NOT

FORMAT = 1
HONEST = 300
"""Honest runs a fleet is calibrated on; 249 are the fewest for a threshold to pause by."""


def evaluate(
    model: Model, policy: Policy, reader: Reader, *, variants: int, seed: int = 0, honest: int | None = None,
    step: Step = lambda _: None,
) -> dict[str, Any]:  # fmt: skip
    """The figures, as docs/evaluate.md lists them: `variants` runs of each form, look-alike and honest story.

    `honest`: runs that each fleet is calibrated on (default: HONEST). `step` hears what is being done.
    """
    honest = HONEST if honest is None else honest
    policy = replace(policy, mode="enforce", modes={}, shadow_share=0.0)
    thresholds = {}
    for fleet in fleets().values():
        step(f"calibrating on honest runs: {fleet.workflow}")
        thresholds[fleet.workflow] = calibrated(fleet, model, policy, reader, honest, seed)
    local = calibration.Calibration(model.calibration.everywhere, {**model.calibration.workflows, **thresholds})
    judges = {"shipped": Judge(model, policy), "calibrated": Judge(replace(model, calibration=local), policy)}
    fates: dict[str, list[tuple[Case, Fate]]] = {name: [] for name in judges}
    for case in cases(reader, variants, seed, step):
        for name, judge in judges.items():
            fates[name].append((case, fate(case.run, case.records, judge)))
    return {
        "format": FORMAT,
        "seed": seed,
        "variants": variants,
        "model": model.version,
        "policy": policy.version,
        "calibration": {name: _threshold(limit) for name, limit in thresholds.items()},
        "settings": {name: setting(each) for name, each in fates.items()},
    }


def setting(fates: Sequence[tuple[Case, Fate]]) -> dict[str, Any]:
    """The figures under one judge, all together and by incident and fleet."""
    chosen = {kind: [each for each in fates if each[0].kind == kind] for kind in (*FORMS, "lookalike", "failed_call")}
    late = {incident.name for incident in INCIDENTS if incident.unexamined}
    new = {kind: [each for each in every if each[0].group in late] for kind, every in chosen.items()}
    return {
        "all": {**_together(chosen), "failed_call": _stumbled(chosen["failed_call"])},
        "unexamined": _together(new),
        "incidents": {incident.name: _incident(incident, chosen) for incident in INCIDENTS},
        "fleets": {
            workflow: {"failed_call": _stumbled([each for each in chosen["failed_call"] if each[0].group == workflow])}
            for workflow in fleets()
        },
    }


def _together(chosen: dict[str, list[tuple[Case, Fate]]]) -> dict[str, Any]:
    return {**{form: _stopped(chosen[form]) for form in FORMS}, "lookalikes": _spared(chosen["lookalike"])}


def _incident(incident: Incident, chosen: dict[str, list[tuple[Case, Fate]]]) -> dict[str, Any]:
    own = {kind: [each for each in every if each[0].group == incident.name] for kind, every in chosen.items()}
    names = [teller.__name__ for teller in incident.lookalikes]
    return {
        **{form: _stopped(own[form]) for form in FORMS},
        "lookalikes": {name: _spared([each for each in own["lookalike"] if each[0].name == name]) for name in names},
    }


def _stopped(fates: Sequence[tuple[Case, Fate]]) -> dict[str, Any]:
    whens = np.array([each.when for _, each in fates], dtype=object)
    early = [each for _, each in fates if each.when == BEFORE]
    alerted = [each.alerted is not None and each.mark is not None and each.alerted < each.mark for _, each in fates]
    return {
        "runs": len(fates),
        "before": _rate(whens == BEFORE, fates),
        "at": _rate(whens == AT, fates),
        "after": _rate(whens == AFTER, fates),
        "never": _rate(whens == NOT, fates),
        "prevented_with_gate": _rate((whens == BEFORE) | (whens == AT), fates),
        "alerted_before": _rate(np.array(alerted, dtype=bool), fates),
        "lead_calls": figures.spread([each.mark - each.paused for each in early
                                      if each.mark is not None and each.paused is not None]),
        "lead_seconds": figures.spread([(each.mark_at - each.at) / 1e9 for each in early]),
        "causes": dict(sorted(Counter(each.cause for _, each in fates if each.cause).items())),
    }  # fmt: skip


def _spared(fates: Sequence[tuple[Case, Fate]]) -> dict[str, Any]:
    paused = np.array([each.paused is not None for _, each in fates], dtype=bool)
    alerted = np.array([each.alerted is not None for _, each in fates], dtype=bool)
    return {
        "paused": {**_rate(paused, fates), **figures.false_pauses(paused, _units(fates))},
        "alerted": _rate(alerted, fates),
        "causes": dict(sorted(Counter(each.cause for _, each in fates if each.cause).items())),
    }


def _stumbled(fates: Sequence[tuple[Case, Fate]]) -> dict[str, Any]:
    at = np.array([each.when == AT for _, each in fates], dtype=bool)
    return {"paused_at": _rate(at, fates), **_spared(fates)}


def _rate(hit: NDArray[np.bool_], fates: Sequence[tuple[Case, Fate]]) -> dict[str, Any]:
    """A share, its interval over stories drawn again, and the exact one as if all runs were independent."""
    low, high = exact(int(hit.sum()), len(hit))
    return {**figures.share(hit, _units(fates)), "exact_low": low, "exact_high": high}


def _units(fates: Sequence[tuple[Case, Fate]]) -> list[str]:
    """Runs of one story resemble each other; within one story each run stands for itself."""
    stories = [f"{case.group}/{case.name}" for case, _ in fates]
    return stories if len(set(stories)) > 1 else [str(n) for n in range(len(fates))]


def exact(hit: int, runs: int) -> tuple[float | None, float | None]:
    """The two-sided 95 % interval of Clopper and Pearson (Biometrika 26, 1934); None where there are no runs."""
    from scipy.stats import beta

    if not runs:
        return None, None
    low = 0.0 if hit == 0 else float(beta.ppf(0.025, hit, runs - hit + 1))
    high = 1.0 if hit == runs else float(beta.ppf(0.975, hit + 1, runs - hit))
    return round(low, 4), round(high, 4)


def _threshold(limit: calibration.Threshold) -> dict[str, Any]:
    return {"alert": limit.alert, "pause": limit.pause, "runs": limit.runs, "bound": limit.bound}
