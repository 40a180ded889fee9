"""A run-log record against stored state: repeats, what is sent, what can't be read."""

from __future__ import annotations

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import Does, Environment, RunEvents, Tick, decode_log, encode_log
from detector.runs.judge import Judge
from detector.testing import EPOCH_NS, Clock, act, record
from detector.training.matrix import blank
from detector.watch import Watch

FATAL = act("api", Does.DELETE | Does.IRREVERSIBLE, env=Environment.PRODUCTION)


@pytest.fixture
def metrics() -> Metrics:
    """Counters of their own."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def watch(metrics: Metrics) -> Watch:
    """A watch that goes by the rules alone."""
    return Watch(Judge(blank(), Policy()), load(), metrics, Clock(EPOCH_NS + 10**12))


def test_a_record_is_applied_once(watch: Watch) -> None:
    """The same offset again sends nothing and leaves the state as it was, to be confirmed once more."""
    value = encode_log(record(FATAL))
    first = watch.apply(None, value, 7)
    again = watch.apply(first.state, value, 7)

    assert [send.topic for send in first.sends] == ["agent-verdicts", "agent-commands"]
    assert again == (first.state, [], first.due, True, True, None)


def test_a_tick_ends_an_idle_run(watch: Watch) -> None:
    """A summary is sent, and later the state is gone; a tick for a run that is gone does nothing."""
    first = watch.apply(None, encode_log(record(act())), 1)
    tick = encode_log(RunEvents("run-1", [Tick(first.due)]))
    ended = watch.apply(first.state, tick, 2)
    assert [send.topic for send in ended.sends] == ["agent-summaries"]
    last = encode_log(RunEvents("run-1", [Tick(ended.due)]))
    assert watch.apply(ended.state, last, 3) == (None, [], 0, False, False, None)
    assert watch.apply(None, last, 4) == (None, [], 0, False, False, None)


def test_times_are_measured_from_span_and_arrival(watch: Watch, metrics: Metrics) -> None:
    """Both latencies have one observation for one verdict and command."""
    watch.apply(None, encode_log(record(FATAL, arrived=EPOCH_NS)), 1)
    read = metrics.registry.get_sample_value
    assert read("detector_span_end_to_verdict_seconds_count") == 1
    assert read("detector_arrival_to_command_seconds_sum") == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("value", "said"),
    [(b"", "empty record"), (b"\x09abc", "expected version 1 to 2, came 9"), (b"\x01\xc1", "run log: ")],
)
def test_what_is_no_run_log_record(watch: Watch, value: bytes, said: str) -> None:
    """Bytes of another kind or version are refused, with what was expected and what came."""
    with pytest.raises(ValueError, match=said):
        watch.apply(None, value, 1)


def test_log_record_round_trip() -> None:
    """Every event of the log comes back as it was."""
    sent = record(FATAL, Tick(3, evict=True), arrived=5, where={"host.name": "h"}, service="s")
    assert decode_log(encode_log(sent)) == sent
    assert msgspec.msgpack.decode(encode_log(sent)[1:])[0] == "run-1"
