"""What a span is to its dialect."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import msgspec

from detector.dialects._messages import Asked


class Kind(IntEnum):
    """What a span stands for."""

    OTHER = 0
    """Of this dialect, but no event: a chain, a loop, a retriever. Its ids still carry the run."""
    TOOL = 1
    MODEL = 2
    AGENT = 3
    HTTP = 4
    DATABASE = 5
    PROCESS = 6


class Seen(msgspec.Struct, gc=False):
    """A span as its dialect reads it. Texts are as they came; nothing is classified yet."""

    kind: Kind
    tool: str = ""
    call: str = ""
    """Call id; empty where there is none."""
    arguments: Any = None
    """A mapping, a str or None where the span carries none."""
    result: Any = None
    failed: bool = False
    message: str = ""
    """The error in words: error type, status message, exception."""
    status: int = 0
    """HTTP or exit status that the span itself carries; 0: none."""
    intended: bool = False
    """A start signal: the call is about to run, or is running."""
    inner: bool = False
    """A closer look at a call that another span stands for."""
    asked: tuple[Asked, ...] = ()
    """Tool calls that a model turn asked for."""
    user: int = 0
    """Messages of a person that the turn read first."""
    said: tuple[str, ...] = ()
    """What people said, the newest first; only where `user` is more than 0."""
    told: tuple[str, ...] = ()
    """The set-up that goes with it: system prompts."""
    results: str = ""
    """Results that the turn read, as they stand in its messages."""
    wordless: bool = False
    """The turn carries nothing of what it read."""
    tokens_in: int = 0
    tokens_out: int = 0
