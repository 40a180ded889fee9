"""Stored states as bytes: of a run, of a forwarder, of aliases, of a brake; this version and the one before.

A run that has nothing to do with other runs is written as version 1, which older workers read: the
same array without its last fields. What such a run has spent stands after them: older workers skip it.
"""

from __future__ import annotations

import msgspec

from detector.behaviours.base import Layout
from detector.errors import VersionError
from detector.policy.brake import Stops
from detector.runs import run as runs
from detector.runs.aliases import Bundle
from detector.runs.kin import Forwarder
from detector.runs.run import Run

STATE_VERSION = 2
STATE_BYTES = 8192

State = Run | Forwarder
Stored = State | Bundle | Stops

_FORWARDER, _BUNDLE, _STOPS = ord("f"), ord("a"), ord("b")
_HEADS: dict[type[Stored], bytes] = {Forwarder: b"\x02f", Bundle: b"\x02a", Stops: b"\x02b"}
"""Version and kind, of what is no run."""
_encoder = msgspec.msgpack.Encoder()
_run_decoder = msgspec.msgpack.Decoder(Run)
_forwarder_decoder = msgspec.msgpack.Decoder(Forwarder)
_bundle_decoder = msgspec.msgpack.Decoder(Bundle)
_stops_decoder = msgspec.msgpack.Decoder(Stops)
_FIELDS = len(Run.__struct_fields__)
_HEAD_1 = b"\x01\xdc" + (_FIELDS - 2).to_bytes(2, "big")
"""Version 1, and msgpack's head of an array two shorter than a run's."""


def encode(state: Stored) -> bytes:
    """The state as bytes: the version, from version 2 on the kind, then msgpack."""
    if not isinstance(state, Run):
        return _HEADS[type(state)] + _encoder.encode(state)
    encoded = _encoded(state)
    if len(encoded) <= STATE_BYTES:
        return encoded
    _shed(state, len(encoded) - STATE_BYTES)
    return _encoded(state)


def _encoded(run: Run) -> bytes:
    if run.kin is not None:
        return b"\x02r" + _encoder.encode(run)
    if run.spent is not None:
        return b"\x01" + _encoder.encode(run)
    # Without its head of three bytes, and the nils that stand for `kin` and `spent`.
    return _HEAD_1 + _encoder.encode(run)[3:-2]


def decode(value: bytes, layout: Layout) -> Stored:
    """The state in `value`. Where other behaviours kept it its signals begin anew; what was decided stands.

    Raises VersionError where a newer worker wrote it.
    """
    version = value[0]
    if version > STATE_VERSION:
        raise VersionError("run state", STATE_VERSION, version)
    if version == STATE_VERSION:
        if value[1] == _FORWARDER:
            return _forwarder_decoder.decode(memoryview(value)[2:])
        if value[1] == _BUNDLE:
            return _bundle_decoder.decode(memoryview(value)[2:])
        if value[1] == _STOPS:
            return _stops_decoder.decode(memoryview(value)[2:])
    run = _run_decoder.decode(memoryview(value)[version:])
    if run.layout != layout.version:
        fresh = runs.new(run.run, layout, 0)
        run.layout, run.signals, run.memories = fresh.layout, fresh.signals, fresh.memories
        run.steps, run.peak_signals = [], b""
    return run


def fit(state: State) -> None:
    """What `encode` does to a state that would outgrow its bound, for who keeps states as they are."""
    if isinstance(state, Run):
        encode(state)


def _shed(run: Run, over: int) -> None:
    """Lets `over` bytes go, of what is kept for other runs first, the oldest before the newest; evidence last."""
    kin = run.kin
    while over > 0 and kin is not None and (kin.kept or kin.sources):
        if kin.kept:
            over -= len(kin.kept.pop(0))
            kin.settled = max(0, kin.settled - 1)
        else:
            kin.sources.pop(0)
            over -= 9
    while over > 0 and run.steps:
        lightest = min(range(len(run.steps)), key=lambda i: (run.steps[i].gravity, i))
        over -= len(_encoder.encode(run.steps.pop(lightest)))
