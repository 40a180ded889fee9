"""Detector health: does it see, does it keep up, is it obeyed?"""

from __future__ import annotations

from typing import Any

from detector.observe.grafana.content import Json
from detector.observe.grafana.panels import COLOURS, board, built, figure, gauges, lines, prom

RATE = "[$__rate_interval]"


def _quantile(q: float, metric: str) -> str:
    return f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{RATE})))"


def health() -> Json:
    """The dashboard."""
    made = board("health", "Detector health", "Does the detector see, keep up, and is it obeyed?", "now-1h")
    for panel in (*_now(), *_flow(), *_stops(), *_sight()):
        made.with_panel(panel)
    return built(made)


def _now() -> tuple[Any, ...]:
    return (
        figure(
            "How many workers are up?",
            "Workers that Prometheus reaches. None: nothing is judged; nothing is lost while Kafka keeps otlp_spans.",
            "short",
            prom("sum(detector_up) or vector(0)"),
        ),
        figure(
            "How many of them judge?",
            "Workers whose partitions are assigned and recovered, and whom Kafka answers. /readyz of others says why.",
            "short",
            prom("sum(detector_ready)"),
        ),
        figure(
            "How many enforcers are ready?",
            "Enforcers that have read the standing commands and whom Kafka answers.",
            "short",
            prom("sum(detector_enforcer_ready)"),
        ),
        figure(
            "How late is judging?",
            "Age of the newest record read of the partition that is furthest behind. Beyond 30 s pauses come too late.",
            "s",
            prom("max(detector_lag_seconds)"),
            warn=(5, 30),
        ),
        figure(
            "Who does not obey?",
            "Runs that must not be running, and no enforcer says that they aren't.",
            "short",
            prom("sum(detector_unacknowledged_commands)"),
            warn=(1, 5),
        ),
        figure(
            "Did a stopped run act?",
            "Leaks: runs that acted after an enforcer had said that they were stopped, since the workers started.",
            "short",
            prom("sum(detector_leaks_total) or vector(0)"),
            warn=(1, 1),
        ),
    )


def _flow() -> tuple[Any, ...]:
    return (
        lines(
            "How much comes in?",
            "Spans and records read, a second, by all workers.",
            "ops",
            prom(f"sum(rate(detector_spans_total{RATE}))", "spans"),
            prom(f"sum by (topic) (rate(detector_records_total{RATE}))", "records of {{topic}}"),
        ),
        lines(
            "Does it keep up?",
            "Records written and not yet read, by topic. It may rise in a burst and must fall again.",
            "short",
            prom("sum by (topic) (detector_lag_records)", "{{topic}}"),
        ),
        lines(
            "How long from a call to its verdict?",
            "From the end of the deciding span to the verdict: what exporters wait before they send is in it.",
            "s",
            prom(_quantile(0.5, "detector_span_end_to_verdict_seconds"), "median", exemplars=True),
            prom(_quantile(0.99, "detector_span_end_to_verdict_seconds"), "99 %", exemplars=True),
            width=8,
        ),
        lines(
            "How long from arrival to command?",
            "From a request's arrival in Kafka to the command: the detector's own share.",
            "s",
            prom(_quantile(0.5, "detector_arrival_to_command_seconds"), "median", exemplars=True),
            prom(_quantile(0.99, "detector_arrival_to_command_seconds"), "99 %", exemplars=True),
            width=8,
        ),
        lines(
            "How long from command to a run that stands?",
            "From the command to an enforcer's word that the run is stopped.",
            "s",
            prom(_quantile(0.5, "detector_contain_seconds"), "median", exemplars=True),
            prom(_quantile(0.99, "detector_contain_seconds"), "99 %", exemplars=True),
            width=8,
        ),
    )


def _stops() -> tuple[Any, ...]:
    return (
        lines(
            "What is decided?",
            "Changes of verdict a second, by level.",
            "ops",
            prom(f"sum by (level) (rate(detector_verdicts_total{RATE}))", "{{level}}"),
            width=6,
            stacked=True,
            colours=COLOURS,
        ),
        lines(
            "What do enforcers answer?",
            "Answers a second. `not mine` is usual where each host has an enforcer; `failed` never is.",
            "ops",
            prom(f"sum by (outcome) (rate(detector_acks_total{RATE}))", "{{outcome}}"),
            width=6,
            stacked=True,
        ),
        lines(
            "For how long is a command unanswered?",
            "The one that waits longest. Beyond 30 s stop the run by hand and look for its enforcer.",
            "s",
            prom("max(detector_unacknowledged_seconds)", "longest"),
            width=6,
        ),
        lines(
            "Is a brake pulled?",
            "1: the model has stopped so many runs of a partition that it only alerts on more. And how many of its "
            "pauses became alerts by that, in ten minutes. Rules and people stop runs all the same.",
            "short",
            prom("max(detector_brake_pulled)", "pulled"),
            prom("sum(increase(detector_braked_total[10m])) or vector(0)", "pauses that became alerts"),
            width=6,
        ),
    )


def _sight() -> tuple[Any, ...]:
    blind = f'sum by (service) (rate(detector_blind_total{{kind=~"arguments|unreadable"}}{RATE}))'
    calls = f"sum by (service) (rate(detector_calls_total{RATE}))"
    return (
        lines(
            "Where is it blind?",
            "Share of the calls of a service that come without arguments, or with some that can't be read. Such runs "
            "are judged by names and outcomes alone.",
            "percentunit",
            prom(f"{blind} / {calls}", "{{service}}"),
        ),
        gauges(
            "What could not be seen?",
            "Calls, and for `words` model turns, since the workers started, by what they lacked.",
            "short",
            prom("sum by (kind) (detector_blind_total)", "{{kind}}", now=True),
        ),
        lines(
            "What is set aside?",
            "Input that could not be read, a second, by reason; otlp_spans-rejected says where each record stands.",
            "ops",
            prom(f"sum by (reason) (rate(detector_rejects_total{RATE}))", "{{reason}}"),
            width=8,
            stacked=True,
        ),
        lines(
            "What is used in spite of a fault?",
            "Notes a second, by reason, and events that had come before.",
            "ops",
            prom(f"sum by (reason) (rate(detector_notes_total{RATE}))", "{{reason}}"),
            prom(f"sum(rate(detector_duplicates_total{RATE}))", "duplicates"),
            width=8,
        ),
        lines(
            "How much does it hold?",
            "Runs and aliases in the workers' state, and runs finished early because there were too many.",
            "short",
            prom("sum(detector_live_runs)", "held"),
            prom("sum(detector_evictions_total)", "evicted since the start"),
            width=8,
        ),
    )
