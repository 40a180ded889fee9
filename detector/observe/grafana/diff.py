"""What is different between an object as it should be and as Grafana has it, and how that is shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from detector.observe.grafana.content import Json

REDACTED = "[REDACTED]"
"""What Grafana gives in place of a secret."""
SECRET = "(secret)"  # noqa: S105 - stands in place of one

_SECRETS = frozenset({"secureJsonData", "url", "token", "password", "authorization_credentials", "secret"})
"""Of contact points and data sources; the `url` of a data source is none."""
_EXACT = frozenset({"labels", "object_matchers", "group_by", "tags"})
"""Where a key or an item that Grafana has and we do not is a difference: people's words, no defaults of a server."""
_DURATIONS = frozenset({"for", "keep_firing_for", "group_wait", "group_interval", "repeat_interval"})
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}

Deed = Literal["create", "change", "delete"]


@dataclass(frozen=True)
class Change:
    """One object that has to be written. `before` and `after` are for people, without secrets."""

    kind: str
    name: str
    deed: Deed
    before: Json | None
    after: Json | None
    write: Callable[[], None]
    obstacle: str = ""
    """Why it can't be written, known before anything is."""

    @property
    def title(self) -> str:
        """`change dashboard agent-detector-run`."""
        return f"{self.deed} {self.kind} {self.name}"

    def lines(self) -> list[str]:
        """A unified diff of both as YAML; of an object that is new or goes, nothing: its title says it."""
        if self.deed != "change":
            return []
        before, after = (
            yaml.safe_dump(side, sort_keys=True, allow_unicode=True).splitlines() for side in self._sides()
        )
        return list(difflib.unified_diff(before, after, "in Grafana", "here", lineterm=""))[2:]

    def _sides(self) -> Iterator[Json]:
        yield self.before or {}
        yield self.after or {}


def seen(wanted: Any, live: Any, key: str = "") -> Any:
    """`live` as far as `wanted` speaks of it: what Grafana adds by itself is no difference.

    Where a secret is wanted and Grafana hides what it has, that is taken to be the same.
    """
    if live == REDACTED and isinstance(wanted, str):
        return wanted
    if key in _DURATIONS and isinstance(live, str) and isinstance(wanted, str):
        return wanted if seconds(live) == seconds(wanted) else live
    if key in _EXACT:
        return live
    if isinstance(wanted, dict) and isinstance(live, dict):
        # Go leaves out what is false, empty or zero where a field is marked so.
        return {
            name: seen(value, live.get(name, value), name)
            for name, value in wanted.items()
            if name in live or not value
        }
    if isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        return [seen(one, other) for one, other in zip(wanted, live, strict=True)]
    return live


def same(wanted: Any, live: Any) -> bool:
    """Whether nothing has to be written."""
    return bool(seen(wanted, live) == wanted)


def masked(body: Json, *, address: bool = False) -> Json:
    """Without secrets; `address`: the key `url` is an address and none."""
    hidden = _SECRETS - ({"url"} if address else set())
    return {key: _hide(value) if key in hidden else _below(value, address=address) for key, value in body.items()}


def seconds(duration: str) -> float:
    """Of a duration as Prometheus and Grafana write it, e.g. `1h30m`; -1 where it is none."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdwy])", duration)
    if "".join(number + unit for number, unit in parts) != duration or not parts:
        return 0.0 if duration in {"", "0"} else -1.0
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _below(value: Any, *, address: bool) -> Any:
    return masked(value, address=address) if isinstance(value, dict) else value


def _hide(value: Any) -> Any:
    return dict.fromkeys(value, SECRET) if isinstance(value, dict) else SECRET
