"""Stored states and run-log records of this version, of the one before, and of a newer one."""

from __future__ import annotations

from copy import copy

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from detector.config import load
from detector.errors import VersionError
from detector.observe.metrics import Metrics
from detector.policy.policy import Policy
from detector.records import (
    Acked,
    Action,
    Adopted,
    Alias,
    Aliases,
    Below,
    Desired,
    Event,
    Labelled,
    RunEvents,
    Tick,
    Tree,
    Turn,
    decode_log,
    encode_log,
)
from detector.runs import kin
from detector.runs.aliases import Bundle
from detector.runs.judge import Judge
from detector.runs.kin import Forwarder
from detector.runs.run import Run
from detector.runs.state import STATE_BYTES, decode, encode, fit
from detector.step import apply
from detector.testing import EPOCH_NS, act, record
from detector.training.matrix import blank
from detector.watch import Watch

JUDGE = Judge(blank(), Policy())
LAYOUT = JUDGE.model.layout

# Written by the release 0.1.0: a record with an event of each kind, and the state of its run after it.
LOG_1 = bytes.fromhex(
    "019ab27376632f636f6e766572736174696f6e2d3196dc0012a161c4080000000000000001c41000000000000000000000000000000001cf"
    "18b3d491efccca000100c400c2a9726561645f66696c650100010001920708909091a966696c652e7265616499a174c4087475726e737061"
    "6ec41000000000000000000000000000000001cf18b3d4922b679400c2c2016414dc0012a161c4080000000000000003c410000000000000"
    "00000000000000000001cf18b3d49267025e000105c4087475726e7370616ec2a3617069cd200810010003909091099096a16ccf18b3d492"
    "a29d2800a7636f7272656374a3616e6eac6e6f742074686174206f6e650095a16bcf18b3d492de37f200ce6a18a501a770726f63657373a4"
    "646f6e6593a163cf18b3d49319d2bc00c2cf18b3d491b4320000cf18b3d491efccca00a3737663a774657374696e670082a9686f73742e6e"
    "616d65a168ab70726f636573732e706964a137a000"
)
STATE_1 = bytes.fromhex(
    "01dc0025b27376632f636f6e766572736174696f6e2d31ac623666623634613333623065c502600000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000f03f0000000000000000000000000000000000"
    "0000000000f03f000000000000f03f0000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000f03f000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000f03f00000000000000000000000000000000000000000000f03f000000000000f03f0000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000f03f000000000000000000000000000000009991cf18b3d49267025e0096d1fc18d1fc18d1fc1890d1fc18"
    "109290910991909292ce096bea29cead05d80f92070891d1fc1892019092920103909110a774657374696e6700a373766382a9686f73742e"
    "6e616d65a168ab70726f636573732e706964a13791c41000000000000000000000000000000001cf18b3d491efccca00cf18b3d49267025e"
    "00cf18b3d491efccca00290201c2c418d92d3c5c010d66286d01c42f45e87a18d7079087da6a84b892960001010100c296050303ce010020"
    "0801c2919901cf18b3d49267025e00c4080000000000000003c41000000000000000000000000000000001a3617069909411100d23051080"
    "81a7636f727265637401cb3fe0000000000000cb3fe000000000000000c50130000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "020200a0cb0000000000000000ce6a18a502a6706175736564ce6a18a502cf18b42326811bca00ce6a18a501cf18b3d492de37f200ce6a18"
    "a501"
)


def _run() -> Run:
    run, _ = apply(None, record(act(), act()), JUDGE)
    assert isinstance(run, Run)
    return run


def test_a_record_of_version_1_is_read() -> None:
    """Every event of it; what came with version 2 has its defaults."""
    read = decode_log(LOG_1)
    assert [type(event) for event in read.events] == [Action, Turn, Action, Labelled, Acked, Tick]
    assert (read.run, read.workflow, read.where) == (
        "svc/conversation-1",
        "testing",
        {"host.name": "h", "process.pid": "7"},
    )
    assert (read.adopted_from, read.traced) == ("", False)


def test_what_version_1_can_say_is_written_as_version_1() -> None:
    """So workers of the version before read it, but for fields at the end, of the record and of its actions, that they
    pass over.
    """
    again = encode_log(decode_log(LOG_1))
    assert again[0] == 1
    (run, events, *rest), (_, before, *_) = (msgspec.msgpack.decode(log[1:]) for log in (again, LOG_1))
    known = [event[: len(old)] for event, old in zip(events, before, strict=True)]
    assert [run, known, *rest[:-1]] == msgspec.msgpack.decode(LOG_1[1:])


@pytest.mark.parametrize(
    "event",
    [Alias(1, "r"), Aliases(1, [("a", "b")]), Below(1, "r"), Tree(1, ["r"]), Adopted(1, 2, "model", "paused", 3, 4)],
)
def test_what_came_with_version_2_is_written_as_version_2(event: Event) -> None:
    """And comes back as it was."""
    sent = RunEvents("run", [event])
    assert encode_log(sent)[0] == 2
    assert decode_log(encode_log(sent)) == sent
    assert encode_log(RunEvents("run", [act()], adopted_from="part", adopted_sequence=1))[0] == 2


def test_a_state_of_version_1_goes_on() -> None:
    """What was counted and decided stands, and it is written back byte for byte while nothing new is in it."""
    released = copy(LAYOUT)
    object.__setattr__(released, "version", "b6fb64a33b0e")
    state = decode(STATE_1, released)
    assert isinstance(state, Run)
    assert (state.run, state.calls, state.desired, state.offset) == ("svc/conversation-1", 2, Desired.PAUSED, 41)
    assert state.sequence == EPOCH_NS // 10**9 + 2
    assert state.kin is None
    assert encode(state) == STATE_1


def test_a_run_of_version_1_may_get_kin() -> None:
    """A trace's events are handed to it like to any other."""
    state, _ = apply(decode(STATE_1, LAYOUT), record(act(), adopted_from="svc/t", adopted_sequence=1), JUDGE)  # type: ignore[arg-type]
    assert isinstance(state, Run)
    assert state.calls == 3
    assert encode(state)[:2] == b"\x02r"
    assert encode(decode(encode(state), LAYOUT)) == encode(state)


@pytest.mark.parametrize("state", [Forwarder("a", "b", 3, 4, 5), Bundle("\0aliases/0/1", [("a", "b")], 4, 5)])
def test_other_states_come_back(state: Forwarder | Bundle) -> None:
    """Of a forwarder, and of aliases."""
    assert decode(encode(state), LAYOUT) == state


def test_what_a_newer_worker_wrote_is_left_alone() -> None:
    """The state is not overwritten and the record not skipped: the worker is told to stop, and why."""
    watch = Watch(JUDGE, load(), Metrics(CollectorRegistry()))
    with pytest.raises(VersionError, match=r"run state: expected version 2 at most, came 3: .* Upgrade this one"):
        watch.apply(b"\x03" + STATE_1[1:], LOG_1, 50)
    with pytest.raises(VersionError, match="run log: expected version 2 at most, came 3"):
        watch.apply(STATE_1, b"\x03" + LOG_1[1:], 50)


@pytest.mark.parametrize("value", [b"\x03", b"\x03abc", b"\xff" * 20, b"\x03" + msgspec.msgpack.encode([1, 2])])
def test_rubbish_is_no_newer_version(value: bytes) -> None:
    """It is refused as what it is, so that it goes to the dead letters and stops nobody."""
    with pytest.raises(ValueError, match="expected version 1 to 2"):
        decode_log(value)


def test_a_state_is_cut_to_its_bound() -> None:
    """What is kept for others goes first, the oldest before the newest; evidence last."""
    run = _run()
    run.kin = kin.Kin(traced=True, kept=[bytes([n]) * 500 for n in range(32)], settled=30)
    fit(run)
    assert STATE_BYTES - 600 < len(encode(run)) <= STATE_BYTES
    assert run.kin.kept[-1] == bytes([31]) * 500
    assert run.kin.settled == 30 - (32 - len(run.kin.kept))
