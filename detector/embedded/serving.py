"""What both servers of this package share: where to listen, and until when."""

import asyncio
import ipaddress
import signal

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# A loop has one handler for a signal, and several servers may run on it.
_waiting: set[asyncio.Event] = set()


def is_loopback(host: str) -> bool:
    """Tell whether `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def until_signal() -> None:
    """Return at the first SIGTERM or SIGINT, which ends every such wait of the process."""
    stop = asyncio.Event()
    _waiting.add(stop)
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, _stop_all)
    try:
        await stop.wait()
    finally:
        _waiting.discard(stop)
        if not _waiting:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


def _stop_all() -> None:
    for stop in _waiting:
        stop.set()
