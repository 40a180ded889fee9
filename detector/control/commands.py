"""Reading commands and acks as they may be obeyed, and the newest command of every run."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, TypeVar

import msgspec

from detector.control.enforcers.base import RUNS_REMEMBERED
from detector.control.signatures import verify
from detector.errors import Drop
from detector.records import Ack, Command, Desired, Label

_TREE_REMEMBERED = 64
"""Runs below a run that are remembered to stand under its command."""
_DEEPEST = 8
"""Runs above a run that are looked for: nobody's agents nest deeper, and a circle ends."""
RANK = {Desired.RUNNING: 0, Desired.PAUSED: 1, Desired.KILLED: 2}

Signed = TypeVar("Signed", bound=Command | Ack | Label)


def decode(value: bytes, kind: type[Signed], key: str) -> Signed:
    """The record in `value`. Raises Drop where it isn't one, or isn't signed with `key`."""
    try:
        record = msgspec.json.decode(value, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
        raise Drop("unreadable", f"expected {kind.__name__} as JSON: {fault}") from fault
    if not verify(record, key):
        found = "another signature" if record.signature else "none"
        raise Drop("refused", f"{kind.__name__} for run {record.run!r}: expected a signature, found {found}")
    return record


class Issued(NamedTuple):
    """A command, and when it was written to the topic, in milliseconds since 1970."""

    command: Command
    written: int


class Newest:
    """The newest command of each run, and which runs stand under another one's."""

    def __init__(self, limit: int = RUNS_REMEMBERED) -> None:
        self._limit = limit
        self._by_run: OrderedDict[str, Issued] = OrderedDict()
        self._above: OrderedDict[str, str] = OrderedDict()
        self._part_of: OrderedDict[str, str] = OrderedDict()

    def note(self, command: Command, written: int) -> None:
        """Keeps the command if it's newer than what is known; killed stays killed, though of more runs perhaps."""
        issued = self._by_run.get(command.run)
        known = issued.command if issued else None
        if known is not None:
            revives = known.desired is Desired.KILLED and command.desired is not Desired.KILLED
            if revives or known.sequence >= command.sequence:
                return
        _put(self._by_run, command.run, Issued(command, written), self._limit)
        for run in command.tree[:_TREE_REMEMBERED]:
            _put(self._above, run, command.run, self._limit)
        for run in command.aliases[:_TREE_REMEMBERED]:
            _put(self._part_of, run, command.run, self._limit)
        if command.root:
            _put(self._above, command.run, command.root, self._limit)

    def all(self) -> list[Issued]:
        """The newest command of each run, the latest noted last."""
        return [issued for run, issued in self._by_run.items() if not self.whole(run)]

    def whole(self, run: str) -> str:
        """The run that `run` turned out to be a part of, so that its own commands count no more; empty where none."""
        return self._part_of.get(run, "")

    def stopping(self, run: str) -> list[Command]:
        """The commands by which `run` must not be running: those of the runs above it, and its own."""
        runs = [self.whole(run) or run]
        while (above := self._above.get(runs[0], "")) and above not in runs and len(runs) <= _DEEPEST:
            runs.insert(0, above)
        found = (self._by_run[name].command for name in runs if name in self._by_run)
        return [command for command in found if command.desired is not Desired.RUNNING]

    def strongest(self, run: str, desired: Desired) -> Desired:
        """The state that `run` must be in where one command asks for `desired`: what stops it by another one stands."""
        return max((desired, *(command.desired for command in self.stopping(run))), key=RANK.__getitem__)


Value = TypeVar("Value")


def _put(kept: OrderedDict[str, Value], key: str, value: Value, limit: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > limit:
        kept.popitem(last=False)
