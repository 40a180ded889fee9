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

    def note(self, command: Command, written: int) -> None:
        """Keeps the command if it's newer than what is known; killed stays killed."""
        issued = self._by_run.get(command.run)
        known = issued.command if issued else None
        if known is not None and (known.desired is Desired.KILLED or known.sequence >= command.sequence):
            return
        _put(self._by_run, command.run, Issued(command, written), self._limit)
        for run in command.tree[:_TREE_REMEMBERED]:
            _put(self._above, run, command.run, self._limit)

    def all(self) -> list[Issued]:
        """The newest command of each run, the latest noted last."""
        return list(self._by_run.values())

    def stopping(self, run: str) -> list[Command]:
        """The commands by which `run` must not be running: its own, and that of the run above it."""
        runs = (self._above.get(run, ""), run)
        found = (self._by_run[name].command for name in runs if name in self._by_run)
        return [command for command in found if command.desired is not Desired.RUNNING]


Value = TypeVar("Value")


def _put(kept: OrderedDict[str, Value], key: str, value: Value, limit: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > limit:
        kept.popitem(last=False)
