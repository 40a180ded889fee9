"""Verdicts for the tests of news: the incident as the demo plays it, a drifting run, an end."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.observe.news.story import Links
from detector.records import Evidence, Share, Verdict

TRACE = "7f3a1c9e5b2d4860a1b2c3d4e5f60718"
AT = 1_777_125_787_000_000_000
LINKS = Links("https://grafana.example", "https://tempo.example/trace/{trace}", 86_400.0, "kill")


def incident(**changes: Any) -> Verdict:
    """A run that is paused by a rule."""
    searched = (
        "call 6, bash: searches files for credentials (went looking for credentials after being refused; "
        "that search turned up a secret; searched for credentials)"
    )
    used = (
        "call 12, http_request, in production: uses a credential that it carries (used the secret that it had "
        "found; used it in an environment that the run had not touched)"
    )
    steps = [
        ("call 5, http_request, in staging: a call was refused for lack of authority", "http_request"),
        (searched, "bash"),
        (used, "http_request"),
    ]
    found = Verdict(
        run="mend-staging-17",
        workflow="infra-agent",
        sequence=1777125001,
        level="PAUSE",
        previous="ALLOW",
        cause="rule:credential-chain",
        at=AT,
        span_id="00f067aa0ba902b7",
        score=0.61,
        threshold=0.58,
        evidence=[
            Evidence(text, f"00f067aa0ba902b{n}", TRACE, AT - (2 - n) * 1_700_000_000, tool)
            for n, (text, tool) in enumerate(steps)
        ],
        behaviours=[],
        model="2026.11",
        policy="0123456789ab",
        mode="enforce",
        service="platform/coder",
        traces=[TRACE],
        calls=12,
    )
    return msgspec.structs.replace(found, **changes)


def drift(**changes: Any) -> Verdict:
    """A run that is paused by the model."""
    shares = [
        Share("obstacles", 0.46, 3.1, "was refused again and again"),
        Share("scope", 0.31, 2.0, "went to an environment that it had not touched"),
        Share("retries", 0.15, 1.2, "tried the same call in a burst"),
        Share("novelty", 0.08, 0.4, "used a tool that is new to the workflow"),
    ]
    return incident(run="drift-3", cause="model", behaviours=shares, **changes)
