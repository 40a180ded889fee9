"""Named points at which a process can be made to die or to freeze: what tests of crashes aim at.

For testers only. Nothing is armed unless the environment says so, for one process:

    DETECTOR_FAILPOINT=watch.effects-confirmed:3 detector worker

kills this worker, by SIGKILL, when it comes to that point for the third time. A further word
`freeze` (`watch.effects-confirmed:3:freeze`) stops it by SIGSTOP instead, until SIGCONT. An
unknown point refuses to start. Where nothing is armed, passing a point is one comparison.
"""

from __future__ import annotations

import logging
import os
import signal

from detector.errors import ConfigError

log = logging.getLogger(__name__)

VARIABLE = "DETECTOR_FAILPOINT"

POINTS = {
    "ingest.taken": "a request was read from Kafka, nothing done yet",
    "ingest.log-sent": "its run-log records were handed to the producer",
    "ingest.log-confirmed": "they are confirmed, its offset is not released",
    "ingest.acked": "its offset may commit",
    "watch.taken": "a run-log record was read, nothing done yet",
    "watch.stepped": "the run was stepped, nothing sent",
    "watch.effects-sent": "verdicts and commands were handed to the producer",
    "watch.effects-confirmed": "they are confirmed, the state is not written",
    "watch.stored-locally": "the state is in the local store, not in the changelog",
    "watch.changelog-sent": "the changelog's record was handed to the producer",
    "watch.changelog-confirmed": "it is confirmed, the offset is not released",
    "watch.acked": "the offset may commit",
    "commit.before": "offsets are due to commit",
    "commit.after": "offsets were committed",
    "recovery.within": "a record of the changelog was read back",
    "recovery.done": "the table is recovered, streams have not resumed",
    "rebalance.revoked": "partitions were taken away, none given yet",
    "tick.due": "runs that are due were looked for, no tick sent",
    "enforce.command-read": "a command was read, nothing done yet",
    "enforce.applied": "it was carried out, no ack sent",
    "enforce.ack-sent": "its ack was handed to the producer, not confirmed",
    "webhook.posted": "the receiver answered, nothing noted yet",
}
"""What was done last at each point, and what was not."""

SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class _Armed:
    """The one point that is armed: its name (empty: none), passes left, and how the process ends there."""

    point = ""
    passes = 0
    signal = signal.SIGKILL


def arm(wanted: str | None = None) -> None:
    """Arms `POINT[:PASS[:kill|freeze]]`, by default what the environment asks for; an empty text disarms.

    Raises ConfigError that names the variable where it's no such thing.
    """
    _Armed.point = ""
    wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
    point, _, rest = wanted.partition(":")
    passes, _, how = rest.partition(":")
    passed = (passes or "1").isdecimal() and int(passes or "1") > 0
    if wanted and not (point in POINTS and passed and (how or "kill") in SIGNALS):
        known = ", ".join(POINTS)
        raise ConfigError([f"{VARIABLE}: expected POINT[:PASS[:kill|freeze]], came {wanted!r}; points: {known}"])
    _Armed.point, _Armed.passes, _Armed.signal = point, int(passes or 1), SIGNALS[how or "kill"]
    if point:
        log.warning("failpoint armed: this process gets %s at %s, pass %d", _Armed.signal.name, point, _Armed.passes)


def armed(prefix: str) -> bool:
    """Whether a point whose name begins with `prefix` is armed: for points that are costly to reach."""
    return _Armed.point.startswith(prefix) and bool(_Armed.point)


def reach(point: str) -> None:
    """The process is at `point`: it ends or freezes here where this pass is armed."""
    if point == _Armed.point:
        _Armed.passes -= 1
        if _Armed.passes == 0:
            os.kill(os.getpid(), _Armed.signal)
