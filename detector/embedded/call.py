"""What a handler gets and gives, whatever the API."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

from detector.embedded.wire import Reader, Writer

NODE = 0
CLUSTER = "embedded"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its API version, its body, and who asks.

    `local` is the address at which the client reached the broker, and so the address
    that the broker gives as its own.
    """

    version: int
    body: Reader
    client: str
    host: str
    local: tuple[str, int]


# None is no answer at all, which only Produce with acks=0 asks for.
Reply = Writer | None | Coroutine[Any, Any, Writer]
Handler = Callable[[Call], Reply]


class Served(NamedTuple):
    """An API as it is served: the first and last version, and who handles it."""

    first: int
    last: int
    handle: Handler
